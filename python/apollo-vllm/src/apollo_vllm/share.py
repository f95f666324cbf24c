"""Moves a CPU model's parameters into one file that other processes map.

Rebinding ``parameter.data`` keeps the Parameter objects, so ties and every reference that layers hold follow.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from .handles import file_allocation

# Bytes of one write.
_WRITE_BYTES = 64 << 20

# Each storage begins on a page of its own.
_ALIGNMENT = 4096


@dataclass(frozen=True)
class SharedWeights:
    """The file, its size in bytes, and the address at which this process maps it."""

    path: Path
    size: int
    base: int
    descriptor: int

    allocator = "file"

    def place(self, tensor: torch.Tensor) -> tuple[int, int] | None:
        """See `memory.Memory`."""
        offset = tensor.data_ptr() - self.base
        return (0, offset) if 0 <= offset < self.size else None

    def why_not(self, tensor: torch.Tensor) -> str:
        """See `memory.Memory`."""
        return f"it lies on {tensor.device}, outside the shared memory"

    def allocations(self) -> list[dict[str, Any]]:
        """See `memory.Memory`."""
        return [file_allocation(self.path, self.size)]

    def holds(self, model: torch.nn.Module) -> bool:
        """Whether every parameter still lies here: a reload may have put new ones in their places."""
        return all(self.place(p) is not None for p in model.parameters() if p.numel() and not p.is_meta)

    def remove(self) -> None:
        """Unlink the file; who has it mapped keeps its memory."""
        self.path.unlink(missing_ok=True)
        os.close(self.descriptor)


def size_of(model: torch.nn.Module) -> int:
    """Bytes that `move` will need."""
    return sum(_aligned(storage.nbytes()) for storage in _storages(model).values())


def move(model: torch.nn.Module, path: Path) -> SharedWeights:
    """Move every parameter. Storage by storage, so that the model is never in memory twice."""
    size = size_of(model)
    # Kept open and locked: the lock tells a later server that this file's owner lives.
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.ftruncate(descriptor, size)
        shared = torch.UntypedStorage.from_file(str(path), shared=True, nbytes=size)
        _rebind(model, shared, descriptor)
    except BaseException:
        path.unlink(missing_ok=True)
        os.close(descriptor)
        raise
    return SharedWeights(path, size, shared.data_ptr(), descriptor)


def _rebind(model: torch.nn.Module, shared: torch.UntypedStorage, descriptor: int) -> None:
    users: dict[int, list[torch.nn.Parameter]] = {}
    for parameter in model.parameters():
        users.setdefault(parameter.untyped_storage().data_ptr(), []).append(parameter)
    position = 0
    for address in list(_storages(model)):
        parameters = users.pop(address)
        old = parameters[0].untyped_storage()
        _write(descriptor, old, position)
        for parameter in parameters:
            offset = position // parameter.element_size() + parameter.storage_offset()
            view = torch.empty(0, dtype=parameter.dtype)
            parameter.data = view.set_(shared, offset, parameter.shape, parameter.stride())
        position += _aligned(old.nbytes())


def _storages(model: torch.nn.Module) -> dict[int, torch.UntypedStorage]:
    storages = (parameter.untyped_storage() for parameter in model.parameters() if parameter.numel() and not parameter.is_meta)
    return {storage.data_ptr(): storage for storage in storages}


def _write(descriptor: int, storage: torch.UntypedStorage, position: int) -> None:
    """Copy by write, not by a store into the mapping: without room that is an error here, where a store would be SIGBUS, and it makes no
    page twice."""
    content = memoryview((ctypes.c_char * storage.nbytes()).from_address(storage.data_ptr()))
    done = 0
    while done < len(content):
        done += os.pwrite(descriptor, content[done : done + _WRITE_BYTES], position + done)


def _aligned(size: int) -> int:
    return (size + _ALIGNMENT - 1) // _ALIGNMENT * _ALIGNMENT
