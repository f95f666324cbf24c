"""A torch trainer with a copy of its own, for servers of any number of ranks: it gathers the live weights, takes AdamW steps on its copy,
and writes the result into every rank that computes with it.

train_copy.py EXPORT_DIR MODEL_DIR STEPS. Prints one JSON line, then lives on until its input ends.
"""

import json
import re
import sys

import apollo_vllm
import torch
from apollo_vllm import state_page
from transformers import AutoModelForCausalLM

_EXPERT = re.compile(r"(.*\.experts)\.(\d+)\.(gate|up|down)_proj\.weight")


def main() -> None:
    export_dir, model_dir, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])
    torch.manual_seed(2)
    live = apollo_vllm.attach_ranks(export_dir)
    model = AutoModelForCausalLM.from_pretrained(model_dir, dtype=torch.bfloat16)
    own = {name: place_in(model, name) for name in live}
    with torch.no_grad():
        for name, tensor in live.items():
            own[name].copy_(tensor.gather())
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    tokens = torch.randint(0, model.config.vocab_size, (4, 24))
    losses = []
    for _ in range(steps):
        loss = model(input_ids=tokens, labels=tokens).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        with apollo_vllm.step_guard(export_dir), torch.no_grad():
            for name, tensor in live.items():
                tensor.scatter(own[name].to(tensor.pieces[0][1].dtype))
        losses.append(round(loss.item(), 4))
    sequence, step = state_page.read(export_dir)
    pieces = sum(len(tensor.pieces) for tensor in live.values())
    print(json.dumps({"losses": losses, "sequence": sequence, "step": step, "tensors": len(live), "pieces": pieces}), flush=True)
    sys.stdin.read()


def place_in(model, name):
    """The trainer's own tensor of that name on disk; transformers keeps experts together."""
    expert = _EXPERT.fullmatch(name)
    parameters = dict(model.named_parameters(remove_duplicate=False))
    if expert is None or name in parameters:
        return parameters[name].data
    experts, index, part = expert[1], int(expert[2]), expert[3]
    if part == "down":
        return parameters[f"{experts}.down_proj"].data[index]
    both = parameters[f"{experts}.gate_up_proj"].data[index]
    half = both.shape[0] // 2
    return both[:half] if part == "gate" else both[half:]


if __name__ == "__main__":
    main()
