"""A producer of live weights: makes a model directory, holds its weights on the GPU (or, for the stand-in driver, in files), publishes handles,
and does what its standard input says, a word a line: step, digest, rate, quit. Answers are JSON, a line each.

    python producer.py FOLDER GIGABYTES [STAND_IN_MEMORY]
"""

import base64
import ctypes
import hashlib
import json
import mmap
import os
import random
import struct
import sys
import time

ROWS, COLUMNS = 4096, 4096  # bf16: 32 MiB a tensor


class Gpu:
    """Weights in one cudaMalloc segment a tensor, as vLLM has its large ones."""

    def __init__(self, names):
        import torch

        self.torch = torch
        self.driver = ctypes.CDLL("libcuda.so.1")
        self.tensors = {name: torch.randn(ROWS, COLUMNS, device="cuda", dtype=torch.bfloat16) * 0.02 for name in names}
        torch.cuda.synchronize()

    def allocation(self, name):
        """Handle, bytes and offset of a tensor's block, as the driver says."""
        pointer = ctypes.c_uint64(self.tensors[name].data_ptr())
        start, size, handle = ctypes.c_uint64(), ctypes.c_size_t(), (ctypes.c_ubyte * 64)()
        self.call("cuMemGetAddressRange_v2", ctypes.byref(start), ctypes.byref(size), pointer)
        self.call("cuIpcGetMemHandle", handle, start)
        return bytes(handle), size.value, pointer.value - start.value

    def call(self, name, *arguments):
        result = getattr(self.driver, name)(*arguments)
        if result != 0:
            raise RuntimeError("%s gives %d" % (name, result))

    def device(self):
        return "GPU-%s" % self.torch.cuda.get_device_properties(0).uuid

    def bytes(self, name):
        return self.tensors[name].cpu().view(self.torch.int16).numpy().tobytes()

    def step(self, seed):
        """Changes about one element in two hundred, as a step of training does."""
        torch = self.torch
        torch.manual_seed(seed)
        for tensor in self.tensors.values():
            bits = tensor.view(torch.int16)
            bits ^= (torch.rand(tensor.shape, device="cuda") < 0.005).to(torch.int16)
        torch.cuda.synchronize()

    def rate(self):
        """Bytes a second of a plain copy into pinned memory: what PCIe gives."""
        torch = self.torch
        source = next(iter(self.tensors.values()))
        target = torch.empty(source.shape, dtype=source.dtype, pin_memory=True)
        best = 0.0
        for _ in range(20):
            begin = time.perf_counter()
            target.copy_(source, non_blocking=True)
            torch.cuda.synchronize()
            best = max(best, source.numel() * 2 / (time.perf_counter() - begin))
        return best

    def save_torch(self, path):
        from torch.multiprocessing.reductions import reduce_tensor

        self.torch.save({name: {"handle": reduce_tensor(tensor)} for name, tensor in self.tensors.items()}, path)
        os.chmod(path, 0o600)


class StandIn:
    """Weights in the files that the stand-in driver shows as blocks of device 0."""

    def __init__(self, names, folder):
        os.makedirs(os.path.join(folder, "0"), exist_ok=True)
        self.handles, self.maps = {}, {}
        for name in names:
            self.handles[name] = os.urandom(64)
            with open(os.path.join(folder, "0", self.handles[name].hex()), "w+b") as file:
                file.write(random.randbytes(ROWS * COLUMNS * 2))
                file.flush()
                self.maps[name] = mmap.mmap(file.fileno(), 0)

    def allocation(self, name):
        return self.handles[name], len(self.maps[name]), 0

    def device(self):
        return "GPU-5f3c1d2e-0000-1111-2222-333344445555"

    def bytes(self, name):
        return self.maps[name][:]

    def step(self, seed):
        dice = random.Random(seed)
        for memory in self.maps.values():
            for _ in range(len(memory) // 400):
                memory[2 * dice.randrange(len(memory) // 2)] ^= 1

    def rate(self):
        return None

    def save_torch(self, path):
        pass


def write(path, text):
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, 0o600)


def write_model(folder, source, names):
    os.makedirs(folder)
    size, header = ROWS * COLUMNS * 2, {}
    for i, name in enumerate(names):
        header[name] = {"dtype": "BF16", "shape": [ROWS, COLUMNS], "data_offsets": [i * size, (i + 1) * size]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(folder, "model.safetensors"), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in names:
            file.write(source.bytes(name))
    write(os.path.join(folder, "config.json"), '{"architectures": ["TinyForCausalLM"], "torch_dtype": "bfloat16"}')


def publish(folder, source, names):
    os.makedirs(folder, mode=0o700)
    allocations, tensors, ids = [], [], {}
    for name in names:
        handle, size, offset = source.allocation(name)
        if handle not in ids:
            ids[handle] = len(ids)
            text = base64.b64encode(handle).decode()
            allocations.append({"id": ids[handle], "kind": "cuda-ipc", "handle": text, "device_uuid": source.device(), "size": size})
        tensors.append({"name": name, "alloc": ids[handle], "offset": offset, "dtype": "BF16", "shape": [ROWS, COLUMNS]})
    with open("/proc/self/stat") as file:
        started = int(file.read().rsplit(")", 1)[1].split()[19])
    rank = {
        "format": "apollo-handles", "version": 2, "producer": {"kind": "gpu test", "pid": os.getpid(), "pid_start": started},
        "allocations": allocations, "tensors": tensors,
    }  # fmt: skip
    write(os.path.join(folder, "weights.rank0.json"), json.dumps(rank))
    write(os.path.join(folder, "index.json"), '{"format": "apollo-handles-index", "version": 2, "ranks": ["weights.rank0.json"]}')
    source.save_torch(os.path.join(folder, "weights.pt"))


def main(folder, gigabytes, memory=None):
    names = ["model.layers.%d.mlp.down_proj.weight" % i for i in range(max(2, int(float(gigabytes) * 1e9 / (ROWS * COLUMNS * 2))))]
    names.sort()
    source = StandIn(names, memory) if memory else Gpu(names)
    write_model(os.path.join(folder, "model"), source, names)
    publish(os.path.join(folder, "handles"), source, names)
    print(json.dumps({"bytes": len(names) * ROWS * COLUMNS * 2, "device": source.device()}), flush=True)
    steps = 0
    for line in sys.stdin:
        word, answer = line.strip(), None
        if word == "step":
            steps += 1
            source.step(steps)
        elif word == "digest":
            answer = {name: hashlib.sha256(source.bytes(name)).hexdigest() for name in names}
        elif word == "rate":
            answer = source.rate()
        elif word == "quit":
            return
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
