"""What the hook cannot vouch for as a whole, by name and with what to do instead. Told before anything is published."""

from __future__ import annotations

from typing import Any

from . import cuda


def refusal(vllm_config: Any, model_config: Any, platform: str) -> str | None:
    """Why nothing of this server can be published, or None. `platform`: "cpu", "cuda", or another's name."""
    checks = (_platform(platform), _model(model_config), _parallel(vllm_config), _offload(vllm_config))
    first = next((reason for reason in checks if reason is not None), None)
    return first or (_cuda_memory(model_config) if platform == "cuda" else None)


def experts_laid_out_anew(module: Any) -> str | None:
    """Of a mixture-of-experts layer: which backend does not keep the weights as they were loaded, or None."""
    backend = getattr(getattr(module, "quant_method", None), "unquantized_backend", None)
    name = getattr(backend, "name", None)
    if name is None or name in ("TRITON", "BATCHED_TRITON", "CPU", "NONE"):
        return None
    return f"the experts were laid out anew for the backend {name}; start the server with --moe-backend triton"


def _platform(platform: str) -> str | None:
    return None if platform in ("cpu", "cuda") else f"vLLM's backend {platform} is not supported, only cuda and cpu are"


def _model(model_config: Any) -> str | None:
    quantization = getattr(model_config, "quantization", None)
    if quantization is None:
        return None
    return f"the model is quantised ({quantization}): vLLM repacks such weights, and they have no plain counterpart on disk"


def _parallel(vllm_config: Any) -> str | None:
    parallel = vllm_config.parallel_config
    if getattr(parallel, "enable_eplb", False):
        return "the expert balancer (--enable-eplb) moves experts while the server runs; start the server without it"
    replicas = getattr(parallel, "data_parallel_size", 1)
    if replicas > 1:
        return f"{replicas} data-parallel replicas (--data-parallel-size): each has weights of its own, and no trainer reaches all"
    return None


def _offload(vllm_config: Any) -> str | None:
    offload = getattr(vllm_config, "offload_config", None)
    if offload is None:
        return None
    if getattr(offload.uva, "cpu_offload_gb", 0) > 0:
        return "weights are offloaded to the CPU (--cpu-offload-gb); start the server without it"
    if getattr(offload.prefetch, "offload_group_size", 0) > 0:
        return "layers are offloaded and fetched in turn (--offload-group-size); start the server without it"
    return None


def _cuda_memory(model_config: Any) -> str | None:
    if getattr(model_config, "enable_sleep_mode", False):
        return "sleep mode keeps weights in memory that CUDA IPC cannot share; start the server without --enable-sleep-mode"
    if getattr(model_config, "enable_cumem_allocator", False):
        return "the cumem allocator's memory cannot be shared by CUDA IPC; start the server without --enable-cumem-allocator"
    variable = cuda.expandable_segments()
    if variable is not None:
        return f"CUDA IPC cannot share expandable segments; start the server without expandable_segments in {variable}"
    return None
