"""While the model loads: nobody may write its files, and we note which version they are.

apollo-checkpoint writes shards only under an exclusive lock on ``.apollo/shards.lock``; whoever needs their bytes to hold still takes it
shared. A model directory without ``.apollo`` was never synced, and nothing is held.
"""

from __future__ import annotations

import fcntl
import json
import logging
import os
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

_log = logging.getLogger("vllm.apollo")

# Bringing a large model up to date takes minutes; longer than this and the server starts regardless.
_WAIT_SECONDS = 900.0

_NOT_NEWEST = "0" * 32


@contextmanager
def files_held_still(model_dir: Path, wait_seconds: float = _WAIT_SECONDS) -> Iterator[None]:
    """Hold the model's files against apollo-checkpoint's writers. Only logs when it cannot: a server must start."""
    descriptor = _open_lock(model_dir)
    try:
        if descriptor is not None and not _lock_shared(descriptor, wait_seconds):
            _log.error("apollo: %s is being written for more than %.0f s; loading it all the same", model_dir, wait_seconds)
        yield
    finally:
        if descriptor is not None:
            os.close(descriptor)


def loaded_root(model_dir: Path) -> str | None:
    """The root of the version that the files hold, from ``.apollo/state.json``; None when there is no history or it does not say."""
    try:
        state = json.loads((model_dir / ".apollo" / "state.json").read_bytes())
        root = state.get("root")
        if not isinstance(root, str):
            return None
        # The root is the newest version's. Files behind it hold one whose root nobody wrote down: say one that is no version's.
        return root if state.get("filesVersion") == state.get("newest") else _NOT_NEWEST
    except (OSError, ValueError, AttributeError):
        return None


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
