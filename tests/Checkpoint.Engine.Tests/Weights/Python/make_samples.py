"""Writes what the tests of the python source open. Usage: make_samples.py FOLDER"""

import functools
import json
import os
import sys

import torch

folder = sys.argv[1]


def pattern(count, seed):
    return bytes((i * 37 + (i >> 8) * 11 + seed) % 251 for i in range(count))


# Every type that this torch knows, as plain tensors, with the bytes that they must give.
types, expected = {}, {}
names = """bool uint8 int8 float8_e5m2 float8_e4m3fn float8_e8m0fnu int16 uint16 float16 bfloat16 int32 uint32 float32 complex64 float64 int64
uint64""".split()
for seed, name in enumerate(names):
    dtype = getattr(torch, name, None)
    if dtype is None:
        continue
    data = bytes(b & 1 for b in pattern(96, seed)) if name == "bool" else pattern(96, seed)
    types[name] = torch.frombuffer(bytearray(data), dtype=torch.uint8).view(dtype)
    expected[name] = data.hex()
torch.save(types, os.path.join(folder, "types.pt"))
with open(os.path.join(folder, "types.json"), "w") as file:
    json.dump(expected, file)


# Handles that are calls, as the program before this one wrote them: memory that a path reaches.
def handle(path, count, dtype=torch.bfloat16):
    return {"handle": (functools.partial(torch.from_file, dtype=dtype), (path, True, count))}


live = os.path.join(folder, "live.bin")
with open(live, "wb") as file:
    file.write(pattern(4096, 3))
torch.save({"__metadata__": {"any": 1}, "w": handle(live, 2048), "nested": {"w": handle(live, 16, torch.float32)}}, os.path.join(folder, "calls.pt"))
big = os.path.join(folder, "big.bin")
with open(big, "wb") as file:
    file.truncate(300_000_000)
torch.save({"big": handle(big, 150_000_000)}, os.path.join(folder, "big.pt"))


# Files that misbehave. `eval` is a function that a pickle can name.
def evaluated(text):
    return {"w": {"handle": (eval, (text,))}}


noisy = "[print('noise ' * 1000), __import__('os').write(1, b'more noise' * 500), __import__('torch').arange(6, dtype=__import__('torch').int16)][2]"
torch.save(evaluated(noisy), os.path.join(folder, "noisy.pt"))
torch.save(evaluated("__import__('os')._exit(7)"), os.path.join(folder, "leaves.pt"))
torch.save(evaluated("__import__('sys').exit(7)"), os.path.join(folder, "exits.pt"))
torch.save(evaluated("42"), os.path.join(folder, "number.pt"))
torch.save(evaluated("__import__('time').sleep(600)"), os.path.join(folder, "sleeps.pt"))
torch.save(evaluated("input()"), os.path.join(folder, "asks.pt"))
torch.save({"w": torch.zeros(4, dtype=torch.complex128)}, os.path.join(folder, "complex128.pt"))
torch.save({"w": handle(live, 8)}, os.path.join(folder, "it's \"q\"\n$(touch pwned) `x` \\ %s {} ünï ☃.pt"))
