"""The CPU backend: keep every weight as it was loaded, and compute from it.

Stock vLLM packs weights for its CPU kernels into private copies after loading; a change of the loaded tensor then changes nothing, or
the tensor is emptied. No setting turns that off, so these functions are replaced before the model loads. Slower, the same results.
Nothing here runs on CUDA, where dense weights are served as loaded.
"""

from __future__ import annotations

import logging
from typing import Any

from .cpu_experts import Replacement, expert_replacements

_log = logging.getLogger("vllm.apollo")

_done = False


def keep_weights_as_loaded() -> None:
    """Switch packing off in this process. Call before the model is made.

    Raises, with nothing replaced, when this vLLM has other functions than those known here: then what is loaded may not be what is
    computed from.
    """
    global _done
    if _done:
        return
    # All are looked up before the first is replaced: half of them would compute nonsense.
    for owner, name, value in [_linear(), *expert_replacements(), *_convolutions()]:
        setattr(owner, name, value)
    _done = True
    _log.info("apollo: CPU backend: weights stay as loaded, packed kernels are off")


def _linear() -> Replacement:
    """Linear layers and heads (oneDNN, AMX, Zen) and the packing of causal convolutions."""
    import torch
    import vllm.model_executor.layers.utils as utils

    def dispatch(layer: Any, remove_weight: bool) -> None:
        layer.cpu_linear = torch.nn.functional.linear

    _ = utils.dispatch_cpu_unquantized_gemm
    return utils, "dispatch_cpu_unquantized_gemm", dispatch


def _convolutions() -> list[Replacement]:
    """Linear attention: its AVX-512 convolution expects the packed weight; say that it is not."""
    import vllm.model_executor.layers.mamba.ops.cpu.gdn_attention as gdn

    names = ("_causal_conv1d_fwd_cpu", "_causal_conv1d_update_cpu")
    return [(gdn, name, _unpacked(getattr(gdn, name))) for name in names]


def _unpacked(stock: Any) -> Any:
    def convolution(*, weight: Any, is_weight_packed: bool, **named: Any) -> Any:
        return stock(weight=weight.view(weight.size(0), weight.size(-1)), is_weight_packed=False, **named)

    return convolution
