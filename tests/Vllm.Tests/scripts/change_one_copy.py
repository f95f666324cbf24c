"""A trainer's mistake: of a tensor that several ranks compute with, it changes the last copy only.

change_one_copy.py EXPORT_DIR. Prints the tensor's name as one JSON line.
"""

import json
import sys

import apollo_vllm


def main() -> None:
    live = apollo_vllm.attach_ranks(sys.argv[1])
    name, tensor = next((name, tensor) for name, tensor in sorted(live.items()) if has_copies(tensor))
    with apollo_vllm.step_guard(sys.argv[1]):
        tensor.pieces[-1][1].mul_(-1)
    print(json.dumps({"name": name}), flush=True)


def has_copies(tensor) -> bool:
    rectangles = [rectangle for rectangle, _ in tensor.pieces]
    return len(set(rectangles)) < len(rectangles)


if __name__ == "__main__":
    main()
