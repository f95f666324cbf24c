"""What the hook costs on this machine: python3 bench.py [MEGABYTES]. Needs torch 2.

One table, from one run. First a load on the CPU backend as vLLM does it: parameters that nobody has written are filled. With the hook they
lie in shared memory by then. Both in turn, the best of three each; what the hook adds is the difference.

Then the model, plain BF16 matrices, lies in a safetensors file and in memory; page cache warm. Rates count its bytes once. The limit of the
proof is what reading and comparing costs at the least: torch.equal over the same mapping, block by block.
"""

from __future__ import annotations

import json
import os
import struct
import sys
import tempfile
import time
from pathlib import Path
from typing import Callable

sys.path.insert(0, str(Path(__file__).resolve().parent / "src"))

import torch

from apollo_vllm import share, step_guard
from apollo_vllm import state_page
from apollo_vllm.live import survey
from apollo_vllm.prove import Prover
from apollo_vllm.rectangles import Piece, Rectangle
from apollo_vllm.shards import read_shards
from apollo_vllm.trace import Traced

_COLUMNS = 4096
_ROWS = 4096


class Model(torch.nn.Module):
    """As a loader makes it: no memory is touched."""

    def __init__(self, count: int) -> None:
        super().__init__()
        for index in range(count):
            weight = torch.empty(_ROWS, _COLUMNS, dtype=torch.bfloat16)
            self.register_parameter(f"w{index}", torch.nn.Parameter(weight, requires_grad=False))

    def load(self, values: list[torch.Tensor]) -> None:
        for index, parameter in enumerate(self.parameters()):
            parameter.data.copy_(values[index % len(values)])


def main() -> None:
    torch.set_num_threads(1)
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    count = max(1, (megabytes << 20) // (_ROWS * _COLUMNS * 2))
    with tempfile.TemporaryDirectory() as folder:
        bench(Path(folder), count)


def bench(folder: Path, count: int) -> None:
    values = [torch.randn(_ROWS, _COLUMNS).to(torch.bfloat16) for _ in range(4)]
    size = count * _ROWS * _COLUMNS * 2
    print(f"{size / 1e9:.2f} GB of BF16 in {count} tensors, one thread, torch {torch.__version__}")
    target = folder if os.statvfs("/dev/shm").f_bavail * os.statvfs("/dev/shm").f_frsize < 2 * size else Path("/dev/shm")
    model, weights = loads(target / f"apollo-bench-{os.getpid()}.weights", count, values, size)
    shards = read_shards([write(folder / "model.safetensors", model)])
    try:
        pieces = {(name, name): [whole()] for name in shards.tensors}
        shapes = {name: (_ROWS, _COLUMNS) for name in shards.tensors}
        traced = Traced(pieces=pieces, seen=set(shards.tensors), live_shapes=shapes)
        os.environ["APOLLO_PROOF"] = "none"
        row("export without proof", best(lambda: survey(model, traced, shards, weights)), size)
        os.environ["APOLLO_PROOF"] = "full"
        limit = best(lambda: read_and_compare(model, shards))
        proof = best(lambda: survey(model, traced, shards, weights))
        row("limit: read and compare", limit, size)
        row("export with full proof", proof, size)
        print(f"{'proof, of its limit':34} {100 * limit / proof:8.0f} %")
    finally:
        weights.remove()
    step(folder)


def loads(path: Path, count: int, values: list[torch.Tensor], size: int) -> tuple[Model, share.SharedWeights]:
    """Without the hook and with it, in turn. Gives the last model that was loaded with it."""
    rounds: list[tuple[float, float, float]] = []
    weights = None
    for _ in range(3):
        if weights is not None:
            weights.remove()
        model = Model(count)
        plain = seconds(lambda: model.load(values))
        model = Model(count)
        moved: list[share.SharedWeights] = []
        prepare = seconds(lambda: moved.append(share.move(model, path)))
        rounds.append((plain, prepare, seconds(lambda: model.load(values))))
        weights = moved[0]
    plain, prepare, load = (min(column) for column in zip(*rounds))
    row("load, without the hook (CPU)", plain, size)
    row("into shared memory before the load", prepare, size)
    row("load, into shared memory", load, size)
    print(f"{'the hook adds to a load':34} {'':13} {(prepare + load - plain) * 1e10 / size:8.2f} s per 10 GB")
    assert weights is not None
    return model, weights


def step(folder: Path) -> None:
    state_page.create(folder / state_page.PAGE_NAME)

    def steps() -> None:
        for _ in range(2000):
            with step_guard(folder):
                pass

    print(f"{'step_guard':34} {best(steps) / 2000 * 1e6:8.1f} us a step")


def read_and_compare(model: Model, shards: object) -> None:
    with Prover() as prover:
        for name, parameter in model.named_parameters():
            disk = prover._tensor(shards.tensors[name], torch.bfloat16)
            for begin in range(0, _ROWS, 64):
                assert torch.equal(parameter[begin : begin + 64].view(torch.int16), disk[begin : begin + 64].view(torch.int16))


def whole() -> Piece:
    return Piece(Rectangle.whole((_ROWS, _COLUMNS)), Rectangle.whole((_ROWS, _COLUMNS)))


def write(path: Path, model: Model) -> Path:
    header, begin = {}, 0
    for name, parameter in model.named_parameters():
        end = begin + parameter.numel() * 2
        header[name] = {"dtype": "BF16", "shape": list(parameter.shape), "data_offsets": [begin, end]}
        begin = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for parameter in model.parameters():
            file.write(memoryview(parameter.data.view(torch.int16).numpy()))
    return path


def seconds(action: Callable[[], object]) -> float:
    """Processor time of this thread: other programs do not count."""
    begin = time.thread_time()
    action()
    return time.thread_time() - begin


def best(action: Callable[[], object]) -> float:
    return min(seconds(action) for _ in range(3))


def row(name: str, took: float, size: int) -> None:
    print(f"{name:34} {size / took / 1e9:8.2f} GB/s {took * 1e10 / size:8.2f} s per 10 GB")


if __name__ == "__main__":
    main()
