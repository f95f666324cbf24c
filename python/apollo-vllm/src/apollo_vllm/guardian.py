"""Deletes a server's published files when the server is gone, whatever its end: vLLM's workers are often killed.

Weights in shared memory that nobody deletes are memory that nobody gets back. So each export starts this file as a small process of its
own (no torch, no vLLM). It waits for the end of its input, which the kernel closes when the server dies, and then deletes what it was told.

    python guardian.py LOCK_FILE      input: one path a line. Names in the lock's folder are fixed, so they are
deleted only if no other server took the folder over.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Iterable

# Seconds after which a lock that is still held is another server's.
_PATIENCE = 5.0


class Guardian:
    """The server's side of it."""

    def __init__(self, lock: Path) -> None:
        # Isolated (-I) and without site packages (-S): quick to start, and nothing of the server's environment gets in.
        command = [sys.executable, "-I", "-S", __file__, str(lock)]
        # A session of its own: signals to the server's group are not for it.
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
        # The first process only leaves a second one behind.
        self._process.wait()

    def watch(self, path: Path) -> None:
        """Name a file that is to go with the server. Call before the file is made."""
        assert self._process.stdin is not None
        self._process.stdin.write(os.fsencode(path) + b"\n")
        self._process.stdin.flush()

    def close(self) -> None:
        """Have everything deleted now, and wait for it."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        with self._process.stdout as output:
            output.read()


def _main() -> None:
    # A child of init: at its end vLLM kills all descendants of its workers.
    if os.fork():
        os._exit(0)
    for name in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    lock = sys.argv[1]
    paths = [line.rstrip(b"\n") for line in sys.stdin.buffer]
    shared = [path for path in paths if os.path.dirname(path) == os.path.dirname(os.fsencode(lock))]
    _delete(path for path in paths if path not in shared)
    if _claim(lock):
        _delete(shared)


def _delete(paths: Iterable[bytes]) -> None:
    for path in paths:
        try:
            os.unlink(path)
        except FileNotFoundError:
            pass


def _claim(lock: str) -> bool:
    """Whether the lock is free now. A dying server lets go of it a little later than of our input."""
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.02)


if __name__ == "__main__":
    _main()
