"""Several ranks do one thing: all of them or none.

Every rank must come to the same calls in the same order, also the one that failed, or the others would wait for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

# Gives every rank the values of all ranks, in rank order. All must call it.
Exchange = Callable[[Any], list[Any]]


def alone(value: Any) -> list[Any]:
    """The exchange of one rank."""
    return [value]


def across_ranks() -> Exchange:
    """The exchange of this process's vLLM ranks, over their CPU group."""
    import torch.distributed as distributed
    from vllm.distributed import parallel_state

    if not distributed.is_initialized() or distributed.get_world_size() == 1:
        return alone
    group = parallel_state.get_world_group().cpu_group

    def exchange(value: Any) -> list[Any]:
        values: list[Any] = [None] * distributed.get_world_size(group)
        distributed.all_gather_object(values, value, group=group)
        return values

    return exchange


def together(exchange: Exchange, action: Callable[[], T]) -> list[T]:
    """Run an action on every rank; all results, in rank order. Raises on every rank when it failed on one."""
    result: T | None = None
    failure: Exception | None = None
    try:
        result = action()
    except Exception as error:  # told to the others first
        failure = error
    outcomes = exchange((result, None if failure is None else f"{type(failure).__name__}: {failure}"))
    if failure is not None:
        raise failure
    failures = [f"rank {rank}: {text}" for rank, (_, text) in enumerate(outcomes) if text is not None]
    if failures:
        raise RuntimeError("; ".join(failures))
    return [value for value, _ in outcomes]
