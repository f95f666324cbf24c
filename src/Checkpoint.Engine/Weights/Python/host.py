"""The torch side of the python weight source.

Runs inside the interpreter that the tool embeds, or alone, to see what it sees:

    python host.py describe       what this interpreter is, as JSON
    python host.py list FILE      the tensors of a torch file. The file is EXECUTED: only for files that you trust.

It opens what a request names, keeps every tensor open, and copies pieces of them into windows of shared memory. It writes to no
tensor, and no number or path ever becomes source text: requests are JSON.
"""

import sys

sys.path[:] = [folder for folder in sys.path if folder]  # never import from the working directory

import json

# torch's spelling to safetensors' spelling. What is missing here cannot be held by a safetensors file.
TYPES = {
    "bool": "BOOL", "uint8": "U8", "int8": "I8", "float8_e5m2": "F8_E5M2", "float8_e4m3fn": "F8_E4M3", "float8_e8m0fnu": "F8_E8M0",
    "int16": "I16", "uint16": "U16", "float16": "F16", "bfloat16": "BF16", "int32": "I32", "uint32": "U32", "float32": "F32",
    "complex64": "C64", "float64": "F64", "int64": "I64", "uint64": "U64", "float4_e2m1fn_x2": "F4",
}


class HostError(Exception):
    """A failure with a next step. Kinds: "unsupported", "malformed", "unavailable"."""

    def __init__(self, kind, message, next_step=None):
        super().__init__(message)
        self.kind = kind
        self.next_step = next_step


def describe():
    """What a program needs to know to embed this interpreter. Does not import torch."""
    import importlib.util
    import sysconfig

    names = ["LIBDIR", "LDLIBRARY", "INSTSONAME", "Py_ENABLE_SHARED", "LIBPL", "MULTIARCH"]
    return {
        "executable": sys.executable,
        "version": "%d.%d.%d" % sys.version_info[:3],
        "prefix": sys.prefix,
        "basePrefix": sys.base_prefix,
        "path": sys.path,
        "torch": importlib.util.find_spec("torch") is not None,
        "config": {name: str(sysconfig.get_config_var(name) or "") for name in names},
    }


