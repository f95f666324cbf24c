"""A vLLM that answers JSON lines, so that one start (half a minute) serves many steps of a test.

serve.py MODEL_DIR [LOAD_FORMAT]. In: one request a line. Out: one answer a line; {"ready": true} first.
  {"do": "generate", "prompts": [[5, 6, 7]], "tokens": 8} -> {"completions": [{"tokens": [...], "logprobs": [...]}]}
  {"do": "exit"}
"""

import json
import os
import sys


def main() -> None:
    # vLLM and torch print where they like; the answers keep the real standard output to themselves.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def answer(value) -> None:
        print(json.dumps(value), file=answers, flush=True)

    from vllm import LLM, SamplingParams

    llm = LLM(
        sys.argv[1],
        load_format=sys.argv[2] if len(sys.argv) > 2 else "apollo",
        dtype="bfloat16",
        enforce_eager=True,
        skip_tokenizer_init=True,
        max_model_len=64,
        max_num_seqs=4,
        # A cached prefix would keep attention states of the weights before a change.
        enable_prefix_caching=False,
        disable_log_stats=True,
    )

    def generate(prompts, tokens):
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

    answer({"ready": True, "pid": os.getpid()})
    for line in sys.stdin:
        request = json.loads(line)
        if request["do"] == "exit":
            break
        answer({"completions": generate(request["prompts"], request["tokens"])})


if __name__ == "__main__":
    main()
