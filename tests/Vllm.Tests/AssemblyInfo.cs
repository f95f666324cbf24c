// One vLLM at a time: two would only wait for each other's cores.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
