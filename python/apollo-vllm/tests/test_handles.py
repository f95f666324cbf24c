import json
import tempfile
import unittest
from pathlib import Path

import context  # noqa: F401
from apollo_vllm import handles, producer
from apollo_vllm.rectangles import Rectangle


def example():
    part = handles.Part("a.q_proj.weight", Rectangle((0, 0), (4, 8)), Rectangle((0, 0), (4, 8)), "full")
    return handles.Handles(
        rank=0,
        generation=1,
        producer=producer.describe("ab" * 16),
        model={"path": "/m", "header_sha256": {"model.safetensors": "00"}},
        parallel={"world": 1, "rank": 0},
        state_path="state.bin",
        allocator="file",
        allocations=[handles.file_allocation(Path("/dev/shm/x.weights"), 4096)],
        tensors=[
            handles.LiveTensor("a.qkv_proj.weight", 0, 0, "BF16", (12, 8), (8, 1), parts=[part]),
            handles.LiveTensor("b.weight", 0, 0, "BF16", (12, 8), (8, 1), alias_of="a.qkv_proj.weight"),
            handles.LiveTensor("c.weight", 0, 2048, "F32", (3,), (1,), unsupported="why"),
            handles.LiveTensor("d.weight", None, 0, "", (3,), (1,), unsupported="out of reach"),
        ],
        unmapped_disk={"mtp.fc.weight": "skipped by the loader"},
    )


class HandlesTests(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def test_index_and_rank_file_have_the_fields_of_the_format(self):
        handles.write(self.folder, example())
        handles.write_index(self.folder, world=1)
        index = json.loads((self.folder / "index.json").read_bytes())
        self.assertEqual({"format": "apollo-handles-index", "version": 2, "ranks": ["weights.rank0.json"]}, index)
        document = json.loads((self.folder / "weights.rank0.json").read_bytes())
        for varying in ("created_ns", "producer"):
            self.assertTrue(document.pop(varying))
        tensor = {"alloc": 0, "offset": 0, "dtype": "BF16", "shape": [12, 8], "stride": [8, 1]}
        rows = {"start": [0, 0], "length": [4, 8]}
        expected = {
            "format": "apollo-handles",
            "version": 2,
            "generation": 1,
            "model": {"path": "/m", "header_sha256": {"model.safetensors": "00"}},
            "parallel": {"world": 1, "rank": 0},
            "memory": {"allocator": "file"},
            "state": {"path": "state.bin", "protocol": "flock+seqlock"},
            "allocations": [{"id": 0, "kind": "file", "path": "/dev/shm/x.weights", "file_offset": 0, "size": 4096}],
            "tensors": [
                {"name": "a.qkv_proj.weight", **tensor, "parts": [{"hf": "a.q_proj.weight", "live": rows, "file": rows, "proof": "full"}]},
                {"name": "b.weight", **tensor, "parts": [], "alias_of": "a.qkv_proj.weight"},
                {"name": "c.weight", "alloc": 0, "offset": 2048, "dtype": "F32", "shape": [3], "stride": [1], "parts": [],
                 "unsupported": "why"},
                {"name": "d.weight", "unsupported": "out of reach"},
            ],
            "unmapped_disk": [{"hf": "mtp.fc.weight", "why": "skipped by the loader"}],
        }
        self.assertEqual(expected, document)

    def test_the_files_are_private(self):
        handles.write(self.folder, example())
        handles.write_index(self.folder, world=1)
        modes = {path.name: path.stat().st_mode & 0o777 for path in self.folder.iterdir()}
        self.assertEqual({"index.json": 0o600, "weights.rank0.json": 0o600}, modes)

    def test_a_rank_is_seen_once_the_index_names_all(self):
        document = example()
        document.rank = 1
        handles.write(self.folder, document)
        self.assertEqual(["weights.rank1.json"], [path.name for path in self.folder.iterdir()])
        handles.write_index(self.folder, world=2)
        index = json.loads((self.folder / "index.json").read_bytes())
        self.assertEqual(["weights.rank0.json", "weights.rank1.json"], index["ranks"])

    def test_a_copy_says_that_nothing_computes_with_it_and_which_rank_does(self):
        whole = Rectangle((0,), (4,))
        part = handles.Part("norm.weight", whole, whole, "full", unused=True, replica_of=3)
        self.assertEqual((True, {"rank": 3}), (part.to_json()["unused"], part.to_json()["replica_of"]))

    def test_the_producer_is_this_process(self):
        import os

        facts = producer.describe(None)
        self.assertEqual((os.getpid(), os.geteuid(), None), (facts["pid"], facts["uid"], facts["loaded_root"]))
        self.assertEqual(producer.start_ticks(os.getpid()), facts["pid_start"])
        self.assertIsNone(producer.start_ticks(2**22 + 1))


if __name__ == "__main__":
    unittest.main()
