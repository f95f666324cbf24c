"""Which copies nothing computes with, and which are another rank's. Needs torch 2."""

import unittest

import context  # noqa: F401

try:
    import torch

    HAS_TORCH = hasattr(torch.Tensor, "untyped_storage")
except ImportError:
    HAS_TORCH = False

from apollo_vllm.handles import Part
from apollo_vllm.ranks import claims, mark_replicas
from apollo_vllm.rectangles import Rectangle
from apollo_vllm.together import together

if HAS_TORCH:
    from torch import nn

    from apollo_vllm.ranks import unused_addresses

    # Named as vLLM names them: the hook goes by these names.
    class VocabParallelEmbedding(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(4, 2))

    class ParallelLMHead(VocabParallelEmbedding):
        pass

    class RMSNorm(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(2))

    class RowParallelLinear(nn.Module):
        def __init__(self, tp_rank):
            super().__init__()
            self.weight, self.bias, self.tp_rank = nn.Parameter(torch.zeros(2, 2)), nn.Parameter(torch.zeros(2)), tp_rank

    class Layer(nn.Module):
        def __init__(self, tp_rank):
            super().__init__()
            self.input_layernorm, self.o_proj = RMSNorm(), RowParallelLinear(tp_rank)

    class Inner(nn.Module):
        def __init__(self, tp_rank):
            super().__init__()
            self.start_layer, self.end_layer = 0, 1
            self.embed_tokens, self.layers, self.norm = VocabParallelEmbedding(), nn.ModuleList([Layer(tp_rank)]), RMSNorm()

    class Text(nn.Module):
        """Every stage holds everything, as Qwen3-MoE does."""

        def __init__(self, tp_rank=0, head=True, tied=False):
            super().__init__()
            self.model = Inner(tp_rank)
            if head:
                self.lm_head = ParallelLMHead()
            if tied:
                self.lm_head.weight = self.model.embed_tokens.weight

    class Vision(nn.Module):
        def __init__(self):
            super().__init__()
            self.visual, self.language_model = nn.Sequential(RMSNorm()), Text()

        def get_language_model(self):
            return self.language_model


def part(name, start, length, unused=False):
    rectangle = Rectangle(start, length)
    return Part(name, rectangle, rectangle, "full", unused=unused)


@unittest.skipUnless(HAS_TORCH, "needs torch 2")
class UnusedTests(unittest.TestCase):
    def unused(self, model, stage, stages):
        addresses = unused_addresses(model, stage, stages)
        return [name for name, parameter in model.named_parameters() if parameter.data_ptr() in addresses]

    def test_one_stage_computes_with_everything(self):
        self.assertEqual([], self.unused(Text(), 0, 1))
        self.assertEqual([], self.unused(Vision(), 0, 1))

    def test_embeddings_compute_on_the_first_stage_and_norm_and_head_on_the_last(self):
        self.assertEqual(["model.norm.weight", "lm_head.weight"], self.unused(Text(), 0, 3))
        self.assertEqual(["model.embed_tokens.weight", "model.norm.weight", "lm_head.weight"], self.unused(Text(), 1, 3))
        self.assertEqual(["model.embed_tokens.weight"], self.unused(Text(), 2, 3))

    def test_a_tied_head_computes_on_both_ends(self):
        for model in (Text(tied=True), Text(head=False)):
            self.assertEqual(["model.norm.weight"], self.unused(model, 0, 3))
            self.assertEqual(["model.embed_tokens.weight", "model.norm.weight"], self.unused(model, 1, 3))
            self.assertEqual([], self.unused(model, 2, 3))

    def test_a_vision_tower_computes_on_the_first_stage(self):
        names = ["visual.0.weight", "language_model.model.embed_tokens.weight"]
        self.assertEqual(names, self.unused(Vision(), 1, 2))

    def test_a_bias_of_a_layer_cut_by_columns_computes_on_the_first_of_its_ranks(self):
        self.assertEqual(["model.layers.0.o_proj.bias"], self.unused(Text(tp_rank=1), 0, 1))


class ReplicaTests(unittest.TestCase):
    def test_a_rectangle_that_a_lower_rank_holds_is_its_replica(self):
        held = [[part("kv", (0, 0), (2, 4))], [part("kv", (0, 0), (2, 4))], [part("kv", (2, 0), (2, 4))], [part("kv", (2, 0), (2, 4))]]
        for rank, parts in enumerate(held):
            mark_replicas(parts, rank, [claims(other) for other in held])
        self.assertEqual([None, 0, None, 2], [parts[0].replica_of for parts in held])

    def test_an_unused_copy_is_nobodys_original(self):
        held = [[part("head", (0,), (4,), unused=True)], [part("head", (0,), (4,))]]
        for rank, parts in enumerate(held):
            mark_replicas(parts, rank, [claims(other) for other in held])
        self.assertEqual([1, None], [parts[0].replica_of for parts in held])


class TogetherTests(unittest.TestCase):
    def test_what_failed_on_another_rank_fails_here_by_name(self):
        with self.assertRaisesRegex(RuntimeError, "rank 1: ValueError: no room"):
            together(lambda mine: [mine, (None, "ValueError: no room")], lambda: 5)

    def test_a_rank_that_failed_tells_the_others_first(self):
        told = []

        def fail():
            raise ValueError("no room")

        with self.assertRaisesRegex(ValueError, "no room"):
            together(lambda mine: told.append(mine) or [mine], fail)
        self.assertEqual([(None, "ValueError: no room")], told)

    def test_all_results_come_in_rank_order(self):
        self.assertEqual([5, 6], together(lambda mine: [mine, (6, None)], lambda: 5))


if __name__ == "__main__":
    unittest.main()
