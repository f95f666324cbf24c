"""The load format ``apollo``: vLLM's default loader, watched; then the handles are published.

Whatever goes wrong in the hook, the model that vLLM loaded is returned: a server must not fail for its checkpoints.
"""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import torch
from vllm.model_executor.model_loader.default_loader import DefaultModelLoader
from vllm.platforms import current_platform

from . import cpu
from .export import LoadedModel
from .extension import weights_being_written
from .hold import files_held_still
from .publishing import prepare, publish
from .refusals import refusal
from .state_file import loaded_root
from .together import across_ranks
from .trace import CopyTrace, Traced

_log = logging.getLogger("vllm.apollo")

# With a strategy that reads files into memory, how many tensors of the files the trace keeps alive.
_HELD_TENSORS = 64


class ApolloModelLoader(DefaultModelLoader):
    """Loads as the default loader does, and publishes the loaded model's handles."""

    def __init__(self, load_config: Any) -> None:
        if load_config.load_format == "apollo":
            # The default loader switches on the name of the format and must be given one that it knows.
            load_config = copy.copy(load_config)
            load_config.load_format = "safetensors"
        super().__init__(load_config)
        self._trace: CopyTrace | None = None
        self._files: list[Path] = []
        self._directory: Path | None = None
        self._loads = False

    def load_model(self, vllm_config: Any, model_config: Any, prefix: str = "") -> torch.nn.Module:
        """Load and publish the served model. A draft model is only loaded."""
        self._loads = True
        if model_config is not vllm_config.model_config:
            return super().load_model(vllm_config=vllm_config, model_config=model_config, prefix=prefix)
        refused = refusal(vllm_config, model_config, _platform())
        if current_platform.is_cpu() and refused is None and not _attempt(cpu.keep_weights_as_loaded):
            return super().load_model(vllm_config=vllm_config, model_config=model_config, prefix=prefix)
        if refused is None:
            self._trace = CopyTrace(None if self._reads_by_mapping() else _HELD_TENSORS)
        with files_held_still(Path(model_config.model)):
            model = super().load_model(vllm_config=vllm_config, model_config=model_config, prefix=prefix)
            _attempt(lambda: self._publish(model, vllm_config, model_config, refused))
        self._trace = None
        return model

    def load_weights(self, model: torch.nn.Module, model_config: Any) -> None:
        """Load the weights under the trace."""
        if self._trace is None:
            super().load_weights(model, model_config)
            return
        if current_platform.is_cpu():
            _prepare(model)
        self._trace.watch(model)
        with self._trace:
            super().load_weights(model, model_config)
        self._trace.release()

    def get_all_weights(self, model_config: Any, model: torch.nn.Module) -> Generator[tuple[str, torch.Tensor], None, None]:
        """Every tensor of the files, noted before the model gets it. Outside `load_model` the server reads its weights anew."""
        if not self._loads:
            directory = Path(model_config.model)
            with files_held_still(directory), weights_being_written(directory):
                yield from super().get_all_weights(model_config, model)
            return
        for name, tensor in super().get_all_weights(model_config, model):
            if self._trace is not None:
                self._trace.source(name, tensor)
            yield name, tensor

    def _prepare_weights(self, *args: Any, **kwargs: Any) -> Any:
        prepared = super()._prepare_weights(*args, **kwargs)
        self._directory = Path(prepared[0])
        self._files = [Path(file) for file in prepared[1]]
        return prepared

    def _reads_by_mapping(self) -> bool:
        return self.load_config.safetensors_load_strategy in (None, "lazy", "prefetch")

    def _publish(self, model: torch.nn.Module, vllm_config: Any, model_config: Any, refused: str | None) -> None:
        if self._directory is None:
            refused = refused or "the weights were not read through this loader"
        elif any(file.suffix != ".safetensors" for file in self._files):
            refused = "the model has no safetensors files"
        publish(
            model,
            LoadedModel(
                traced=Traced() if self._trace is None else self._trace.traced,
                directory=(directory := (self._directory or Path(model_config.model)).resolve()),
                root=loaded_root(directory),
                files=self._files,
                facts=_model_facts(vllm_config, model_config),
                parallel=_parallel(),
                exchange=across_ranks(),
                refused=refused,
            ),
        )


def _platform() -> str:
    if current_platform.is_cpu():
        return "cpu"
    return "cuda" if current_platform.is_cuda() else str(current_platform.device_name)


def _attempt(action: Callable[[], None]) -> bool:
    try:
        action()
        return True
    except Exception:  # logged, and the server goes on
        _log.exception("apollo: the hook failed; nothing is published")
        return False


def _prepare(model: torch.nn.Module) -> None:
    """Have the load write into shared memory. Where that cannot be, the weights are moved there afterwards."""
    try:
        prepare(model, _parallel()["rank"])
    except Exception as error:  # said, and the server goes on
        _log.info("apollo: the weights go into shared memory after the load, not before it: %s", error)


def _model_facts(vllm_config: Any, model_config: Any) -> dict[str, Any]:
    from .dtypes import to_safetensors

    config = model_config.hf_config
    return {
        "architecture": (getattr(config, "architectures", None) or [None])[0],
        "dtype": to_safetensors(model_config.dtype),
        "quantization": model_config.quantization,
        "lora": vllm_config.lora_config is not None,
        "tied": bool(getattr(config, "tie_word_embeddings", False)),
    }


def _parallel() -> dict[str, Any]:
    """This rank's place. A group that was never made counts as one of one."""
    from vllm.distributed import parallel_state as state

    world = torch.distributed.get_world_size() if torch.distributed.is_initialized() else 1
    rank = torch.distributed.get_rank() if torch.distributed.is_initialized() else 0
    place: dict[str, Any] = {"world": world, "rank": rank, "eplb": False}
    for name in ("tp", "pp", "ep", "dp"):
        group = getattr(state, f"_{name.upper()}", None)
        place[name] = [0, 1] if group is None else [group.rank_in_group, group.world_size]
    return place
