"""Element types: torch's and the names that safetensors gives them."""

from __future__ import annotations

import torch

_NAMES = {
    "BOOL": "bool",
    "U8": "uint8",
    "I8": "int8",
    "I16": "int16",
    "I32": "int32",
    "I64": "int64",
    "U16": "uint16",
    "U32": "uint32",
    "U64": "uint64",
    "F16": "float16",
    "BF16": "bfloat16",
    "F32": "float32",
    "F64": "float64",
    "F8_E4M3": "float8_e4m3fn",
    "F8_E5M2": "float8_e5m2",
}

# Not every torch has every type.
_TORCH = {name: getattr(torch, attribute) for name, attribute in _NAMES.items() if hasattr(torch, attribute)}
_SAFETENSORS = {dtype: name for name, dtype in _TORCH.items()}
_BITS = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


def to_torch(name: str) -> torch.dtype | None:
    """The torch type of a safetensors name, or None."""
    return _TORCH.get(name)


def to_safetensors(dtype: torch.dtype) -> str | None:
    """The safetensors name of a torch type, or None."""
    return _SAFETENSORS.get(dtype)


def bits(tensor: torch.Tensor) -> torch.Tensor:
    """The same memory as integers, so that a comparison is one of bits: NaN equals itself, 0.0 is not -0.0."""
    return tensor.view(_BITS[tensor.element_size()])
