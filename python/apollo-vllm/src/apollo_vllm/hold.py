"""While the model loads: its files are up to date, and nobody may write them.

apollo-checkpoint writes shards only under an exclusive lock on ``.apollo/shards.lock``; whoever needs their bytes to hold still takes it
shared. A free lock does not mean a whole model: what is pending is folded first, and looked for again once the lock is held. A model
directory without ``.apollo`` was never synced, and nothing is held.
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from .fold import fold_pending, pending

_log = logging.getLogger("vllm.apollo")

# Bringing a large model up to date takes minutes; longer than this and the server starts regardless.
_WAIT_SECONDS = 900.0

# A sync may commit between a fold and the lock; a trainer that steps all the time does it again.
_ATTEMPTS = 3


@contextmanager
def files_held_still(model_dir: Path, wait_seconds: float = _WAIT_SECONDS) -> Iterator[None]:
    """Bring the model's files up to date and hold them against apollo-checkpoint's writers.

    Only logs when it cannot: a server must start.
    """
    descriptor: int | None = None
    try:
        for attempt in range(_ATTEMPTS):
            fold_pending(model_dir)
            descriptor = _open_lock(model_dir)
            if descriptor is None:
                break
            if not _lock_shared(descriptor, wait_seconds):
                _log.error("apollo: %s is being written for more than %.0f s; loading it all the same", model_dir, wait_seconds)
                break
            if attempt == _ATTEMPTS - 1 or pending(model_dir) is None:
                break
            os.close(descriptor)
            descriptor = None
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def _open_lock(model_dir: Path) -> int | None:
    folder = model_dir / ".apollo"
    if not folder.is_dir():
        return None
    try:
        return os.open(folder / "shards.lock", os.O_RDONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644)
    except OSError as error:
        _log.warning("apollo: the files of %s cannot be held while they load: %s", model_dir, error)
        return None


def _lock_shared(descriptor: int, wait_seconds: float) -> bool:
    deadline = time.monotonic() + wait_seconds
    told = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            if not told:
                _log.info("apollo: waiting until the model's files are brought up to date")
                told = True
            time.sleep(0.1)
