"""Weights in the file that other processes map. Needs torch 2."""

import errno
import mmap
import os
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import context  # noqa: F401

try:
    import torch

    HAS_TORCH = hasattr(torch.Tensor, "untyped_storage")
except ImportError:
    HAS_TORCH = False

if HAS_TORCH:
    from apollo_vllm import share
    from apollo_vllm.written import WrittenPages

# Elements of float32.
_LARGE = 1 << 20


def fresh():
    """Memory that nobody wrote, as an allocator gets it from the system."""
    memory = mmap.mmap(-1, _LARGE * 4, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    return torch.frombuffer(memory, dtype=torch.float32)


@unittest.skipUnless(HAS_TORCH, "needs torch 2")
class ShareTests(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.path = self.folder / "weights"

    def move(self, *tensors):
        model = torch.nn.ParameterList([torch.nn.Parameter(tensor, requires_grad=False) for tensor in tensors])
        weights = share.move(model, self.path)
        self.addCleanup(weights.remove)
        return model, weights

    def test_memory_that_nobody_wrote_is_not_written_out(self):
        with mock.patch.object(os, "pwrite", wraps=os.pwrite) as write:
            model, weights = self.move(fresh())
        write.assert_not_called()
        self.assertEqual((_LARGE * 4, 0), (weights.size, int(model[0].count_nonzero())))

    def test_what_was_written_goes_along_wherever_it_is(self):
        sparse = fresh()
        sparse[1] = sparse[_LARGE // 2] = sparse[-1] = 3
        model, _ = self.move(sparse, full := torch.arange(5000.0))
        self.assertEqual([1, _LARGE // 2, _LARGE - 1], model[0].nonzero().flatten().tolist())
        self.assertTrue(torch.equal(full, model[1]))

    def test_pages_of_a_file_that_were_never_looked_at_go_along(self):
        path = self.folder / "values"
        path.write_bytes(bytes([7]) * (8 * mmap.PAGESIZE))
        model, _ = self.move(torch.from_file(str(path), shared=False, size=8 * mmap.PAGESIZE, dtype=torch.uint8))
        self.assertTrue(model[0].eq(7).all())

    def test_where_the_system_does_not_show_its_pages_everything_counts_as_written(self):
        memory = fresh()
        with mock.patch("builtins.open", side_effect=PermissionError):
            runs = list(WrittenPages().of(memory.data_ptr(), _LARGE * 4))
        self.assertEqual([(0, _LARGE * 4)], runs)

    def test_a_store_into_a_weight_reaches_the_file(self):
        model, weights = self.move(fresh(), torch.ones(3))
        model[1].data[2] = 5
        _, offset = weights.place(model[1])
        self.assertEqual([1, 1, 5], torch.frombuffer(bytearray(self.path.read_bytes()[offset : offset + 12]), dtype=torch.float32).tolist())

    def test_room_of_a_weight_that_nobody_has_any_more_is_given_back(self):
        model, weights = self.move(torch.ones(_LARGE), torch.ones(_LARGE), torch.ones(3))
        model[1] = model[0]
        weights.give_back_unused()
        self.assertLess(self.path.stat().st_blocks * 512, 2 * _LARGE * 4)
        self.assertTrue(all(bool(parameter.eq(1).all()) for parameter in model))

    def test_without_room_the_values_stay_and_no_file_is_left(self):
        model = torch.nn.ParameterList([torch.nn.Parameter(torch.ones(3)), torch.nn.Parameter(torch.full((3,), 2.0))])
        with mock.patch.object(os, "posix_fallocate", side_effect=[None, OSError(errno.ENOSPC, "full")]):
            with self.assertRaises(OSError):
                share.move(model, self.path)
        self.assertEqual([[1.0] * 3, [2.0] * 3], [parameter.tolist() for parameter in model])
        self.assertFalse(self.path.exists())


if __name__ == "__main__":
    unittest.main()
