"""Handles files, version 2: ``weights.rank<r>.json`` for each rank and ``index.json`` that lists them.

The format is described in docs/format-handles.md. Offsets and sizes of allocations are bytes; shapes, strides and rectangles elements.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .folder import write_atomically
from .rectangles import Rectangle

FORMAT = "apollo-handles"
INDEX_FORMAT = "apollo-handles-index"
VERSION = 2
INDEX_NAME = "index.json"


@dataclass
class Part:
    """A rectangle of a live tensor that is a rectangle of a tensor on disk.

    `proof` is "full", "sample" or "none". `unused`: nothing computes with this copy. `replica_of`: the rank whose copy is saved.
    """

    disk_name: str
    live: Rectangle
    file: Rectangle
    proof: str
    unused: bool = False
    replica_of: int | None = None

    def to_json(self) -> dict[str, Any]:
        """As the file spells it."""
        entry: dict[str, Any] = {"hf": self.disk_name, "live": self.live.to_json(), "file": self.file.to_json(), "proof": self.proof}
        if self.unused:
            entry["unused"] = True
        if self.replica_of is not None:
            entry["replica_of"] = {"rank": self.replica_of}
        return entry


@dataclass
class LiveTensor:
    """A live tensor. `offset`: bytes from the start of its allocation, which is None where readers cannot reach the memory.
    `alias_of`: the other name of the same memory."""

    name: str
    alloc: int | None
    offset: int
    dtype: str
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    parts: list[Part] = field(default_factory=list)
    alias_of: str | None = None
    unsupported: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As the file spells it. An alias has no parts of its own: they are its original's."""
        if self.alloc is None:
            return {"name": self.name, "unsupported": self.unsupported}
        entry: dict[str, Any] = {
            "name": self.name,
            "alloc": self.alloc,
            "offset": self.offset,
            "dtype": self.dtype,
            "shape": list(self.shape),
            "stride": list(self.stride),
            "parts": [part.to_json() for part in self.parts],
        }
        if self.alias_of is not None:
            entry["alias_of"] = self.alias_of
        if self.unsupported is not None:
            entry["unsupported"] = self.unsupported
        return entry


@dataclass
class Handles:
    """One rank's handles file."""

    rank: int
    generation: int
    producer: dict[str, Any]
    model: dict[str, Any]
    parallel: dict[str, Any]
    state_path: str
    allocator: str
    allocations: list[dict[str, Any]]
    tensors: list[LiveTensor]
    unmapped_disk: dict[str, str]

    def to_json(self) -> dict[str, Any]:
        """As the file spells it."""
        return {
            "format": FORMAT,
            "version": VERSION,
            "generation": self.generation,
            "created_ns": time.time_ns(),
            "producer": self.producer,
            "model": self.model,
            "parallel": self.parallel,
            "memory": {"allocator": self.allocator},
            "state": {"path": self.state_path, "protocol": "flock+seqlock"},
            "allocations": self.allocations,
            "tensors": [tensor.to_json() for tensor in self.tensors],
            "unmapped_disk": [{"hf": name, "why": why} for name, why in sorted(self.unmapped_disk.items())],
        }


def rank_file_name(rank: int) -> str:
    """The name of a rank's handles file."""
    return f"weights.rank{rank}.json"


def file_allocation(path: Path, size: int) -> dict[str, Any]:
    """An allocation that is a file which readers map."""
    return {"id": 0, "kind": "file", "path": str(path), "file_offset": 0, "size": size}


def write(folder: Path, handles: Handles) -> None:
    """Write a rank's handles. Readers see them once `write_index` names them."""
    write_atomically(folder / rank_file_name(handles.rank), _encode(handles.to_json()))


def write_index(folder: Path, world: int) -> None:
    """Publish: name the files of all ranks, which must be there."""
    ranks = [rank_file_name(rank) for rank in range(world)]
    write_atomically(folder / INDEX_NAME, _encode({"format": INDEX_FORMAT, "version": VERSION, "ranks": ranks}))


def _encode(value: dict[str, Any]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()
