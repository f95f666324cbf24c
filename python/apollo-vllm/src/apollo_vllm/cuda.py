"""CUDA: raw IPC handles of the allocations that hold the weights, asked of the driver alone.

torch's own export (``reduce_tensor``) is left alone on purpose: it counts readers, and a reader that opens one export twice makes torch
free memory that others still map. A raw handle is a name for a whole ``cudaMalloc`` allocation and may be opened any number of times.

NOT YET RUN ON A GPU: written from the driver's documentation and PyTorch's sources, tested with a driver that is a Python object.
"""

from __future__ import annotations

import base64
import ctypes
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    import torch

# CUpointer_attribute (cuda.h).
_BUFFER_ID, _DEVICE_ORDINAL, _LEGACY_IPC_CAPABLE, _RANGE_START, _RANGE_SIZE = 7, 9, 10, 11, 12

_HANDLE_BYTES = 64

_SETTINGS = ("PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF", "PYTORCH_HIP_ALLOC_CONF")


class CudaError(Exception):
    """A call of the driver failed."""


@dataclass(frozen=True)
class Block:
    """An allocation of the driver: address of its first byte, bytes, and the driver's number for it, which is never used again."""

    base: int
    size: int
    buffer_id: int


class Driver(Protocol):
    """What is asked of the CUDA driver, by device address. All raise CudaError."""

    def block_of(self, address: int) -> Block: ...
    def is_exportable(self, address: int) -> bool: ...
    def handle_of(self, base: int) -> bytes: ...
    def device_uuid(self, address: int) -> str: ...


class CudaDriver:
    """The driver's own library; this process's current context is torch's."""

    def __init__(self, library: str = "libcuda.so.1") -> None:
        self._library = ctypes.CDLL(library)

    def block_of(self, address: int) -> Block:
        """The allocation that an address lies in."""
        base = self._attribute(_RANGE_START, address, ctypes.c_uint64)
        size = self._attribute(_RANGE_SIZE, address, ctypes.c_size_t)
        return Block(base, size, self._attribute(_BUFFER_ID, address, ctypes.c_ulonglong))

    def is_exportable(self, address: int) -> bool:
        """Whether legacy IPC can name it: cudaMalloc memory yes, virtual memory (sleep mode, expandable segments) no."""
        return self._attribute(_LEGACY_IPC_CAPABLE, address, ctypes.c_int) != 0

    def handle_of(self, base: int) -> bytes:
        """The IPC handle of the allocation that begins there."""
        handle = ctypes.create_string_buffer(_HANDLE_BYTES)
        self._call("cuIpcGetMemHandle", handle, ctypes.c_uint64(base))
        return handle.raw

    def device_uuid(self, address: int) -> str:
        """The device that holds an address, as NVIDIA's tools spell it."""
        device = ctypes.c_int()
        self._call("cuDeviceGet", ctypes.byref(device), self._attribute(_DEVICE_ORDINAL, address, ctypes.c_int))
        raw = ctypes.create_string_buffer(16)
        self._call("cuDeviceGetUuid_v2", raw, device)
        text = raw.raw.hex()
        return "GPU-" + "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))

    def _attribute(self, attribute: int, address: int, kind: Any) -> int:
        value = kind()
        self._call("cuPointerGetAttribute", ctypes.byref(value), attribute, ctypes.c_uint64(address))
        return int(value.value)

    def _call(self, name: str, *arguments: Any) -> None:
        code = getattr(self._library, name)(*arguments)
        if code != 0:
            raise CudaError(f"{name} failed with CUDA error {code}")


class CudaMemory:
    """The allocations that a model's parameters lie in, each named once."""

    allocator = "cudaMalloc"

    def __init__(self, model: torch.nn.Module, driver: Driver | None = None) -> None:
        self._driver = driver or CudaDriver()
        self._ids: dict[int, int] = {}
        self._allocations: list[dict[str, Any]] = []
        for parameter in model.parameters():
            if parameter.numel() and parameter.is_cuda:
                self._note(parameter.data_ptr())

    def place(self, tensor: torch.Tensor) -> tuple[int, int] | None:
        """See `memory.Memory`."""
        if not tensor.is_cuda:
            return None
        base = self._driver.block_of(tensor.data_ptr()).base
        allocation = self._ids.get(base)
        return None if allocation is None else (allocation, tensor.data_ptr() - base)

    def why_not(self, tensor: torch.Tensor) -> str:
        """See `memory.Memory`."""
        if not tensor.is_cuda:
            return f"it lies on {tensor.device}, not on the GPU (offloaded)"
        return f"its memory cannot be shared by CUDA IPC: {why_not_exportable()}"

    def allocations(self) -> list[dict[str, Any]]:
        """See `memory.Memory`."""
        return list(self._allocations)

    def _note(self, address: int) -> None:
        block = self._driver.block_of(address)
        if block.base in self._ids or not self._driver.is_exportable(address):
            return
        self._ids[block.base] = len(self._allocations)
        self._allocations.append(
            {
                "id": len(self._allocations),
                "kind": "cuda-ipc",
                "device_uuid": self._driver.device_uuid(address),
                "handle": base64.b64encode(self._driver.handle_of(block.base)).decode("ascii"),
                "size": block.size,
                "buffer_id": block.buffer_id,
            }
        )


def expandable_segments() -> str | None:
    """The environment variable that asks torch for expandable segments, or None."""
    for name in _SETTINGS:
        for setting in os.environ.get(name, "").split(","):
            key, _, value = setting.partition(":")
            if key.strip() == "expandable_segments" and value.strip().lower() in ("true", "1"):
                return name
    return None


def why_not_exportable() -> str:
    """The likely reason, and what to do."""
    name = expandable_segments()
    if name is not None:
        return f"torch uses expandable segments; start the server without expandable_segments in {name}"
    return "it is no cudaMalloc memory; start the server without sleep mode and without the cumem allocator"
