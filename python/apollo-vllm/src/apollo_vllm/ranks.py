"""Copies of one tensor: on one rank that nothing computes with, and on several ranks that all do.

A pipeline's stages hold more than they use. A trainer that follows gradients leaves such a copy as it was loaded, so a reader that took
it would save old values. Which copies these are was found by changing each and asking the server again (vLLM 0.32).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from .handles import Part

# A rectangle on disk: name, start, length.
Claim = tuple[str, tuple[int, ...], tuple[int, ...]]


def unused_addresses(model: torch.nn.Module, stage: int, stages: int) -> set[int]:
    """Addresses of parameters that this rank holds and never computes with.

    `stage` of `stages`: its place in the pipeline. Embeddings and vision towers compute on the first stage, final norms and heads on the
    last, tied ones on both; a bias of a layer that is cut by columns is added by the first of its tensor-parallel ranks only.
    """
    last = stages - 1
    computing: dict[int, set[int]] = {}
    unused: set[int] = set()
    for module, stage_of in _staged_modules(model, last):
        for parameter in module.parameters(recurse=True):
            computing.setdefault(parameter.data_ptr(), set()).add(stage_of)
    unused.update(address for address, used_on in computing.items() if stage not in used_on)
    for module in model.modules():
        bias = getattr(module, "bias", None)
        if _is_a(module, "RowParallelLinear") and module.tp_rank > 0 and bias is not None:
            unused.add(bias.data_ptr())
    return unused


def claims(parts: Iterable[Part]) -> list[Claim]:
    """What these parts say they hold, without those that nothing computes with."""
    return [_claim(part) for part in parts if not part.unused]


def mark_replicas(parts: Iterable[Part], rank: int, claims_of_ranks: list[list[Claim]]) -> None:
    """Say of each part which lower rank holds the same rectangle; of one that is unused here, which rank computes with it."""
    first: dict[Claim, int] = {}
    for owner, rank_claims in enumerate(claims_of_ranks):
        for claim in rank_claims:
            first.setdefault(claim, owner)
    for part in parts:
        owner_of_part = first.get(_claim(part))
        if owner_of_part is not None and owner_of_part != rank:
            part.replica_of = owner_of_part


def _claim(part: Part) -> Claim:
    return part.disk_name, part.file.start, part.file.length


def _staged_modules(model: torch.nn.Module, last: int) -> Iterator[tuple[torch.nn.Module, int]]:
    """Modules that compute on the first or on the last stage only."""
    has_head = any(_is_a(module, "ParallelLMHead") for module in model.modules())
    for module in model.modules():
        if _is_a(module, "ParallelLMHead"):
            yield module, last
        elif _is_a(module, "VocabParallelEmbedding"):
            yield module, 0
            if not has_head:
                # The embedding itself is the head.
                yield module, last
        elif hasattr(module, "start_layer") and hasattr(module, "end_layer"):
            yield from ((child, last) for child in module.children() if type(child).__name__.endswith("Norm"))
    language = _language_model(model)
    if language is not None:
        inside = {id(module) for module in language.modules()}
        yield from ((module, 0) for module in _outside(model, inside))


def _language_model(model: Any) -> torch.nn.Module | None:
    find = getattr(model, "get_language_model", None)
    if find is None:
        return None
    language: torch.nn.Module = find()
    return None if language is model else language


def _outside(model: torch.nn.Module, inside: set[int]) -> Iterator[torch.nn.Module]:
    """The largest modules that hold nothing of the language model."""
    for child in model.children():
        if id(child) in inside or _is_a(child, "ParallelLMHead"):
            continue
        if any(id(module) in inside for module in child.modules()):
            yield from _outside(child, inside)
        else:
            yield child


def _is_a(module: object, class_name: str) -> bool:
    """By name: vLLM is not imported here, and it moves its classes."""
    return any(base.__name__ == class_name for base in type(module).__mro__)
