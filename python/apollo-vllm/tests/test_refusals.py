import os
import unittest
from types import SimpleNamespace as Some
from unittest import mock

import context  # noqa: F401
from apollo_vllm.refusals import experts_laid_out_anew, refusal


def server(**changes):
    """vLLM's configuration, as far as it is asked, and the model's."""
    values = {"eplb": False, "replicas": 1, "offload_gb": 0, "group": 0, "quantization": None, "sleep": False, "cumem": False} | changes
    vllm = Some(
        parallel_config=Some(enable_eplb=values["eplb"], data_parallel_size=values["replicas"]),
        offload_config=Some(uva=Some(cpu_offload_gb=values["offload_gb"]), prefetch=Some(offload_group_size=values["group"])),
    )
    return vllm, Some(
        quantization=values["quantization"], enable_sleep_mode=values["sleep"], enable_cumem_allocator=values["cumem"]
    )


class RefusalTests(unittest.TestCase):
    def setUp(self):
        names = ("PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF", "PYTORCH_HIP_ALLOC_CONF")
        kept = {name: value for name, value in os.environ.items() if name not in names}
        self.enterContext(mock.patch.dict(os.environ, kept, clear=True))

    def test_a_plain_server_is_published(self):
        for platform in ("cpu", "cuda"):
            self.assertIsNone(refusal(*server(), platform))

    def test_each_case_is_named_with_what_to_do(self):
        cases = {
            "the model is quantised (fp8)": {"quantization": "fp8"},
            "start the server without it": {"eplb": True},
            "2 data-parallel replicas": {"replicas": 2},
            "--cpu-offload-gb": {"offload_gb": 4},
            "--offload-group-size": {"group": 2},
            "without --enable-sleep-mode": {"sleep": True, "cumem": True},
            "without --enable-cumem-allocator": {"cumem": True},
        }
        for text, changes in cases.items():
            self.assertIn(text, refusal(*server(**changes), "cuda") or "", changes)
        self.assertIn("tpu", refusal(*server(), "tpu"))

    def test_expandable_segments_are_found_in_each_of_torchs_variables(self):
        for name in ("PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_ALLOC_CONF"):
            with mock.patch.dict(os.environ, {name: "max_split_size_mb:20, expandable_segments:True"}):
                self.assertIn(f"expandable_segments in {name}", refusal(*server(), "cuda"))
                self.assertIsNone(refusal(*server(), "cpu"))
        with mock.patch.dict(os.environ, {"PYTORCH_CUDA_ALLOC_CONF": "expandable_segments:False"}):
            self.assertIsNone(refusal(*server(), "cuda"))

    def test_the_memory_of_sleep_mode_is_nothing_to_the_cpu(self):
        self.assertIsNone(refusal(*server(sleep=True, cumem=True), "cpu"))

    def test_experts_in_another_layout_name_the_backend(self):
        def layer(name):
            return Some(quant_method=Some(unquantized_backend=Some(name=name)))

        self.assertIn("FLASHINFER_CUTLASS; start the server with --moe-backend triton", experts_laid_out_anew(layer("FLASHINFER_CUTLASS")))
        for name in ("TRITON", "BATCHED_TRITON", "CPU"):
            self.assertIsNone(experts_laid_out_anew(layer(name)))
        self.assertIsNone(experts_laid_out_anew(Some()))


if __name__ == "__main__":
    unittest.main()
