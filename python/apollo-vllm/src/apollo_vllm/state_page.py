"""The state page: 64 bytes by which a trainer tells readers when the weights hold still.

Layout (little endian): 0 magic ``APOLLOSP``; 8 u64 sequence, odd while a writer is inside; 16 u64 step; 24 u64 time of the last step in
nanoseconds since the epoch; 32 u32 process id of the writer; 36 u32 flags, 0; the rest 0.
A writer also holds ``flock(LOCK_EX)`` on the file, so a reader that holds ``LOCK_SH`` makes the trainer wait at its next step.
"""

from __future__ import annotations

import fcntl
import os
import struct
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Iterator

from .folder import FolderError, require_private_file, write_atomically

PAGE_BYTES = 64
PAGE_NAME = "state.bin"

_MAGIC = b"APOLLOSP"

# Sequence, step, time and process id, from byte 8 on.
_FIELDS = struct.Struct("<QQQI")
_SEQUENCE_AT, _STEP_AT, _PID_AT = 8, 16, 32


def create(path: Path, step: int = 0) -> None:
    """Put a new page in the place of an old one."""
    write_atomically(path, _MAGIC + bytes(8) + step.to_bytes(8, "little") + bytes(PAGE_BYTES - 24))


def read(path: str | os.PathLike[str]) -> tuple[int, int]:
    """The page's (sequence, step) at this moment."""
    descriptor = _open(path)
    try:
        sequence, step, _, _ = _read(descriptor, path)
        return sequence, step
    finally:
        os.close(descriptor)


@contextmanager
def step_guard(path: str | os.PathLike[str]) -> Iterator[None]:
    """Bracket one change of the weights: ``with step_guard(export_dir): optimizer.step()``.

    `path` is the page or the folder that holds it. CUDA work is waited for before the bracket closes. If the body raises, the bracket
    closes without counting a step. Several processes may use it, one at a time; of trainers that step together (collectives inside the
    body) only one may take it. The page is opened anew for each bracket, so a restarted server and a forked trainer are no trouble.
    """
    with WriteGuard(path) as guard:
        yield
        _wait_for_cuda()
        guard.step += 1


class WriteGuard:
    """The bracket itself, for a change that need not be a trainer's step, such as a reload: `step` is what the page says at its end.

    Each number is written by a write of its own, the sequence first and last; the page is never mapped, which costs more than the bracket.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.step = 0
        self._path = path
        self._descriptor = -1
        self._sequence = 0

    def __enter__(self) -> WriteGuard:
        self._descriptor = _open(self._path)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
            sequence, self.step, _, _ = _read(self._descriptor, self._path)
        except BaseException:
            os.close(self._descriptor)
            raise
        # A writer that died inside left an odd number: go on to the next odd one.
        self._sequence = sequence + 1 + sequence % 2
        self._write(_SEQUENCE_AT, self._sequence)
        os.pwrite(self._descriptor, os.getpid().to_bytes(4, "little"), _PID_AT)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            os.pwrite(self._descriptor, struct.pack("<QQ", self.step, time.time_ns()), _STEP_AT)
            self._write(_SEQUENCE_AT, self._sequence + 1)
        finally:
            # Not left to the close: a child forked inside holds the same lock until it ends.
            fcntl.flock(self._descriptor, fcntl.LOCK_UN)
            os.close(self._descriptor)

    def _write(self, offset: int, value: int) -> None:
        os.pwrite(self._descriptor, value.to_bytes(8, "little"), offset)


def _open(path: str | os.PathLike[str]) -> int:
    page = os.fspath(path)
    try:
        return _open_private(page)
    except IsADirectoryError:
        return _open_private(os.path.join(page, PAGE_NAME))


def _open_private(page: str) -> int:
    descriptor = os.open(page, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        require_private_file(Path(page), os.fstat(descriptor))
        return descriptor
    except BaseException:
        os.close(descriptor)
        raise


def _read(descriptor: int, path: str | os.PathLike[str]) -> tuple[int, int, int, int]:
    page = os.pread(descriptor, PAGE_BYTES, 0)
    if len(page) != PAGE_BYTES or page[:8] != _MAGIC:
        raise FolderError(f"{os.fspath(path)} is not a state page of apollo-vllm")
    sequence, step, when, pid = _FIELDS.unpack_from(page, _SEQUENCE_AT)
    return sequence, step, when, pid


def _wait_for_cuda() -> None:
    # Kernels run on after optimizer.step() returned. Whoever never imported torch has none.
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        torch.cuda.synchronize()
