"""From a load to an attached trainer, with a model of plain torch in the place of vLLM's. Needs torch 2."""

import json
import os
import struct
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
    import apollo_vllm
    from apollo_vllm import export, handles, publishing
    from apollo_vllm.folder import FolderError
    from apollo_vllm.trace import CopyTrace

    class Served(torch.nn.Module):
        """Merged rows, a vocabulary with padding, a tied head, experts, and a type that is not the one on disk."""

        def __init__(self):
            super().__init__()

            def make(*shape, dtype=torch.bfloat16):
                return torch.nn.Parameter(torch.zeros(*shape, dtype=dtype), requires_grad=False)

            self.embed, self.qkv, self.w13 = make(8, 4), make(12, 4), make(2, 6, 4)
            self.norm, self.scale = make(4), make(3, dtype=torch.float32)
            self.head = self.embed

        def load(self, weights):
            for name, tensor in weights:
                self.place(name, tensor)

        def place(self, name, tensor):
            rows = {"q": (0, 6), "k": (6, 3), "v": (9, 3)}
            if name in rows:
                self.qkv.data.narrow(0, *rows[name]).copy_(tensor)
            elif name == "embed":
                self.embed.data[: tensor.shape[0]].copy_(tensor)
                self.embed.data[tensor.shape[0] :].fill_(0)
            elif name.startswith("gate"):
                self.w13.data[int(name[-1])].narrow(0, 0, 3).copy_(tensor)
            elif name.startswith("up"):
                self.w13.data[int(name[-1])].narrow(0, 3, 3).copy_(tensor)
            elif name in ("norm", "scale"):
                getattr(self, name).data.copy_(tensor)


