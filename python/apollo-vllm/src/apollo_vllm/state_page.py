"""The state page: 64 bytes by which a trainer tells readers when the weights hold still.

Layout (little endian): 0 magic ``APOLLOSP``; 8 u64 sequence, odd while a writer is inside; 16 u64 step; 24 u64 time of the last step in
nanoseconds since the epoch; 32 u32 process id of the writer; 36 u32 flags, 0; the rest 0.
A writer also holds ``flock(LOCK_EX)`` on the file, so a reader that holds ``LOCK_SH`` makes the trainer wait at its next step.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Callable, Iterator

from .folder import FolderError, require_private_file, write_atomically

PAGE_BYTES = 64
PAGE_NAME = "state.bin"

_MAGIC = b"APOLLOSP"

# Indices of the fields, in 64-bit and in 32-bit words.
_SEQUENCE, _STEP, _TIME = 1, 2, 3
_PID = 8


def create(path: Path, step: int = 0) -> None:
    """Put a new page in the place of an old one."""
    write_atomically(path, _MAGIC + bytes(8) + step.to_bytes(8, "little") + bytes(PAGE_BYTES - 24))


def read(path: str | os.PathLike[str]) -> tuple[int, int]:
    """The page's (sequence, step) at this moment."""
    with _opened(_page_path(path)) as (_, words, _halves):
        return words[_SEQUENCE], words[_STEP]


@contextmanager
def step_guard(path: str | os.PathLike[str]) -> Iterator[None]:
    """Bracket one change of the weights: ``with step_guard(export_dir): optimizer.step()``.

    `path` is the page or the folder that holds it. CUDA work is waited for before the bracket closes. If the body raises, the bracket
    closes without counting a step. Several processes may use it, one at a time; of trainers that step together (collectives inside the
    body) only one may take it. The page is opened anew for each bracket, so a restarted server and a forked trainer are no trouble.
    """
    with write_guard(path) as count_step:
        yield
        _wait_for_cuda()
        count_step()


@contextmanager
def write_guard(path: str | os.PathLike[str]) -> Iterator[Callable[[], None]]:
    """Bracket a change that is not a trainer's step, such as a reload. Gives the function that counts a step."""
    with _opened(_page_path(path)) as (descriptor, words, halves):

        def count_step() -> None:
            words[_STEP] += 1

        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            # A writer that died inside left an odd number: go on to the next odd one.
            words[_SEQUENCE] += 1 + words[_SEQUENCE] % 2
            halves[_PID] = os.getpid()
            try:
                yield count_step
            finally:
                words[_TIME] = time.time_ns()
                words[_SEQUENCE] += 1
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[int, memoryview, memoryview]]:
    """The page's descriptor and its memory as 64-bit and 32-bit words, so that each number is written by one store."""
    require_private_file(path)
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        with mmap.mmap(descriptor, PAGE_BYTES) as page:
            if page[:8] != _MAGIC:
                raise FolderError(f"{path} is not a state page of apollo-vllm")
            with memoryview(page) as view, view.cast("Q") as words, view.cast("I") as halves:
                yield descriptor, words, halves
    finally:
        os.close(descriptor)


def _page_path(path: str | os.PathLike[str]) -> Path:
    page = Path(path)
    return page / PAGE_NAME if page.is_dir() else page


def _wait_for_cuda() -> None:
    # Kernels run on after optimizer.step() returned. Whoever never imported torch has none.
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.synchronize()
