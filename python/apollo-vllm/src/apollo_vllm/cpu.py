"""The CPU backend: keep every weight as it was loaded, and compute from it.

Stock vLLM packs weights for its CPU kernels into private copies after loading; a change of the loaded tensor then changes nothing, or
the tensor is emptied. No setting turns that off, so these functions are replaced before the model loads. Slower, the same results.
Nothing here runs on CUDA, where dense weights are served as loaded.
"""

from __future__ import annotations

import inspect
import logging
from typing import Any

_log = logging.getLogger("vllm.apollo")

_done = False


def keep_weights_as_loaded() -> None:
    """Switch packing off in this process. Call before the model is made."""
    global _done
    if _done:
        return
    _done = True
    _plain_linear()
    _plain_experts()
    _plain_convolution()
    _log.info("apollo: CPU backend: weights stay as loaded, packed kernels are off")


def _plain_linear() -> None:
    """Linear layers and heads (oneDNN, AMX, Zen) and the packing of causal convolutions."""
    import torch
    import vllm.model_executor.layers.utils as utils

    def dispatch(layer: Any, remove_weight: bool) -> None:
        layer.cpu_linear = torch.nn.functional.linear

    utils.dispatch_cpu_unquantized_gemm = dispatch


def _plain_experts() -> None:
    """Mixture of experts: no padding, no grouped-GEMM layout."""
    import vllm.model_executor.layers.fused_moe.experts.cpu_moe as cpu_moe

    experts = cpu_moe.CPUUnquantizedExperts
    stock_apply = experts.apply
    signature = inspect.signature(stock_apply)

    def apply(*args: Any, **named: Any) -> None:
        # Expert parallel: the stock CPU code takes global expert ids as local ones.
        call = signature.bind(*args, **named)
        expert_map = call.arguments.get("expert_map")
        if expert_map is not None:
            call.arguments["topk_ids"] = expert_map[call.arguments["topk_ids"].long()]
        stock_apply(*call.args, **call.kwargs)

    cpu_moe.cpu_prepack_moe_weight = lambda weight, isa: weight.detach()
    cpu_moe.cpu_fused_moe = _experts_in_turn
    experts._pad_moe_intermediate = lambda self, layer: None
    experts.apply = apply


def _experts_in_turn(
    output: Any, hidden: Any, w13: Any, w2: Any, bias13: Any, bias2: Any, weights: Any, ids: Any, activation: str, isa: str,
    weight_on_input: bool = False,
) -> None:
    """What the grouped-GEMM kernel computes, one expert after another, accumulated in float32."""
    import torch
    import torch.nn.functional as functional

    total = torch.zeros(hidden.shape, dtype=torch.float32)
    half = w13.shape[1] // 2
    act = functional.gelu if str(activation).lower().startswith("gelu") else functional.silu
    for expert in range(w13.shape[0]):
        token, slot = (ids == expert).nonzero(as_tuple=True)
        if token.numel() == 0:
            continue
        both = functional.linear(hidden[token], w13[expert], None if bias13 is None else bias13[expert])
        inner = act(both[:, :half]) * both[:, half:]
        result = functional.linear(inner, w2[expert], None if bias2 is None else bias2[expert])
        total.index_add_(0, token, result.float() * weights[token, slot].float().unsqueeze(1))
    output.copy_(total.to(output.dtype))


def _plain_convolution() -> None:
    """Linear attention: its AVX-512 convolution expects the packed weight; say that it is not."""
    try:
        import vllm.model_executor.layers.mamba.ops.cpu.gdn_attention as gdn
    except ImportError:
        return
    for name in ("_causal_conv1d_fwd_cpu", "_causal_conv1d_update_cpu"):
        stock = getattr(gdn, name, None)
        if stock is not None:
            setattr(gdn, name, _unpacked(stock))


def _unpacked(stock: Any) -> Any:
    def convolution(*, weight: Any, is_weight_packed: bool, **named: Any) -> Any:
        return stock(weight=weight.view(weight.size(0), weight.size(-1)), is_weight_packed=False, **named)

    return convolution
