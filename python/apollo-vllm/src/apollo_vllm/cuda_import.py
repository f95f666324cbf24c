"""CUDA: a server's allocation in a trainer's process, opened by its raw IPC handle and seen as a torch tensor.

NOT YET RUN ON A GPU (see `cuda`).
"""

from __future__ import annotations

import ctypes
from typing import Any

import torch

from .cuda import CudaError
from .folder import FolderError

# Let peers on the same machine reach it too; the only flag there is, and required.
_LAZY_PEER_ACCESS = 1


class _IpcHandle(ctypes.Structure):
    """CUipcMemHandle: passed by value."""

    _fields_ = [("reserved", ctypes.c_char * 64)]


class OpenedAllocation:
    """An opened allocation; closed with its last tensor. `__cuda_array_interface__` is how torch takes foreign memory."""

    def __init__(self, library: Any, handle: bytes, size: int) -> None:
        self._library = library
        address = ctypes.c_uint64()
        raw = _IpcHandle.from_buffer_copy(handle)
        code = library.cuIpcOpenMemHandle_v2(ctypes.byref(address), raw, ctypes.c_uint(_LAZY_PEER_ACCESS))
        if code != 0:
            raise CudaError(f"cuIpcOpenMemHandle: CUDA error {code}: is the server alive, and in the same PID and IPC namespace?")
        self._address = address.value
        self.__cuda_array_interface__ = {
            "shape": (size,),
            "typestr": "|u1",
            "data": (address.value, False),
            "version": 3,
            "strides": None,
        }

    def __del__(self) -> None:
        if getattr(self, "_address", 0):
            self._library.cuIpcCloseMemHandle(ctypes.c_uint64(self._address))
            self._address = 0


def open_handle(handle: bytes, device_uuid: str, size: int) -> torch.Tensor:
    """The allocation as bytes on its device. Raises FolderError when this process sees no such device, CudaError when it cannot open."""
    device = device_of(device_uuid)
    with torch.cuda.device(device):
        # Makes the device's primary context current in this thread, which the driver wants.
        torch.cuda.current_stream().synchronize()
        opened = OpenedAllocation(ctypes.CDLL("libcuda.so.1"), handle, size)
        return torch.as_tensor(opened, device=device)


def device_of(uuid: str) -> torch.device:
    """This process's device with that UUID; indices differ between processes."""
    wanted = _plain(uuid)
    for index in range(torch.cuda.device_count()):
        if _plain(str(torch.cuda.get_device_properties(index).uuid)) == wanted:
            return torch.device("cuda", index)
    raise FolderError(f"the server's device {uuid} is not visible here; look at CUDA_VISIBLE_DEVICES")


def _plain(uuid: str) -> str:
    """Without the prefix that some tools give it."""
    return uuid.lower().removeprefix("gpu-").removeprefix("mig-")