class Host:
    """The open tensors. Tensors are numbered in the order of `open`'s answer."""

    def __init__(self, windows_address=0, windows_bytes=0):
        try:
            import torch
        except ImportError as error:
            raise HostError(
                "unsupported",
                "%s cannot import torch: %s" % (sys.executable, error),
                "install torch for this Python, or choose one that has it: --python PATH",
            ) from error
        self.torch = torch
        # Copies go between tensors that are viewed as integers of their width: no arithmetic, no dtype that a copy lacks.
        self.integers = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}
        self.tensors = []
        self.files = {}  # path -> its bytes, mapped
        self.cuda = {}  # (handle, offset of the storage in its segment) -> the tensor that opened it
        self.windows = None
        if windows_bytes:
            import ctypes

            memory = (ctypes.c_uint8 * windows_bytes).from_address(windows_address)
            self.windows = torch.frombuffer(memory, dtype=torch.uint8)

    def open(self, request):
        """Opens what the request names: {"pickle": path, "pickleName": text} or {"tensors": [...]}. Gives the list of what is open."""
        torch = self.torch
        with torch.no_grad():
            if request.get("pickle"):
                entries = [self.describe_tensor(name, tensor) for name, tensor in self.open_pickle(request["pickle"], request["pickleName"])]
            else:
                entries = [self.open_entry(entry) for entry in request["tensors"]]
        pinned = bool(self.cuda) and self.pin_windows()
        return {"torch": torch.__version__, "python": sys.version.split()[0], "pinned": pinned, "tensors": entries}

    # A file that the user trusts.

    def open_pickle(self, path, name):
        import inspect

        torch = self.torch
        options = {"map_location": "cpu"}  # of tensors stored in the file; handles are not touched by it
        known = inspect.signature(torch.load).parameters
        if "weights_only" in known:
            options["weights_only"] = False
        with open(path, "rb") as file:
            if "mmap" in known and file.read(4) == b"PK\x03\x04":
                options["mmap"] = True
        try:
            content = torch.load(path, **options)
        except Exception as error:
            message = "torch %s cannot load %s: %s: %s" % (torch.__version__, name, type(error).__name__, error)
            raise HostError("malformed", message) from error
        if isinstance(content, torch.nn.Module):
            content = content.state_dict()
        if not isinstance(content, dict):
            raise HostError("malformed", "%s holds a %s, not a dictionary of tensors" % (name, type(content).__name__))
        return self.walk(content, "")

    def walk(self, content, prefix):
        """Tensors and handles of a dictionary, nested names joined by dots. Numbers, texts and the like hold no weights."""
        for key, value in content.items():
            name = prefix + str(key)
            if name == "__metadata__":
                continue
            if isinstance(value, dict) and "handle" in value:
                value = value["handle"]
            if isinstance(value, (tuple, list)) and len(value) == 2 and callable(value[0]):
                value = self.call(name, *value)
            if isinstance(value, self.torch.Tensor):
                yield name, value
            elif isinstance(value, dict):
                yield from self.walk(value, name + ".")

    def call(self, name, function, arguments):
        from torch.multiprocessing import reductions

        if function is reductions.rebuild_cuda_tensor:
            return self.open_cuda(name, list(arguments))
        tensor = function(*arguments)
        if not isinstance(tensor, self.torch.Tensor):
            raise HostError("malformed", 'the handle of tensor "%s" gives a %s, not a tensor' % (name, type(tensor).__name__))
        return tensor

    # What the tool's own parser found: no code of the file runs.

    def open_entry(self, entry):
        if entry["cuda"]:
            return self.describe_tensor(entry["name"], self.open_cuda(entry["name"], self.cuda_arguments(entry)))
        bits = self.open_file(entry)
        return self.keep(entry["name"], entry["type"], entry["shape"], bits)

    def open_file(self, entry):
        """A tensor in a file: bytes at `offset`, `itemBytes` an element. The mapping is private: it shows the live bytes and cannot
        change them, and torch never creates or extends the file."""
        torch = self.torch
        path, offset, item = entry["path"], entry["offset"], entry["itemBytes"]
        shape, stride = entry["storedShape"], entry["stride"]
        if 0 in shape:
            return torch.empty(shape, dtype=torch.uint8)
        if path not in self.files:
            self.files[path] = torch.from_file(path, shared=False, size=entry["fileBytes"], dtype=torch.uint8)
        data = self.files[path]
        if offset % item == 0:
            whole = data[: data.numel() // item * item].view(self.integers[item])
            return whole.as_strided(shape, stride, offset // item)
        return data.as_strided([*shape, item], [*(step * item for step in stride), 1], offset)

    def cuda_arguments(self, entry):
        """The fifteen arguments of torch's rebuild_cuda_tensor, from plain numbers and texts."""
        import base64

        torch, cuda = self.torch, entry["cuda"]
        dtype = getattr(torch, next(name for name, spelling in TYPES.items() if spelling == entry["type"]))
        handle, event = (base64.b64decode(cuda[field]) for field in ("handle", "event"))
        counter = cuda["counter"].encode("ascii")
        return [
            torch.Tensor, torch.Size(entry["shape"]), tuple(entry["stride"]), cuda["storageOffset"],
            torch.storage.TypedStorage, dtype, cuda["device"], handle, cuda["storageBytes"], cuda["segmentOffset"],
            False, counter, cuda["counterOffset"], event, cuda["eventSync"],
        ]  # fmt: skip

    # Memory of a GPU. Cannot run without one.

    def open_cuda(self, name, arguments):
        """Calls torch's rebuild_cuda_tensor once a storage.

        torch counts a second opening of the same storage as a release of the producer's counter, so a storage is opened once and
        further tensors are views of it. The host leaves by _exit, which runs no destructor: the first opening is never released
        either, and a run leaves the producer's counters as it found them.

        Device numbers are the producer's, so this process first takes over what the producer lets CUDA see.
        """
        from torch.multiprocessing import reductions

        torch = self.torch
        if not self.cuda:
            take_devices(bytes(arguments[11]))
        if not arguments[7] or arguments[8] == 0:
            return torch.empty(arguments[1], dtype=arguments[5])
        if not torch.cuda.is_available():
            raise HostError(
                "unavailable",
                'tensor "%s" is in GPU memory, and torch %s of %s sees no GPU' % (name, torch.__version__, sys.executable),
                "run on the producer's machine with a torch built for CUDA: --python PATH",
            )
        if arguments[6] >= torch.cuda.device_count():
            raise HostError(
                "unavailable",
                'tensor "%s" is on GPU %d, and torch sees %d' % (name, arguments[6], torch.cuda.device_count()),
                "set CUDA_VISIBLE_DEVICES as the producer has it",
            )
        key = (bytes(arguments[7]), arguments[9])
        opened = self.cuda.get(key)
        if opened is None:
            arguments[0], arguments[10] = torch.Tensor, False
            self.cuda[key] = opened = reductions.rebuild_cuda_tensor(*arguments)
            return opened
        storage = opened.untyped_storage() if hasattr(opened, "untyped_storage") else opened.storage().untyped()
        view = torch.empty(0, dtype=arguments[5], device=opened.device)
        return view.set_(storage, arguments[3], tuple(arguments[1]), tuple(arguments[2]))

    def pin_windows(self):
        """Lets the GPU copy straight into the windows. Without it torch stages the copies: slower, and right all the same."""
        cudart = self.torch.cuda.cudart()
        return int(cudart.cudaHostRegister(self.windows.data_ptr(), self.windows.numel(), 0)) == 0

    # Every tensor.

    def describe_tensor(self, name, tensor):
        torch = self.torch
        kind = str(tensor.dtype).replace("torch.", "")
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.device.type == "meta":
            raise HostError("unsupported", 'tensor "%s" is sparse, quantised or without data: it has no plain bytes' % name)
        if kind not in TYPES or tensor.is_conj() or tensor.is_neg():
            raise HostError("unsupported", 'tensor "%s" of type %s cannot be held by a safetensors file' % (name, kind))
        shape = list(tensor.shape)
        if TYPES[kind] == "F4" and shape:
            shape[-1] *= 2  # two elements a byte
        return self.keep(name, TYPES[kind], shape, tensor.detach().view(self.integers[tensor.element_size()]))

    def keep(self, name, type_name, shape, bits):
        """Keeps a tensor open. `pointer` is where its bytes lie in contiguous order in this process, 0 where `fill` must gather them.
        Two tensors of one `key` are the same bytes."""
        self.tensors.append(bits)
        direct = bits.device.type == "cpu" and bits.is_contiguous()
        key = "%s:%x:%s:%s" % (bits.device, bits.data_ptr(), list(bits.shape), list(bits.stride())) if bits.numel() else None
        return {
            "name": name, "type": type_name, "shape": shape, "key": key,
            "pointer": bits.data_ptr() if direct else 0, "bytes": bits.numel() * bits.element_size(),
        }  # fmt: skip

    def fill(self, index, byte_offset, window_offset, length):
        """Copies `length` bytes of a tensor, in contiguous order, into the windows. Offset and length are whole elements."""
        bits = self.tensors[index]
        target = self.windows[window_offset : window_offset + length].view(bits.dtype)
        with self.torch.no_grad():
            gather(target, bits, byte_offset // bits.element_size())


def take_devices(counter):
    """Sets the environment that decides CUDA's numbering as the producer has it. torch's counter file is named after the producer:
    /torch_PID_RANDOM. Left alone where the producer's environment cannot be read."""
    import os
    import re

    name = re.match(rb"/torch_(\d+)_", counter)
    try:
        with open("/proc/%d/environ" % int(name.group(1)), "rb") as file:
            theirs = dict(line.split(b"=", 1) for line in file.read().split(b"\0") if b"=" in line)
    except (AttributeError, OSError):
        return
    if not theirs:
        return  # a process that has only just begun
    for key in (b"CUDA_VISIBLE_DEVICES", b"CUDA_DEVICE_ORDER"):
        if key in theirs:
            os.environb[key] = theirs[key]
        else:
            os.environb.pop(key, None)


def gather(target, tensor, start):
    """Copies elements [start, start + len(target)) of the tensor in row-major order: whole rows at once, cut rows a dimension deeper."""
    count = target.numel()
    if tensor.dim() < 2:
        target.copy_(tensor.reshape(-1)[start : start + count])
        return
    row = tensor[0].numel()
    done = 0
    while done < count:
        index, skipped = divmod(start + done, row)
        rows = (count - done) // row
        if skipped or rows == 0:
            part = min(row - skipped, count - done)
            gather(target[done : done + part], tensor[index], skipped)
        else:
            part = rows * row
            target[done : done + part].view(rows, *tensor.shape[1:]).copy_(tensor[index : index + rows])
        done += part


host = None


def start(windows_address, windows_bytes, request):
    """What the tool calls first: JSON in, JSON out, and every failure inside it."""
    global host
    try:
        request = json.loads(request)
        sys.path[:] = request["interpreter"]["modulePath"]
        host = Host(windows_address, windows_bytes)
        return json.dumps(host.open(request["source"]))
    except HostError as error:
        return json.dumps({"error": {"kind": error.kind, "message": str(error), "next": error.next_step}})
    except BaseException as error:  # also SystemExit: a file may say anything
        return json.dumps({"error": {"kind": "unavailable", "message": "%s: %s" % (type(error).__name__, error)}})


def fill(index, byte_offset, window_offset, length):
    host.fill(index, byte_offset, window_offset, length)


if __name__ == "__main__":
    if sys.argv[1:] == ["describe"]:
        print(json.dumps(describe()))
    elif len(sys.argv) == 3 and sys.argv[1] == "list":
        print(json.dumps(Host().open({"pickle": sys.argv[2], "pickleName": sys.argv[2]}), indent=1))
    else:
        sys.exit(__doc__)
