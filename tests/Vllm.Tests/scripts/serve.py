"""A vLLM that answers JSON lines, so that one start (half a minute) serves many steps of a test.

In: one request a line. Out: one answer a line. The hook publishes into APOLLO_EXPORT_DIR.
  {"do": "load", "model": directory, "options": {}} -> {"pid": n}      a fresh engine, read from the files; one before it is dropped
  {"do": "rpc", "method": name, "kwargs": {}} -> {"answers": [...]}     one a rank
  {"do": "generate", "prompts": [[5, 6, 7]], "tokens": 8} -> {"completions": [{"tokens": [...], "logprobs": [...]}]}
The end of the input ends it.
"""

import gc
import json
import os
import sys


def main() -> None:
    # vLLM and torch print where they like; the answers keep the real standard output to themselves.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    llm = None
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "load":
            llm = None
            llm = load(request["model"], request.get("options") or {})
            answer = {"pid": os.getpid()}
        elif request["do"] == "rpc":
            answer = {"answers": llm.collective_rpc(request["method"], kwargs=request.get("kwargs") or {})}
        else:
            answer = {"completions": generate(llm, request["prompts"], request["tokens"])}
        print(json.dumps(answer), file=answers, flush=True)


def load(model: str, options):
    from vllm import LLM
    from vllm.distributed import cleanup_dist_env_and_memory

    gc.collect()
    cleanup_dist_env_and_memory()
    llm = LLM(
        model,
        load_format="apollo",
        dtype="bfloat16",
        enforce_eager=True,
        skip_tokenizer_init=True,
        max_model_len=64,
        max_num_seqs=4,
        # A cached prefix would keep attention states of the weights before a change.
        enable_prefix_caching=False,
        disable_log_stats=True,
        worker_extension_cls="worker_extension.Extension",
        **options,
    )
    llm.collective_rpc("test_pipeline_buffers")
    return llm


def generate(llm, prompts, tokens):
    from vllm import SamplingParams

    sampling = SamplingParams(temperature=0, max_tokens=tokens, detokenize=False, ignore_eos=True, logprobs=0)
    outputs = llm.generate([{"prompt_token_ids": prompt} for prompt in prompts], sampling, use_tqdm=False)
    completions = [output.outputs[0] for output in outputs]
    return [
        {
            "tokens": list(completion.token_ids),
            "logprobs": [step[token].logprob for step, token in zip(completion.logprobs, completion.token_ids)],
        }
        for completion in completions
    ]


if __name__ == "__main__":
    main()
