"""Loads models by vLLM's loader alone (no engine), one after the other, each published by the hook until the next one is.

In: one model directory a line. Out: {"handles": {the handles file}} or {"error": text}. The end of the input ends it.
"""

import json
import os
import sys
import tempfile
import traceback
from pathlib import Path


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    export_dir = Path(os.environ["APOLLO_EXPORT_DIR"])

    import apollo_vllm
    import torch
    from vllm.config import set_current_vllm_config
    from vllm.distributed import destroy_model_parallel, ensure_model_parallel_initialized, init_distributed_environment
    from vllm.engine.arg_utils import EngineArgs
    from vllm.model_executor.model_loader import get_model_loader

    # The CPU worker does the same; a torch without accelerators raises.
    torch.accelerator.empty_cache = lambda: None
    apollo_vllm.register()

    kept = []

    def load(model_dir: str):
        config = EngineArgs(
            model=model_dir,
            load_format="apollo",
            dtype="bfloat16",
            enforce_eager=True,
            skip_tokenizer_init=True,
            max_model_len=64,
            limit_mm_per_prompt={},
        ).create_engine_config()
        with set_current_vllm_config(config):
            # Anew for each model: only a mixture of experts gets a group of experts.
            destroy_model_parallel()
            ensure_model_parallel_initialized(1, 1)
            # Kept, as a server keeps it: the published memory is this model's.
            kept[:] = [get_model_loader(config.load_config).load_model(vllm_config=config, model_config=config.model_config)]
        return json.loads((export_dir / "weights.rank0.json").read_bytes())

    init_distributed_environment(1, 0, f"file://{tempfile.mkdtemp()}/rendezvous", 0, backend="gloo")
    for line in sys.stdin:
        try:
            result = {"handles": load(json.loads(line))}
        except Exception:
            result = {"error": traceback.format_exc()}
        print(json.dumps(result), file=answers, flush=True)


if __name__ == "__main__":
    main()
