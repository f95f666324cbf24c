"""The proof: right after loading, a live rectangle holds the bytes of the files.

Whatever found the rectangles, a wrong one cannot pass here, and nothing unproven is ever written to the model's files. APOLLO_PROOF says
how much is compared: ``full`` (the default), ``sample`` (one block in 64, the first and the last among them), ``none``.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from contextlib import ExitStack
from math import prod
from pathlib import Path

import torch

from .dtypes import bits, to_torch
from .rectangles import Piece, Rectangle
from .shards import DiskTensor

PROOF_VARIABLE = "APOLLO_PROOF"

# Elements compared at a time: small enough for the cast's copy to stay in the processor's cache.
_BLOCK_ELEMENTS = 256 << 10

# Of a sample, one block in this many.
_SAMPLE_EVERY = 64


def mode() -> str:
    """How much is compared. Raises ValueError when the variable says anything else."""
    value = os.environ.get(PROOF_VARIABLE, "full")
    if value not in ("full", "sample", "none"):
        raise ValueError(f'{PROOF_VARIABLE} is "{value}"; it must be full, sample or none')
    return value


class Prover:
    """Compares live tensors with the files. Use as a context: the files stay mapped until its end."""

    def __init__(self) -> None:
        self.mode = mode()
        self._stack = ExitStack()
        self._mappings: dict[Path, mmap.mmap] = {}

    def __enter__(self) -> Prover:
        return self

    def __exit__(self, *_: object) -> None:
        self._mappings.clear()
        self._stack.close()

    def mismatch(self, live: torch.Tensor, piece: Piece, disk: DiskTensor) -> str | None:
        """None when every element is equal, after the cast from the type on disk; else what is wrong, in a few words."""
        dtype = to_torch(disk.dtype)
        if dtype is None:
            return f"type {disk.dtype} is not known to torch"
        if prod(piece.live.length) != prod(piece.file.length):
            return "the rectangles differ in size"
        if self.mode == "none":
            return None
        on_disk = _slice(self._tensor(disk, dtype), piece.file)
        in_memory = _slice(live, piece.live).reshape(on_disk.shape)
        every = _SAMPLE_EVERY if self.mode == "sample" else 1
        wrong = sum(_differences(a, b) for a, b in zip(_blocks(in_memory, every), _blocks(on_disk, every)))
        return f"{wrong} of {piece.file.elements} elements differ from the file" if wrong else None

    def _tensor(self, disk: DiskTensor, dtype: torch.dtype) -> torch.Tensor:
        mapping = self._mappings.get(disk.path)
        if mapping is None:
            file = self._stack.enter_context(disk.path.open("rb"))
            # Copy on write, because torch wants writable memory; nothing writes to it. Not closed by hand: tensors may still view it.
            mapping = self._mappings[disk.path] = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        return torch.frombuffer(mapping, dtype=dtype, count=prod(disk.shape), offset=disk.begin).view(disk.shape)


def _slice(tensor: torch.Tensor, rectangle: Rectangle) -> torch.Tensor:
    for axis, (start, length) in enumerate(zip(rectangle.start, rectangle.length)):
        tensor = tensor.narrow(axis, start, length)
    return tensor


def _blocks(tensor: torch.Tensor, every: int) -> Iterator[torch.Tensor]:
    """Rows of a tensor, a block at a time; of `every` blocks one, and the last."""
    if tensor.dim() == 0:
        yield tensor
        return
    row = prod(tensor.shape[1:])
    rows = max(1, _BLOCK_ELEMENTS // max(1, row))
    starts = range(0, tensor.shape[0], rows)
    for index, start in enumerate(starts):
        if index % every == 0 or index == len(starts) - 1:
            yield tensor[start : start + rows]


def _differences(live: torch.Tensor, disk: torch.Tensor) -> int:
    # Brought to the device first: the cast is done there, and half as many bytes cross the bus when the disk is narrower.
    a, b = bits(live.contiguous()), bits(disk.to(live.device).to(live.dtype).contiguous())
    return 0 if torch.equal(a, b) else int((a != b).sum())
