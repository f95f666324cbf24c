"""Checks what host.py asks of torch for GPU memory, on a machine without one: CUDA itself is replaced, the rest is the real torch.

Usage: check_cuda.py HOST_PY. Says "ok" at the end.
"""

import base64
import importlib.util
import os
import subprocess
import sys
import time
import types

import torch
from torch.multiprocessing import reductions

spec = importlib.util.spec_from_file_location("host", sys.argv[1])
host = importlib.util.module_from_spec(spec)
spec.loader.exec_module(host)

memory = torch.arange(64, dtype=torch.int16).view(torch.bfloat16)  # "the segment on the GPU"
calls = []


def rebuild(*arguments):
    calls.append(arguments)
    cls, size, stride, offset, storage_cls, dtype, device, handle, storage_bytes, segment_offset, grad, *counter_and_event = arguments
    assert (cls, storage_cls, grad) == (torch.Tensor, torch.storage.TypedStorage, False)
    storage = memory[segment_offset // 2 : (segment_offset + storage_bytes) // 2].clone()  # torch's storage begins inside the segment
    return storage.as_strided(size, stride, offset)


reductions.rebuild_cuda_tensor = rebuild
torch.cuda.is_available = lambda: True
torch.cuda.device_count = lambda: 2
registered = []
torch.cuda.cudart = lambda: types.SimpleNamespace(cudaHostRegister=lambda *range: registered.append(range) or 0)

# torch's counter is named after the producer, and CUDA's numbering is the producer's.
producer = subprocess.Popen(["sleep", "600"], env={"PATH": os.environ["PATH"], "CUDA_VISIBLE_DEVICES": "3,5"})
while not open("/proc/%d/environ" % producer.pid, "rb").read():
    time.sleep(0.01)
os.environ["CUDA_VISIBLE_DEVICES"] = "7"
os.environ["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID"
windows = torch.zeros(4096, dtype=torch.uint8)
source = host.Host(windows.data_ptr(), windows.numel())


def entry(name, shape, stride, offset, device=1):
    cuda = {
        "device": device, "handle": base64.b64encode(b"\x03c" + b"h" * 64).decode(), "storageOffset": offset, "storageBytes": 96,
        "segmentOffset": 32, "counter": "/torch_%d_5" % producer.pid, "counterOffset": 3, "event": base64.b64encode(b"e" * 64).decode(),
        "eventSync": True,
    }  # fmt: skip
    return {"name": name, "type": "BF16", "shape": shape, "stride": stride, "cuda": cuda}


try:
    reply = source.open({"tensors": [entry("a", [4, 8], [8, 1], 0), entry("b", [8, 4], [1, 8], 0), entry("c", [8], [1], 40)]})
finally:
    producer.kill()

# One storage is opened once, however many tensors lie in it: a second opening would count as a release of the producer's counter.
assert len(calls) == 1, calls
assert calls[0][6:] == (1, b"\x03c" + b"h" * 64, 96, 32, False, b"/torch_%d_5" % producer.pid, 3, b"e" * 64, True), calls[0][6:]
assert registered == [(windows.data_ptr(), 4096, 0)] and reply["pinned"] is True


def read(number, start, length):
    source.fill(number, start, 128, length)
    return windows[128 : 128 + length].view(torch.int16).tolist()


a = list(range(16, 48))
assert read(0, 0, 64) == a
assert read(0, 10, 40) == a[5:25]
assert read(1, 0, 64) == [a[r + 8 * c] for r in range(8) for c in range(4)]
assert read(1, 14, 20) == [a[r + 8 * c] for r in range(8) for c in range(4)][7:17]
assert read(2, 0, 16) == list(range(56, 64))

assert os.environ["CUDA_VISIBLE_DEVICES"] == "3,5" and "CUDA_DEVICE_ORDER" not in os.environ

try:
    source.open({"tensors": [entry("far", [4], [1], 0, device=5)]})
    raise AssertionError("GPU 5 of 2 was accepted")
except host.HostError as error:
    assert error.kind == "unavailable" and "is on GPU 5, and torch sees 2" in str(error), error
print("ok")
