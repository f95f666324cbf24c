"""The reading side: the handles of a living server, and its memory as torch tensors, for a trainer in another process."""

from __future__ import annotations

import base64
import json
import mmap
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import handles, producer
from .folder import FolderError, require_private_file

if TYPE_CHECKING:
    import torch


def read_ranks(folder: Path) -> list[dict[str, Any]]:
    """Every rank's document. Raises FolderError when there is none, it is not private, or its server is gone."""
    documents = [_read(folder / name, handles.FORMAT) for name in _read(folder / handles.INDEX_NAME, handles.INDEX_FORMAT)["ranks"]]
    for document in documents:
        _require_alive(document["producer"], folder)
    return documents


def map_allocation(allocation: dict[str, Any]) -> torch.Tensor:
    """An allocation as bytes, writable; the mapping lives as long as any view of it."""
    if allocation["kind"] == "file":
        return _map_file(Path(allocation["path"]), allocation["file_offset"], allocation["size"])
    if allocation["kind"] == "cuda-ipc":
        from .cuda_import import open_handle

        return open_handle(base64.b64decode(allocation["handle"]), allocation["device_uuid"], allocation["size"])
    raise FolderError(f"memory of kind {allocation['kind']} cannot be attached by this version")


def _read(path: Path, expected: str) -> Any:
    require_private_file(path)
    document = json.loads(path.read_bytes())
    if document.get("format") != expected or document.get("version") != handles.VERSION:
        raise FolderError(f"{path} is no {expected} of version {handles.VERSION}")
    return document


def _require_alive(writer: dict[str, Any], folder: Path) -> None:
    same_view = writer["boot_id"] == producer.boot_id() and writer["pid_ns"] == producer.pid_namespace()
    if same_view and producer.start_ticks(writer["pid"]) != writer["pid_start"]:
        raise FolderError(f"the server (pid {writer['pid']}) that published into {folder} is gone")


def _map_file(path: Path, offset: int, size: int) -> torch.Tensor:
    import torch

    require_private_file(path)
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        # The tensor keeps the mapping alive.
        return torch.frombuffer(mmap.mmap(descriptor, size, offset=offset), dtype=torch.uint8)
    finally:
        os.close(descriptor)
