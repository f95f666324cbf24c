"""Rectangles of tensors, in elements: the words in which the hook says what lies where.

Pure Python, no torch: a copied view is described by its offset, sizes and strides.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Sequence


@dataclass(frozen=True)
class Rectangle:
    """A rectangle inside a tensor: first index and number of indices, one pair a dimension."""

    start: tuple[int, ...]
    length: tuple[int, ...]

    @property
    def elements(self) -> int:
        """How many elements it holds."""
        return prod(self.length)

    @property
    def extents(self) -> tuple[int, ...]:
        """Its lengths without the ones: two rectangles with equal extents can be copied index by index."""
        return tuple(size for size in self.length if size != 1)

    @staticmethod
    def whole(shape: Sequence[int]) -> Rectangle:
        """All of a tensor."""
        return Rectangle((0,) * len(shape), tuple(shape))

    def to_json(self) -> dict[str, list[int]]:
        """As handles files spell it."""
        return {"start": list(self.start), "length": list(self.length)}

    @staticmethod
    def from_json(value: dict[str, list[int]]) -> Rectangle:
        """Reads what `to_json` wrote."""
        return Rectangle(tuple(value["start"]), tuple(value["length"]))


@dataclass(frozen=True)
class Piece:
    """One rectangle of a live tensor and the rectangle of a tensor on disk that was copied into it."""

    live: Rectangle
    file: Rectangle


def contiguous_strides(shape: Sequence[int]) -> tuple[int, ...]:
    """Row-major strides, in elements."""
    strides = [1] * len(shape)
    for axis in range(len(shape) - 2, -1, -1):
        strides[axis] = strides[axis + 1] * shape[axis + 1]
    return tuple(strides)


def rectangle_of_view(offset: int, sizes: Sequence[int], strides: Sequence[int], shape: Sequence[int]) -> Rectangle | None:
    """The rectangle of a row-major tensor of `shape` that a view covers, or None when it covers none in row-major order.

    `offset` counts elements from the tensor's first. Views that were flattened or split on the way (a merged axis, an expert's
    slice) are recognised: only the memory that they walk over counts.
    """
    if prod(sizes) == 0 or offset < 0 or offset >= prod(shape):
        return None
    start = _unravel(offset, shape)
    length = [1] * len(shape)
    axis = len(shape) - 1
    full = contiguous_strides(shape)
    for size, stride in reversed(_runs(sizes, strides)):
        while size > 1:
            # Outwards to the axis that this run steps along; a run that steps along none is not a rectangle.
            while axis >= 0 and (full[axis] != stride or shape[axis] == 1):
                axis -= 1
            if axis < 0:
                return None
            taken = min(size, shape[axis])
            if size % taken != 0 or start[axis] + taken > shape[axis]:
                return None
            length[axis] = taken
            size //= taken
            stride *= shape[axis]
            axis -= 1
    return Rectangle(start, tuple(length))


def merged(pieces: Sequence[Piece]) -> list[Piece]:
    """The same pieces with neighbours joined, in the order of the file.

    A loader may copy one tensor in several parts (q, k and v of a tensor that is fused on disk); where they are neighbours on both
    sides they are one rectangle.
    """
    result = sorted(set(pieces), key=lambda piece: (piece.file.start, piece.live.start))
    index = 0
    while index + 1 < len(result):
        joined = _joined(result[index], result[index + 1])
        if joined is None:
            index += 1
        else:
            result[index : index + 2] = [joined]
            index = max(0, index - 1)
    return result


def _joined(first: Piece, second: Piece) -> Piece | None:
    live, file = _union(first.live, second.live), _union(first.file, second.file)
    if live is None or file is None or live.extents != file.extents:
        return None
    return Piece(live, file)


def _union(first: Rectangle, second: Rectangle) -> Rectangle | None:
    """Both as one rectangle, when the second begins where the first ends along exactly one axis."""
    apart = [axis for axis, (a, b) in enumerate(zip(first.start, second.start)) if a != b]
    if len(apart) != 1:
        return None
    axis = apart[0]
    same = all(a == b for i, (a, b) in enumerate(zip(first.length, second.length)) if i != axis)
    if not same or first.start[axis] + first.length[axis] != second.start[axis]:
        return None
    length = list(first.length)
    length[axis] += second.length[axis]
    return Rectangle(first.start, tuple(length))


def _unravel(offset: int, shape: Sequence[int]) -> tuple[int, ...]:
    index: list[int] = []
    for size in reversed(shape):
        index.append(offset % size)
        offset //= size
    return tuple(reversed(index))


def _runs(sizes: Sequence[int], strides: Sequence[int]) -> list[tuple[int, int]]:
    """The view's axes as (size, stride), outermost first, with axes that continue each other joined and ones dropped."""
    runs: list[tuple[int, int]] = []
    for size, stride in zip(sizes, strides):
        if size == 1:
            continue
        if runs and runs[-1][1] == size * stride:
            runs[-1] = (runs[-1][0] * size, stride)
        else:
            runs.append((size, stride))
    return runs
