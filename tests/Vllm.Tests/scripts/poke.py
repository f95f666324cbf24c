"""Changes live weights through the mapping, as a trainer without torch would: plain Python, a second process.

poke.py EXPORT_DIR SEED SHARE. Swaps that share of each tensor's elements with one another, under the step bracket. Prints one JSON line.
"""

import json
import mmap
import os
import random
import sys
from math import prod
from pathlib import Path

import apollo_vllm
from apollo_vllm.rectangles import contiguous_strides

_BYTES = {"BF16": 2, "F16": 2, "F32": 4}


def main() -> None:
    folder, seed, share = Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
    assert "torch" not in sys.modules
    document = json.loads((folder / "weights.rank0.json").read_bytes())
    allocation = document["allocations"][0]
    descriptor = os.open(allocation["path"], os.O_RDWR)
    memory = mmap.mmap(descriptor, allocation["size"], offset=allocation["file_offset"])
    chance = random.Random(seed)
    swapped = 0
    with apollo_vllm.step_guard(folder):
        for tensor in document["tensors"]:
            for part in tensor["parts"]:
                swapped += swap(memory, tensor, part["live"], share, chance)
    print(json.dumps({"swapped": swapped, "pid": os.getpid()}))


def swap(memory, tensor, rectangle, share, chance) -> int:
    width = _BYTES[tensor["dtype"]]
    strides = contiguous_strides(tensor["shape"])

    def position() -> slice:
        index = [start + chance.randrange(length) for start, length in zip(rectangle["start"], rectangle["length"])]
        begin = tensor["offset"] + width * sum(i * stride for i, stride in zip(index, strides))
        return slice(begin, begin + width)

    pairs = max(1, int(prod(rectangle["length"]) * share / 2))
    for _ in range(pairs):
        a, b = position(), position()
        memory[a], memory[b] = memory[b], memory[a]
    return pairs


if __name__ == "__main__":
    main()