def write_safetensors(path, tensors):
    names = {torch.bfloat16: "BF16", torch.float32: "F32"}
    header, data = {}, b""
    for name, tensor in tensors.items():
        raw = bytes(tensor.contiguous().view(torch.uint8).flatten().tolist())
        header[name] = {"dtype": names[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


@unittest.skipUnless(HAS_TORCH, "needs torch 2")
class PublishTests(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.export_dir = self.folder / "export"
        self.enterContext(mock.patch.dict(os.environ, {"APOLLO_EXPORT_DIR": str(self.export_dir)}))
        self.addCleanup(self.withdraw)
        self.refused = None
        torch.manual_seed(3)
        bf16, f32 = torch.bfloat16, torch.float32
        shapes = {"embed": ((6, 4), bf16), "q": ((6, 4), bf16), "k": ((3, 4), bf16), "v": ((3, 4), bf16), "norm": ((4,), f32)}
        shapes |= {f"{part}{e}": ((3, 4), bf16) for part in ("gate", "up") for e in range(2)}
        shapes |= {"scale": ((3,), bf16), "mtp": ((2, 2), bf16)}
        self.disk = {name: torch.randn(shape).to(dtype) for name, (shape, dtype) in shapes.items()}
        write_safetensors(self.folder / "model.safetensors", self.disk)

    def withdraw(self):
        for published in publishing._exports.values():
            published.withdraw()
        publishing._exports.clear()

    def publish(self, model, prepared=False):
        if prepared:
            publishing.prepare(model, 0)
        trace = CopyTrace()
        trace.watch(model)

        def weights():
            for name, tensor in self.disk.items():
                trace.source(name, tensor)
                yield name, tensor

        with trace:
            model.load(weights())
        one = {name: [0, 1] for name in ("tp", "pp", "ep", "dp")}
        files = [self.folder / "model.safetensors"]
        publishing.publish(model, export.LoadedModel(trace.traced, self.folder, None, files, {}, {"world": 1, "rank": 0, **one}, refused=self.refused))
        return json.loads((self.export_dir / "weights.rank0.json").read_bytes())

    def map_of(self, document):
        return {
            part["hf"]: (tensor["name"], part["live"]["start"], part["live"]["length"], part["proof"])
            for tensor in document["tensors"]
            for part in tensor["parts"]
        }

    def test_every_rectangle_is_found_and_proven(self):
        document = self.publish(Served())
        expected = {
            "embed": ("embed", [0, 0], [6, 4], "full"),
            "q": ("qkv", [0, 0], [6, 4], "full"),
            "k": ("qkv", [6, 0], [3, 4], "full"),
            "v": ("qkv", [9, 0], [3, 4], "full"),
            "norm": ("norm", [0], [4], "full"),
            "scale": ("scale", [0], [3], "full"),
        }
        expected |= {f"gate{e}": ("w13", [e, 0, 0], [1, 3, 4], "full") for e in range(2)}
        expected |= {f"up{e}": ("w13", [e, 3, 0], [1, 3, 4], "full") for e in range(2)}
        self.assertEqual(expected, self.map_of(document))
        self.assertEqual([{"hf": "mtp", "why": "skipped by the loader"}], document["unmapped_disk"])
        self.assertEqual({"head": "embed"}, {t["name"]: t["alias_of"] for t in document["tensors"] if "alias_of" in t})
        self.assertEqual([], [t["name"] for t in document["tensors"] if "unsupported" in t])

    def test_a_trainer_changes_the_served_weights_and_the_padding_stays(self):
        model = Served()
        self.publish(model)
        live = apollo_vllm.attach(self.export_dir)
        for name, tensor in live.items():
            self.assertTrue(torch.equal(tensor, self.disk[name].to(tensor.dtype)), name)
        with apollo_vllm.step_guard(self.export_dir):
            live["k"].add_(1)
            live["up1"].zero_()
        self.assertTrue(torch.equal(self.disk["k"] + 1, model.qkv.data[6:9]))
        self.assertTrue(torch.equal(self.disk["q"], model.qkv.data[:6]))
        self.assertEqual((0.0, False), (model.w13.data[1, 3:].abs().sum().item(), bool(model.w13.data[1, :3].eq(0).all())))
        self.assertIs(model.head, model.embed)

    def test_a_tensor_that_was_changed_after_loading_is_not_published_as_proven(self):
        model = Served()
        load = model.load
        model.load = lambda weights: (load(weights), model.qkv.data.mul_(2))
        document = self.publish(model)
        proofs = {name: proof for name, (*_, proof) in self.map_of(document).items()}
        self.assertEqual(("none", "none", "none", "full"), tuple(proofs[name] for name in ("q", "k", "v", "embed")))
        why = {t["name"]: t["unsupported"] for t in document["tensors"] if "unsupported" in t}
        self.assertEqual(["qkv"], list(why))
        self.assertIn("elements differ from the file", why["qkv"])
        with self.assertRaisesRegex(FolderError, "proven"):
            apollo_vllm.attach(self.export_dir)

    def test_a_tensor_that_is_computed_while_loading_is_neither_mapped_nor_called_not_live(self):
        model = Served()
        place = model.place
        model.place = lambda name, tensor: model.norm.data.copy_(tensor + 1) if name == "norm" else place(name, tensor)
        document = self.publish(model)
        self.assertNotIn("norm", self.map_of(document))
        self.assertEqual(["mtp"], [row["hf"] for row in document["unmapped_disk"]])
        why = {t["name"]: t["unsupported"] for t in document["tensors"] if "unsupported" in t}
        self.assertEqual({"norm": "no tensor of the files was copied into it as it is"}, why)

    def test_a_sample_and_no_proof_are_called_what_they_are(self):
        for mode in ("sample", "none"):
            with mock.patch.dict(os.environ, {"APOLLO_PROOF": mode}):
                self.assertEqual({mode}, {proof for *_, proof in self.map_of(self.publish(Served())).values()})
        with mock.patch.dict(os.environ, {"APOLLO_PROOF": "maybe"}), self.assertRaisesRegex(ValueError, "full, sample or none"):
            self.publish(Served())

    def test_the_document_fits_the_schema_of_the_format(self):
        try:
            import jsonschema
        except ImportError:
            self.skipTest("needs jsonschema")
        schema = Path(__file__).resolve().parents[3] / "docs" / "handles-v2.schema.json"
        jsonschema.validate(self.publish(Served()), json.loads(schema.read_bytes()))

    def test_what_is_refused_is_published_by_name_with_the_reason(self):
        self.refused = "the model is quantised (fp8)"
        document = self.publish(Served())
        self.assertEqual([], document["allocations"])
        self.assertEqual({self.refused}, {tensor["unsupported"] for tensor in document["tensors"]})
        with self.assertRaisesRegex(FolderError, "quantised"):
            apollo_vllm.attach(self.export_dir)

    def test_what_several_ranks_hold_is_gathered_and_scattered_to_all_of_them(self):
        document = self.publish(Served())
        second = json.loads(json.dumps(document))
        for tensor in second["tensors"]:
            tensor["parts"] = [part | {"unused": part["hf"] != "norm"} for part in tensor["parts"]]
        (self.export_dir / "weights.rank1.json").write_bytes(json.dumps(second).encode())
        (self.export_dir / "weights.rank1.json").chmod(0o600)
        handles.write_index(self.export_dir, world=2)
        live = apollo_vllm.attach_ranks(self.export_dir)
        self.assertEqual({"norm": 2, "q": 1}, {name: len(live[name].pieces) for name in ("norm", "q")})
        self.assertTrue(torch.equal(self.disk["norm"].to(torch.bfloat16), live["norm"].gather()))
        live["norm"].scatter(torch.ones(4, dtype=torch.bfloat16))
        self.assertTrue(all(bool(view.eq(1).all()) for _, view in live["norm"].pieces))
        with self.assertRaisesRegex(FolderError, "norm lies in 2 pieces on the server's ranks; use attach_ranks"):
            apollo_vllm.attach(self.export_dir)

    def test_a_server_that_ends_leaves_nothing_readable(self):
        document = self.publish(Served())
        weights = Path(document["allocations"][0]["path"])
        self.assertEqual(0o600, weights.stat().st_mode & 0o777)
        self.withdraw()
        self.assertFalse(weights.exists())
        self.assertEqual(["rank0.lock"], [path.name for path in self.export_dir.iterdir()])

    def test_a_load_into_prepared_memory_is_traced_and_proven_there(self):
        model = Served()
        with mock.patch.object(export.share, "move", wraps=export.share.move) as move:
            document = self.publish(model, prepared=True)
        self.assertEqual(1, move.call_count)
        self.assertEqual({"full"}, {proof for *_, proof in self.map_of(document).values()})
        self.assertEqual(10, len(self.map_of(document)))
        self.assertTrue(torch.equal(self.disk["k"], apollo_vllm.attach(self.export_dir)["k"]))
        self.assertIs(model.head, model.embed)

    def test_weights_that_the_load_put_elsewhere_are_moved_again(self):
        model = Served()
        load = model.load
        model.load = lambda weights: (load(weights), setattr(model, "norm", torch.nn.Parameter(model.norm.data.clone(), requires_grad=False)))
        document = self.publish(model, prepared=True)
        weights = Path(document["allocations"][0]["path"])
        self.assertEqual([weights], list(weights.parent.glob(f"{os.getpid()}-*.weights")))
        with apollo_vllm.step_guard(self.export_dir):
            apollo_vllm.attach(self.export_dir)["norm"].fill_(9)
        self.assertTrue(model.norm.eq(9).all())

    def test_what_was_published_stands_while_the_next_model_loads(self):
        weights = Path(self.publish(first := Served(), prepared=True)["allocations"][0]["path"])
        second = Served()
        second.load = lambda tensors: self.assertTrue(weights.exists())
        self.publish(second, prepared=True)
        self.assertFalse(weights.exists())
        self.assertTrue(torch.equal(self.disk["k"], first.qkv.data[6:9]))

    def test_a_model_that_is_loaded_when_the_one_before_is_gone_is_not_taken_for_it(self):
        for _ in range(3):
            model = Served()
            document = self.publish(model, prepared=True)
            with apollo_vllm.step_guard(self.export_dir):
                apollo_vllm.attach(self.export_dir)["norm"].fill_(9)
            self.assertTrue(model.norm.eq(9).all())
            self.assertTrue(Path(document["allocations"][0]["path"]).exists())
            del model

    def test_a_second_model_in_the_same_process_takes_the_folder_over(self):
        first = self.publish(Served())["allocations"][0]["path"]
        document = self.publish(Served())
        self.assertEqual((2, False), (document["generation"], Path(first).exists()))
        self.assertEqual(10, len(self.map_of(document)))


if __name__ == "__main__":
    unittest.main()
