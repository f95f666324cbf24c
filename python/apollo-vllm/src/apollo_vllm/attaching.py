"""For a trainer in another process: the live tensors under their names on disk.

The tensors are views of the server's own memory. What an optimizer writes into them in place is what the server computes with at its next
request, so bracket every step with `apollo_vllm.step_guard`.
"""

from __future__ import annotations

import json
import mmap
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import handles, producer
from .folder import FolderError, require_private_file
from .rectangles import Rectangle

if TYPE_CHECKING:
    import torch


def attach(export_dir: str | os.PathLike[str]) -> dict[str, torch.Tensor]:
    """The live tensors of the server that publishes into `export_dir`, by name on disk, in the type in which they are live.

    Tied names are the same tensor. Raises FolderError when the folder holds no handles of a living server, when they are not private to
    this user, or when a tensor is spread over several ranks or is not proven.
    """
    folder = Path(export_dir)
    attached: dict[str, torch.Tensor] = {}
    for rank_file in _read(folder / handles.INDEX_NAME, handles.INDEX_FORMAT)["ranks"]:
        document = _read(folder / rank_file, handles.FORMAT)
        _require_alive(document["producer"], folder)
        memory = {allocation["id"]: _map(allocation) for allocation in document["allocations"]}
        for tensor in document["tensors"]:
            for part in tensor["parts"]:
                if part["hf"] in attached or part["proof"] != "full" or tensor.get("unsupported"):
                    raise FolderError(f"{part['hf']} is not one proven rectangle of one live tensor and cannot be trained in place")
                attached[part["hf"]] = _view(memory[tensor["alloc"]], tensor, part)
    return attached


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


def _map(allocation: dict[str, Any]) -> mmap.mmap:
    if allocation["kind"] != "file":
        raise FolderError(f"allocations of kind {allocation['kind']} cannot be attached on the CPU")
    path = Path(allocation["path"])
    require_private_file(path)
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        # The views below keep the mapping alive.
        return mmap.mmap(descriptor, allocation["size"], offset=allocation["file_offset"])
    finally:
        os.close(descriptor)


def _view(memory: mmap.mmap, tensor: dict[str, Any], part: dict[str, Any]) -> torch.Tensor:
    import torch

    from .dtypes import to_torch

    dtype = to_torch(tensor["dtype"])
    if dtype is None:
        raise FolderError(f"this torch has no type {tensor['dtype']}")
    count = 1 + sum((size - 1) * stride for size, stride in zip(tensor["shape"], tensor["stride"]))
    flat = torch.frombuffer(memory, dtype=dtype, count=count, offset=tensor["offset"])
    view = flat.as_strided(tensor["shape"], tensor["stride"])
    live, file = Rectangle.from_json(part["live"]), Rectangle.from_json(part["file"])
    for axis, (start, length) in enumerate(zip(live.start, live.length)):
        view = view.narrow(axis, start, length)
    # An expert, or a convolution's middle axis: an axis of one index that the file does not have.
    return view.view(file.length)
