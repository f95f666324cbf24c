"""The copy trace: which rectangle of which tensor on disk was copied where, seen while vLLM's own loader runs.

No naming rules. Every copy into a live parameter passes here; its source is recognised by its address, because the loader reads each
tensor of the files through us. What is found this way is proven against the files afterwards (see `prove`).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Iterable, Iterator

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from .rectangles import Piece, merged, rectangle_of_view

# What a loader does to memory that no tensor on disk fills.
_FILLS = (torch.ops.aten.fill_.Scalar, torch.ops.aten.fill_.Tensor, torch.ops.aten.zero_.default)


@dataclass(frozen=True)
class _Source:
    """A tensor of the files that the loader was given, held so that its address stays its own."""

    name: str
    tensor: torch.Tensor
    begin: int
    end: int


@dataclass(frozen=True)
class _Live:
    name: str
    shape: tuple[int, ...]
    base_offset: int


@dataclass
class Traced:
    """What a load did.

    `pieces`: by (name on disk, live name). `seen`: every name that the files gave. `used`: names whose values went into some
    computation. A name that was seen, never copied and never used was skipped by the loader. `computed`: live names that got values
    which are no plain copy of anything on disk. `empty`: live names of which this rank's share of a
    tensor on disk is no element at all.
    """

    pieces: dict[tuple[str, str], list[Piece]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    used: set[str] = field(default_factory=set)
    computed: set[str] = field(default_factory=set)
    empty: set[str] = field(default_factory=set)
    live_shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)

    def parts(self) -> Iterator[tuple[str, str, Piece]]:
        """All copies as (name on disk, live name, piece), neighbours joined."""
        for (disk_name, live_name), pieces in self.pieces.items():
            for piece in merged(pieces):
                yield disk_name, live_name, piece


class CopyTrace(TorchDispatchMode):
    """Records the copies of one load. Call `watch`, then load inside ``with trace:``, naming each tensor by `source` before its use.

    `hold` is how many tensors of the files are kept alive: None for all, right for mapped files, where that costs no memory.
    """

    def __init__(self, hold: int | None = None) -> None:
        super().__init__()
        self.traced = Traced()
        self._live: dict[int, _Live] = {}
        self._sources: dict[int, list[_Source]] = {}
        self._held: deque[_Source] = deque()
        self._hold = hold

    def watch(self, model: torch.nn.Module) -> None:
        """Note where every parameter lies. Tied names count once, under their first name."""
        for name, parameter in model.named_parameters(remove_duplicate=True):
            if parameter.numel() == 0 or parameter.is_meta or not parameter.is_contiguous():
                continue
            live = _Live(name, tuple(parameter.shape), parameter.storage_offset())
            self._live[_address(parameter)] = live
            self.traced.live_shapes[name] = live.shape

    def source(self, name: str, tensor: torch.Tensor) -> None:
        """Note a tensor of the files before the loader gets it."""
        begin = tensor.data_ptr()
        source = _Source(name, tensor, begin, begin + tensor.numel() * tensor.element_size())
        # An older tensor at the same address has been freed since.
        others = [other for other in self._sources.get(_address(tensor), []) if other.end <= begin or source.end <= other.begin]
        self._sources[_address(tensor)] = [*others, source]
        self._held.append(source)
        if self._hold is not None and len(self._held) > self._hold:
            self._forget(self._held.popleft())
        self.traced.seen.add(name)

    def release(self) -> None:
        """Let go of the tensors of the files."""
        self._sources.clear()
        self._held.clear()

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None) -> Any:
        result = func(*args, **(kwargs or {}))
        if func is torch.ops.aten.copy_.default:
            self._copied(args[0], args[1])
        elif not _is_view(func):
            self._mark_used(args)
            if func._schema.is_mutable and func not in _FILLS and isinstance(args[0], torch.Tensor):
                self._mark_computed(args[0])
        return result

    def _copied(self, destination: torch.Tensor, source_view: torch.Tensor) -> None:
        live = self._live_of(destination)
        if destination.numel() == 0:
            if live is not None:
                self.traced.empty.add(live.name)
            return
        source = self._find(source_view)
        piece = None if live is None or source is None else _piece(destination, live, source_view, source)
        if live is not None and source is not None and piece is not None:
            self.traced.pieces.setdefault((source.name, live.name), []).append(piece)
            return
        if source is not None:
            self.traced.used.add(source.name)
        # One number spread over a tensor is a fill, such as vocabulary padding.
        if source_view.numel() > 1:
            self._mark_computed(destination)

    def _mark_computed(self, destination: torch.Tensor) -> None:
        live = self._live_of(destination)
        if live is not None:
            self.traced.computed.add(live.name)

    def _mark_used(self, args: Iterable[Any]) -> None:
        for argument in args:
            if isinstance(argument, torch.Tensor):
                source = self._find(argument)
                if source is not None:
                    self.traced.used.add(source.name)
            elif isinstance(argument, (list, tuple)):
                self._mark_used(argument)

    def _live_of(self, tensor: torch.Tensor) -> _Live | None:
        return None if tensor.is_meta or tensor.layout != torch.strided else self._live.get(_address(tensor))

    def _find(self, view: torch.Tensor) -> _Source | None:
        if view.is_meta or view.layout != torch.strided:
            return None
        address = view.data_ptr()
        for source in self._sources.get(_address(view), []):
            if source.begin <= address < source.end:
                return source
        return None

    def _forget(self, source: _Source) -> None:
        key = _address(source.tensor)
        self._sources[key] = [other for other in self._sources.get(key, []) if other is not source]


def _address(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _is_view(func: Any) -> bool:
    """Whether an operation only looks at memory in another way: its result is an alias and nothing is written."""
    schema = func._schema
    return not schema.is_mutable and any(value.alias_info is not None for value in schema.returns)


def _piece(destination: torch.Tensor, live: _Live, view: torch.Tensor, source: _Source) -> Piece | None:
    if view.dtype != source.tensor.dtype or view.shape != destination.shape:
        return None
    live_rectangle = rectangle_of_view(
        destination.storage_offset() - live.base_offset, destination.shape, destination.stride(), live.shape
    )
    offset = (view.data_ptr() - source.begin) // view.element_size()
    file_rectangle = rectangle_of_view(offset, view.shape, view.stride(), source.tensor.shape)
    if live_rectangle is None or file_rectangle is None or live_rectangle.extents != file_rectangle.extents:
        return None
    return Piece(live_rectangle, file_rectangle)
