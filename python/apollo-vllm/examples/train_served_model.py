import sys

import apollo_vllm
import torch
from transformers import AutoConfig, AutoModelForCausalLM

folder, path = sys.argv[1:3]  # where the server publishes, and the model directory it serves
with torch.device("meta"):  # no weights of its own
    model = AutoModelForCausalLM.from_config(AutoConfig.from_pretrained(path), dtype=torch.bfloat16)
model.load_state_dict(apollo_vllm.attach(folder), assign=True, strict=False)
model.tie_weights()
model.model.rotary_emb = type(model.model.rotary_emb)(model.config)  # computed, not loaded
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
tokens = torch.randint(0, model.config.vocab_size, (4, 24))  # your data
for _ in range(4):
    loss = model(input_ids=tokens, labels=tokens).loss
    loss.backward()
    with apollo_vllm.step_guard(folder):  # readers see whole steps
        optimizer.step()
    optimizer.zero_grad()
print(loss.item())
