"""Moves a CPU model's parameters into one file that other processes map.

Rebinding ``parameter.data`` keeps the Parameter objects, so ties and every reference that layers hold follow. Before the load, when
parameters are memory that nobody has written yet, there is next to nothing to move: the load then writes into the file.
"""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import weakref
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from .handles import file_allocation
from .written import WrittenPages

# Bytes of one write.
_WRITE_BYTES = 64 << 20

# MADV_POPULATE_WRITE: map every page at once, instead of by a fault each while weights are loaded. Linux 5.14.
_POPULATE = 23

# Each storage begins on a page of its own.
_ALIGNMENT = mmap.PAGESIZE


@dataclass(frozen=True)
class Room:
    """Where in the file one storage lies, in bytes. `user` lives as long as the storage does."""

    user: weakref.ref[memoryview]
    position: int
    size: int


@dataclass(frozen=True)
class SharedWeights:
    """The file, its size in bytes, and the address at which this process maps it.

    Keeps the mapping, so that nothing else comes to lie at its addresses and is taken for these weights.
    """

    path: Path
    size: int
    base: int
    descriptor: int
    mapping: mmap.mmap
    rooms: list[Room]

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

    def give_back_unused(self) -> None:
        """Free the room of what nobody has any more: after a load vLLM may tie two weights that are equal."""
        for room in self.rooms:
            if room.user() is None:
                with suppress(OSError):
                    self.mapping.madvise(mmap.MADV_REMOVE, room.position, room.size)

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
        mapping = mmap.mmap(descriptor, size)
        rooms = _rebind(model, mapping, descriptor)
    except BaseException:
        path.unlink(missing_ok=True)
        os.close(descriptor)
        raise
    base = torch.frombuffer(mapping, dtype=torch.uint8).data_ptr()
    return SharedWeights(path, size, base, descriptor, mapping, rooms)


def _rebind(model: torch.nn.Module, mapping: mmap.mmap, descriptor: int) -> list[Room]:
    users: dict[int, list[torch.nn.Parameter]] = {}
    for parameter in model.parameters():
        users.setdefault(parameter.untyped_storage().data_ptr(), []).append(parameter)
    written = WrittenPages()
    rooms: list[Room] = []
    position = 0
    for address in list(_storages(model)):
        parameters = users.pop(address)
        old = parameters[0].untyped_storage()
        size = _aligned(old.nbytes())
        # Room for every page now: without it that is an error here, where a store into the mapping would be SIGBUS.
        os.posix_fallocate(descriptor, position, size)
        for begin, end in written.of(address, old.nbytes()):
            _write(descriptor, address + begin, end - begin, position + begin)
        with suppress(OSError):
            mapping.madvise(_POPULATE, position, size)
        content = memoryview(mapping)[position : position + old.nbytes()]
        rooms.append(Room(weakref.ref(content), position, size))
        _put(parameters, torch.frombuffer(content, dtype=torch.uint8).untyped_storage())
        position += size
    return rooms


def _put(parameters: list[torch.nn.Parameter], storage: torch.UntypedStorage) -> None:
    """Each storage is one of its own: the copy trace tells parameters apart by it."""
    for parameter in parameters:
        view = torch.empty(0, dtype=parameter.dtype, device="cpu")
        parameter.data = view.set_(storage, parameter.storage_offset(), parameter.shape, parameter.stride())


def _storages(model: torch.nn.Module) -> dict[int, torch.UntypedStorage]:
    storages = (parameter.untyped_storage() for parameter in model.parameters() if parameter.numel() and not parameter.is_meta)
    return {storage.data_ptr(): storage for storage in storages}


def _write(descriptor: int, address: int, size: int, position: int) -> None:
    """Copy by write, not by a store into the mapping: no page is mapped for it."""
    content = memoryview((ctypes.c_char * size).from_address(address))
    done = 0
    while done < size:
        done += os.pwrite(descriptor, content[done : done + _WRITE_BYTES], position + done)


def _aligned(size: int) -> int:
    return (size + _ALIGNMENT - 1) // _ALIGNMENT * _ALIGNMENT
