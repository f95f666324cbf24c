"""What the model's safetensors files say: their headers, and which bytes are which tensor."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Iterable

# The longest header that is read, bytes; the safetensors format's own limit.
_MAX_HEADER = 100_000_000


@dataclass(frozen=True)
class DiskTensor:
    """A tensor on disk. `begin` and `end` are bytes from the start of the file."""

    name: str
    path: Path
    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


@dataclass(frozen=True)
class Shards:
    """All tensors of a model's files, by name, and each file's header digest, by file name."""

    tensors: dict[str, DiskTensor]
    header_sha256: dict[str, str]


def read_shards(paths: Iterable[Path]) -> Shards:
    """Read the headers of these files."""
    tensors: dict[str, DiskTensor] = {}
    digests: dict[str, str] = {}
    for path in sorted(paths):
        header = _read_header(path)
        digests[path.name] = hashlib.sha256(header).hexdigest()
        data_begin = 8 + len(header)
        for name, entry in json.loads(header).items():
            if name != "__metadata__":
                begin, end = entry["data_offsets"]
                tensors[name] = DiskTensor(name, path, entry["dtype"], tuple(entry["shape"]), data_begin + begin, data_begin + end)
    return Shards(tensors, digests)


def _read_header(path: Path) -> bytes:
    """The header's JSON, without the 8 bytes that give its length."""
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > _MAX_HEADER:
            raise ValueError(f"{path}: a header of {length} bytes")
        header = file.read(length)
    if len(header) != length:
        raise ValueError(f"{path}: ends inside its header")
    return header
