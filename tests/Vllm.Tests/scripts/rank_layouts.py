"""Loads models by vLLM's loader alone in as many processes as a parallel setup has ranks, each rank published by the hook.

In: {"model": directory, "tp": 2, "pp": 1, "ep": false, "mm": "weights"} a line. Out: {"ranks": [each rank's handles file]} or
{"error": text}. The ranks live, and stay published, until the next line; the end of the input ends them.
"""

import glob
import json
import os
import signal
import sys
import tempfile
import traceback
from pathlib import Path


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    # Imported once; the ranks are forks, so that a setup costs seconds.
    import torch
    import vllm.model_executor.models  # noqa: F401
    from vllm.engine.arg_utils import EngineArgs  # noqa: F401

    import apollo_vllm

    torch.accelerator.empty_cache = lambda: None
    apollo_vllm.register()
    ranks = []
    for line in sys.stdin:
        stop(ranks)
        ranks = []
        try:
            result = {"ranks": start(json.loads(line), ranks)}
        except Exception:
            result = {"error": traceback.format_exc()}
        print(json.dumps(result), file=answers, flush=True)
    stop(ranks)


def start(setup, ranks):
    world = setup["tp"] * setup["pp"]
    rendezvous = f"file://{tempfile.mkdtemp()}/rendezvous"
    # As the CPU worker does: ranks of one server find one another's shared memory by it.
    os.environ["VLLM_DIST_IDENT"] = f"apollo-{os.getpid()}-{os.urandom(4).hex()}"
    pipes = []
    for rank in range(world):
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            run(setup, rank, world, rendezvous, writer)
        os.close(writer)
        ranks.append(child)
        pipes.append(reader)
    outcomes = [os.fdopen(reader).read() for reader in pipes]
    wrong = [f"rank {rank}: {text}" for rank, text in enumerate(outcomes) if text != "loaded"]
    if wrong:
        raise RuntimeError("\n".join(wrong))
    folder = Path(os.environ["APOLLO_EXPORT_DIR"])
    index = json.loads((folder / "index.json").read_bytes())
    return [json.loads((folder / name).read_bytes()) for name in index["ranks"]]


def run(setup, rank, world, rendezvous, writer):
    """The life of a rank."""
    try:
        load(setup, rank, world, rendezvous)
        os.write(writer, b"loaded")
    except BaseException:
        os.write(writer, traceback.format_exc().encode())
    os.close(writer)
    while True:
        signal.pause()


def load(setup, rank, world, rendezvous):
    from vllm.config import set_current_vllm_config
    from vllm.distributed import ensure_model_parallel_initialized, init_distributed_environment
    from vllm.engine.arg_utils import EngineArgs
    from vllm.model_executor.model_loader import get_model_loader

    config = EngineArgs(
        model=setup["model"],
        load_format="apollo",
        dtype="bfloat16",
        enforce_eager=True,
        skip_tokenizer_init=True,
        max_model_len=64,
        limit_mm_per_prompt={},
        tensor_parallel_size=setup["tp"],
        pipeline_parallel_size=setup["pp"],
        enable_expert_parallel=setup["ep"],
        mm_encoder_tp_mode=setup["mm"],
        distributed_executor_backend="mp",
    ).create_engine_config()
    with set_current_vllm_config(config):
        init_distributed_environment(world, rank, rendezvous, rank, backend="gloo")
        ensure_model_parallel_initialized(setup["tp"], setup["pp"])
        global kept
        kept = get_model_loader(config.load_config).load_model(vllm_config=config, model_config=config.model_config)


def stop(ranks):
    for child in ranks:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    # Killed ranks leave behind what they talked through.
    for path in glob.glob(f"/dev/shm/{os.environ.get('VLLM_DIST_IDENT', 'none')}*"):
        os.unlink(path)


if __name__ == "__main__":
    main()
