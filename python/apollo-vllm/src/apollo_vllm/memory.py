"""Where a model's weights lie, in the words of a handles file: allocations, and bytes from an allocation's start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch


class Memory(Protocol):
    """The memory that a rank publishes."""

    @property
    def allocator(self) -> str:
        """What made it: "file" or "cudaMalloc"."""

    def place(self, tensor: torch.Tensor) -> tuple[int, int] | None:
        """Allocation id and bytes from its start to the tensor's first element; None when readers cannot reach it."""

    def why_not(self, tensor: torch.Tensor) -> str:
        """Why `place` gave None."""

    def allocations(self) -> list[dict[str, Any]]:
        """The ``allocations`` of the handles file."""
