"""A real torch trainer: a transformers model whose parameters are the served weights themselves, some AdamW steps in place.

train.py EXPORT_DIR MODEL_DIR STEPS. The model is built on the meta device and given views of the live tensors: it has no weights of its
own. Prints one JSON line, then lives on until its input ends: a page whose writer is gone says nothing about the weights.
"""

import json
import sys

import apollo_vllm
import torch
from apollo_vllm import state_page
from transformers import AutoConfig, AutoModelForCausalLM


def main() -> None:
    export_dir, model_dir, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])
    torch.manual_seed(1)
    live = apollo_vllm.attach(export_dir)
    model = on_live_weights(model_dir, live)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    tokens = torch.randint(0, model.config.vocab_size, (4, 24))
    losses = []
    for _ in range(steps):
        loss = model(input_ids=tokens, labels=tokens).loss
        loss.backward()
        with apollo_vllm.step_guard(export_dir):
            optimizer.step()
        optimizer.zero_grad()
        losses.append(round(loss.item(), 4))
    sequence, step = state_page.read(export_dir)
    print(json.dumps({"losses": losses, "sequence": sequence, "step": step, "torch": torch.__version__}), flush=True)
    sys.stdin.read()


def on_live_weights(model_dir, live):
    config = AutoConfig.from_pretrained(model_dir)
    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    model.load_state_dict(live, assign=True, strict=False)
    model.tie_weights()
    for name, module in list(model.named_modules()):
        if name.endswith("rotary_emb"):
            # Its frequencies are computed, not loaded.
            parent, _, attribute = name.rpartition(".")
            setattr(model.get_submodule(parent), attribute, type(module)(config=config))
    addresses = {tensor.data_ptr() for tensor in live.values()}
    own = [name for name, parameter in model.named_parameters() if parameter.data_ptr() not in addresses]
    assert not own, f"not the served memory: {own}"
    return model


if __name__ == "__main__":
    main()
