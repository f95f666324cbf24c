"""What transformers makes of a model directory: the log-probabilities of tokens that a server answered, each given those before it.

In: {"model": directory, "prompts": [[5, 6]], "tokens": [[7, 8]]} a line. Out: {"logprobs": [[...]], "best": [[...]]}: of each answered
token, and of the likeliest token in its place. The model is read anew for each line. The end of the input ends it.
"""

import json
import os
import sys

import torch
from transformers import AutoModelForCausalLM


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        model = AutoModelForCausalLM.from_pretrained(request["model"], dtype=torch.bfloat16)
        rows = [score(model, prompt, tokens) for prompt, tokens in zip(request["prompts"], request["tokens"])]
        print(json.dumps({"logprobs": [row[0] for row in rows], "best": [row[1] for row in rows]}), file=answers, flush=True)


def score(model, prompt, tokens):
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([prompt + tokens])).logits[0].float()
    places = torch.log_softmax(logits[len(prompt) - 1 : -1], dim=-1)
    return places.gather(1, torch.tensor(tokens).unsqueeze(1)).squeeze(1).tolist(), places.max(dim=1).values.tolist()


if __name__ == "__main__":
    main()
