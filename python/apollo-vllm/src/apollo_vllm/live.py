"""Joins what is live now with what the trace saw, and proves it: the ``tensors`` of a handles file."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from .dtypes import to_safetensors
from .handles import LiveTensor, Part
from .memory import Memory
from .prove import Prover
from .ranks import unused_addresses
from .rectangles import Piece
from .refusals import experts_laid_out_anew
from .shards import Shards
from .trace import Traced

SKIPPED = "skipped by the loader"


@dataclass(frozen=True)
class Survey:
    """What is live, what on disk is not, and which tensors on disk we know nothing certain about (the engine will ask for those)."""

    tensors: list[LiveTensor]
    unmapped_disk: dict[str, str]
    undecided: dict[str, str]

    @property
    def parts(self) -> list[Part]:
        """Every part of every tensor."""
        return [part for tensor in self.tensors for part in tensor.parts]

    @property
    def proven(self) -> int:
        """Tensors on disk of which a part is proven."""
        return len({part.disk_name for tensor in self.tensors if not tensor.unsupported for part in tensor.parts})


def survey(
    model: torch.nn.Module, traced: Traced, shards: Shards, memory: Memory, stage: tuple[int, int] = (0, 1)
) -> Survey:
    """Read names and ties as they are now, after loading: post-processing may have tied or replaced parameters.

    `stage`: this rank's place in the pipeline, and how many stages there are.
    """
    parameters = {name: p for name, p in model.named_parameters(remove_duplicate=False) if p.numel() and not p.is_meta}
    tensors, originals = _describe(parameters, memory)
    pieces = _pieces_by_original(traced, originals)
    with Prover() as prover:
        for name, tensor in tensors.items():
            if tensor.alias_of is None and tensor.alloc is not None:
                _attach_parts(tensor, parameters[name], pieces.get(name, []), traced, shards, prover)
    _say_why_experts_moved(model, tensors)
    unused = unused_addresses(model, *stage)
    for name, tensor in tensors.items():
        for part in tensor.parts:
            part.unused = parameters[name].data_ptr() in unused
    unmapped, undecided = _rest(traced, shards, tensors)
    return Survey(list(tensors.values()), unmapped, undecided)


def _describe(
    parameters: dict[str, torch.nn.Parameter], memory: Memory
) -> tuple[dict[str, LiveTensor], dict[str, str]]:
    """Every name's tensor, and for every name the first name of the same memory."""
    tensors: dict[str, LiveTensor] = {}
    originals: dict[str, str] = {}
    first: dict[tuple[object, ...], str] = {}
    for name, parameter in parameters.items():
        shape, stride = tuple(parameter.shape), parameter.stride()
        place, dtype = memory.place(parameter), to_safetensors(parameter.dtype)
        if place is None or dtype is None:
            why = memory.why_not(parameter) if dtype else f"its type {parameter.dtype} has no name in safetensors files"
            tensors[name] = LiveTensor(name, None, 0, "", shape, stride, unsupported=why)
            continue
        original = first.setdefault((*place, dtype, shape, stride), name)
        originals[name] = original
        tensors[name] = LiveTensor(name, *place, dtype, shape, stride, alias_of=None if original == name else original)
    return tensors, originals


def _pieces_by_original(traced: Traced, originals: dict[str, str]) -> dict[str, list[tuple[str, str, Piece]]]:
    """By live name: (name on disk, live name while loading, piece). Tied names meet at their original."""
    pieces: dict[str, list[tuple[str, str, Piece]]] = {}
    for disk_name, live_name, piece in traced.parts():
        original = originals.get(live_name)
        if original is not None:
            pieces.setdefault(original, []).append((disk_name, live_name, piece))
    return pieces


def _attach_parts(
    tensor: LiveTensor,
    parameter: torch.nn.Parameter,
    pieces: list[tuple[str, str, Piece]],
    traced: Traced,
    shards: Shards,
    prover: Prover,
) -> None:
    wrong: list[str] = []
    for disk_name, live_name, piece in pieces:
        disk = shards.tensors.get(disk_name)
        if disk is None:
            wrong.append(f"{disk_name} is not in the files")
            continue
        if traced.live_shapes[live_name] != tensor.shape:
            mismatch: str | None = "it has another shape than while loading"
        else:
            mismatch = prover.mismatch(parameter.detach(), piece, disk)
        tensor.parts.append(Part(disk_name, piece.live, piece.file, "none" if mismatch else prover.mode))
        if mismatch:
            wrong.append(f"{disk_name}: {mismatch}")
    if pieces or tensor.name not in traced.empty:
        tensor.unsupported = _why_unsupported(wrong, pieces, traced)


def _why_unsupported(wrong: list[str], pieces: list[tuple[str, str, Piece]], traced: Traced) -> str | None:
    """Without parts, and where values were computed, a reader that goes by names alone must not take the tensor either."""
    if wrong:
        more = f"; and {len(wrong) - 3} more" if len(wrong) > 3 else ""
        return "not what the files hold right after loading: " + "; ".join(wrong[:3]) + more
    if not pieces:
        return "no tensor of the files was copied into it as it is"
    if any(live_name in traced.computed for _, live_name, _ in pieces):
        return "some of its values were computed while loading"
    return None


def _say_why_experts_moved(model: torch.nn.Module, tensors: dict[str, LiveTensor]) -> None:
    for prefix, module in model.named_modules():
        reason = experts_laid_out_anew(module)
        for name, _ in module.named_parameters(prefix) if reason else ():
            tensor = tensors.get(name)
            if tensor is not None and tensor.unsupported is not None:
                tensor.unsupported = f"{reason} ({tensor.unsupported})"


def _rest(traced: Traced, shards: Shards, tensors: dict[str, LiveTensor]) -> tuple[dict[str, str], dict[str, str]]:
    mapped = {part.disk_name for tensor in tensors.values() for part in tensor.parts}
    unmapped: dict[str, str] = {}
    undecided: dict[str, str] = {}
    for name in shards.tensors.keys() - mapped:
        if name not in traced.seen:
            undecided[name] = "never read by the loader"
        elif name in traced.used or any(disk_name == name for disk_name, _ in traced.pieces):
            undecided[name] = "its values were changed while loading, so no live rectangle holds them as they are on disk"
        else:
            unmapped[name] = SKIPPED
    return unmapped, undecided
