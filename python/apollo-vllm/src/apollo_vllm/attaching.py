"""For a trainer in another process: the live tensors under their names on disk.

The tensors are views of the server's own memory. What an optimizer writes into them in place is what the server computes with at its next
request, so bracket every step with `apollo_vllm.step_guard`.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .folder import FolderError
from .published import map_allocation, read_ranks
from .rectangles import Rectangle

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class SpreadTensor:
    """A tensor on disk whose pieces lie on several ranks.

    `pieces`: rectangles of it and the live views that hold them, every copy that computes; a rank's copy that nothing computes with is
    not among them.
    """

    name: str
    shape: tuple[int, ...]
    pieces: tuple[tuple[Rectangle, torch.Tensor], ...]

    def gather(self) -> torch.Tensor:
        """A copy of the whole tensor, from the first rank that holds each piece, where the first piece lies."""
        import torch

        first = self.pieces[0][1]
        whole = torch.empty(self.shape, dtype=first.dtype, device=first.device)
        for rectangle, view in reversed(self.pieces):
            _part(whole, rectangle).copy_(view)
        return whole

    def scatter(self, whole: torch.Tensor) -> None:
        """Write the whole tensor into every piece, on every rank that computes with it. Bracket it with `step_guard`."""
        for rectangle, view in self.pieces:
            view.copy_(_part(whole, rectangle))


def attach(export_dir: str | os.PathLike[str]) -> dict[str, torch.Tensor]:
    """The live tensors of the server that publishes into `export_dir`, by name on disk, in the type in which they are live.

    Tied names are the same tensor. Raises FolderError when the folder holds no handles of a living server, when they are not private to
    this user, or when a tensor is not proven or is not one piece on one rank (see `attach_ranks`).
    """
    attached: dict[str, torch.Tensor] = {}
    for name, spread in attach_ranks(export_dir).items():
        if len(spread.pieces) > 1 or spread.pieces[0][0] != Rectangle.whole(spread.shape):
            raise FolderError(f"{name} lies in {len(spread.pieces)} pieces on the server's ranks; use attach_ranks")
        attached[name] = spread.pieces[0][1]
    return attached


def attach_ranks(export_dir: str | os.PathLike[str]) -> dict[str, SpreadTensor]:
    """As `attach`, of a server of one rank or of many: each tensor's pieces on all ranks."""
    pieces: dict[str, list[tuple[Rectangle, torch.Tensor]]] = {}
    documents = read_ranks(Path(export_dir))
    for document in documents:
        memory = {allocation["id"]: map_allocation(allocation) for allocation in document["allocations"]}
        for tensor in document["tensors"]:
            for part in tensor.get("parts", []):
                if tensor.get("unsupported") or part["proof"] not in ("full", "sample"):
                    raise FolderError(f"{part['hf']} is not proven: {tensor.get('unsupported', 'no proof')}; it cannot be trained in place")
                if not part.get("unused"):
                    row = (Rectangle.from_json(part["file"]), _view(memory[tensor["alloc"]], tensor, part))
                    pieces.setdefault(part["hf"], []).append(row)
    if not pieces:
        refused = next((tensor["unsupported"] for tensor in documents[0]["tensors"] if "unsupported" in tensor), "no tensor has parts")
        raise FolderError(f"the server's weights cannot be attached: {refused}")
    return {name: SpreadTensor(name, _shape(rows), tuple(rows)) for name, rows in pieces.items()}


def _shape(rows: list[tuple[Rectangle, torch.Tensor]]) -> tuple[int, ...]:
    """Pieces tile their tensor, so the farthest end is its end."""
    ends = [[start + length for start, length in zip(rectangle.start, rectangle.length)] for rectangle, _ in rows]
    return tuple(max(axis) for axis in zip(*ends))


def _view(memory: torch.Tensor, tensor: dict[str, Any], part: dict[str, Any]) -> torch.Tensor:
    from .dtypes import to_torch

    dtype = to_torch(tensor["dtype"])
    if dtype is None:
        raise FolderError(f"this torch has no type {tensor['dtype']}")
    count = 1 + sum((size - 1) * stride for size, stride in zip(tensor["shape"], tensor["stride"]))
    begin = tensor["offset"]
    flat = memory[begin : begin + count * dtype.itemsize].view(dtype)
    view = _part(flat.as_strided(tensor["shape"], tensor["stride"]), Rectangle.from_json(part["live"]))
    # An expert, or a convolution's middle axis: an axis of one index that the file does not have.
    return view.view(Rectangle.from_json(part["file"]).length)


def _part(tensor: torch.Tensor, rectangle: Rectangle) -> torch.Tensor:
    for axis, (start, length) in enumerate(zip(rectangle.start, rectangle.length)):
        tensor = tensor.narrow(axis, start, length)
    return tensor
