"""A trainer that writes one number into every tensor, a step at a time, so that a torn model shows: in it the numbers differ.

stamp.py EXPORT_DIR. Step n writes n % 256 (exact in bfloat16) into the first element of each tensor, slowly enough that a kill falls
between two tensors. Prints {"ready": true} after its first step and goes on until it is killed.
"""

import json
import sys
import time

import apollo_vllm
import torch
from apollo_vllm import state_page


def main() -> None:
    export_dir = sys.argv[1]
    live = apollo_vllm.attach(export_dir)
    firsts = [tensor.view(-1)[:1] for _, tensor in sorted(live.items())]
    ready = False
    while True:
        stamp = (state_page.read(export_dir)[1] + 1) % 256
        with apollo_vllm.step_guard(export_dir), torch.no_grad():
            for first in firsts:
                first.fill_(stamp)
                time.sleep(0.0005)
        if not ready:
            print(json.dumps({"ready": True}), flush=True)
            ready = True
        time.sleep(0.03)


if __name__ == "__main__":
    main()
