"""The hook's worker extension with what the CPU backend lacks for a pipeline of stages."""

from apollo_vllm import ApolloWorkerExtension


class Extension(ApolloWorkerExtension):
    def test_pipeline_buffers(self) -> None:
        """On a GPU a profile run makes the buffers of later stages; on the CPU nothing does, and the first request fails."""
        from vllm.distributed import get_pp_group

        runner = self.model_runner
        if not get_pp_group().is_first_rank and runner.intermediate_tensors is None:
            runner.intermediate_tensors = runner.model.make_empty_intermediate_tensors(
                batch_size=runner.max_num_tokens, dtype=runner.model_config.dtype, device=runner.device
            )
