"""Which allocations and offsets are published for CUDA tensors. The driver is a Python object here: nothing of this ran on a GPU."""

import base64
import unittest
from types import SimpleNamespace as Some

import context  # noqa: F401
from apollo_vllm.cuda import Block, CudaError, CudaMemory

try:
    from apollo_vllm import cuda_import

    HAS_TORCH = True
except ImportError:
    HAS_TORCH = False

MIB = 1 << 20


class FakeDriver:
    """Two allocations of cudaMalloc and one of virtual memory."""

    def __init__(self):
        self.blocks = [Block(0x7000_0000, 20 * MIB, 11), Block(0x7800_0000, 40 * MIB, 12), Block(0x9000_0000, 2 * MIB, 13)]
        self.asked = []

    def block_of(self, address):
        return next(block for block in self.blocks if block.base <= address < block.base + block.size)

    def is_exportable(self, address):
        return address < 0x9000_0000

    def handle_of(self, base):
        self.asked.append(base)
        return base.to_bytes(8, "little") * 8

    def device_uuid(self, address):
        return "GPU-00112233-4455-6677-8899-aabbccddeeff"


def tensor(address, device="cuda:0"):
    return Some(data_ptr=lambda: address, is_cuda=device.startswith("cuda"), numel=lambda: 8, device=device)


class CudaMemoryTests(unittest.TestCase):
    def setUp(self):
        self.driver = FakeDriver()
        self.first, self.second = tensor(0x7000_0000), tensor(0x7000_0000 + 4096)
        self.other, self.virtual, self.host = tensor(0x7800_0000 + 512), tensor(0x9000_0000), tensor(0x1000, "cpu")
        tensors = [self.first, self.second, self.other, self.virtual, self.host]
        self.memory = CudaMemory(Some(parameters=lambda: tensors), self.driver)

    def test_an_allocation_is_named_once_with_its_device_size_and_raw_handle(self):
        first, other = self.memory.allocations()
        self.assertEqual([0x7000_0000, 0x7800_0000], self.driver.asked)
        handle = base64.b64encode((0x7000_0000).to_bytes(8, "little") * 8).decode()
        expected = {
            "id": 0,
            "kind": "cuda-ipc",
            "device_uuid": "GPU-00112233-4455-6677-8899-aabbccddeeff",
            "handle": handle,
            "size": 20 * MIB,
            "buffer_id": 11,
        }
        self.assertEqual(expected, first)
        self.assertEqual((1, 40 * MIB), (other["id"], other["size"]))

    def test_offsets_count_from_the_start_of_the_whole_allocation(self):
        self.assertEqual([(0, 0), (0, 4096), (1, 512)], [self.memory.place(t) for t in (self.first, self.second, self.other)])

    def test_what_cannot_be_exported_has_no_place_and_says_why(self):
        self.assertIsNone(self.memory.place(self.virtual))
        self.assertIn("sleep mode", self.memory.why_not(self.virtual))
        self.assertIsNone(self.memory.place(self.host))
        self.assertIn("offloaded", self.memory.why_not(self.host))


class Library:
    """libcuda's two calls for a reader, as ctypes would call them."""

    def __init__(self, code=0):
        self.code, self.closed, self.handle = code, [], b""

    def cuIpcOpenMemHandle_v2(self, address, handle, flags):
        self.handle, self.flags = bytes(handle), flags.value
        address._obj.value = 0x7F00_0000_0000
        return self.code

    def cuIpcCloseMemHandle(self, address):
        self.closed.append(address.value)
        return 0


@unittest.skipUnless(HAS_TORCH, "needs torch")
class OpenedAllocationTests(unittest.TestCase):
    HANDLE = bytes(range(64))

    def test_it_is_opened_by_its_raw_handle_seen_as_bytes_and_closed_once(self):
        library = Library()
        opened = cuda_import.OpenedAllocation(library, self.HANDLE, 4096)
        self.assertEqual((self.HANDLE, 1), (library.handle, library.flags))
        seen = opened.__cuda_array_interface__
        self.assertEqual(((4096,), "|u1", (0x7F00_0000_0000, False)), (seen["shape"], seen["typestr"], seen["data"]))
        del opened
        self.assertEqual([0x7F00_0000_0000], library.closed)

    def test_a_handle_that_does_not_open_closes_nothing(self):
        library = Library(code=201)
        with self.assertRaisesRegex(CudaError, "error 201: is the server alive"):
            cuda_import.OpenedAllocation(library, self.HANDLE, 4096)
        self.assertEqual([], library.closed)


if __name__ == "__main__":
    unittest.main()
