"""The CPU backend's mixture of experts, computed from the weights as they were loaded.

Stock vLLM repacks experts under the same name, shape and type, where only a comparison of bytes notices. Layers whose activation is not
known here keep the stock way: their proof fails, and they are published as not supported.
"""

from __future__ import annotations

import inspect
from functools import partial
from typing import Any

# Owner, name, new value.
Replacement = tuple[Any, str, Any]


def expert_replacements() -> list[Replacement]:
    """What takes the place of packing and kernel."""
    import torch.nn.functional as functional
    import vllm.model_executor.layers.fused_moe.experts.cpu_moe as cpu_moe

    activations = {"silu": functional.silu, "gelu": functional.gelu, "gelu_tanh": partial(functional.gelu, approximate="tanh")}
    experts = cpu_moe.CPUUnquantizedExperts
    stock_processing, stock_kernel = experts.process_weights_after_loading, cpu_moe.cpu_fused_moe

    def process_weights_after_loading(self: Any, layer: Any) -> None:
        if self.moe_config.activation.value not in activations:
            stock_processing(self, layer)

    def kernel(output: Any, hidden: Any, *rest: Any) -> None:
        # rest: both weights, both biases, routing weights and ids, activation, instruction set, whether the input is weighted already.
        act = activations.get(rest[6])
        if act is None:
            stock_kernel(output, hidden, *rest)
        else:
            _experts_in_turn(act, output, hidden, *rest[:6], weighted=bool(rest[8]))

    return [
        (experts, "process_weights_after_loading", process_weights_after_loading),
        (experts, "apply", _with_local_ids(experts.apply)),
        (cpu_moe, "cpu_fused_moe", kernel),
    ]


def _with_local_ids(stock: Any) -> Any:
    """Expert parallel: the stock CPU code takes global expert ids as local ones."""
    signature = inspect.signature(stock)

    def apply(*args: Any, **named: Any) -> None:
        call = signature.bind(*args, **named)
        expert_map = call.arguments["expert_map"]
        if expert_map is not None:
            call.arguments["topk_ids"] = expert_map[call.arguments["topk_ids"].long()]
        stock(*call.args, **call.kwargs)

    return apply


def _experts_in_turn(
    act: Any, output: Any, hidden: Any, w13: Any, w2: Any, bias13: Any, bias2: Any, weights: Any, ids: Any, weighted: bool
) -> None:
    """What the grouped-GEMM kernel computes, one expert after another, accumulated in float32."""
    import torch
    import torch.nn.functional as functional

    total = torch.zeros(hidden.shape, dtype=torch.float32)
    half = w13.shape[1] // 2
    for expert in range(w13.shape[0]):
        token, slot = (ids == expert).nonzero(as_tuple=True)
        if token.numel() == 0:
            continue
        both = functional.linear(hidden[token], w13[expert], None if bias13 is None else bias13[expert])
        inner = act(both[:, :half]) * both[:, half:]
        result = functional.linear(inner, w2[expert], None if bias2 is None else bias2[expert]).float()
        if not weighted:
            result *= weights[token, slot].float().unsqueeze(1)
        total.index_add_(0, token, result)
    output.copy_(total.to(output.dtype))
