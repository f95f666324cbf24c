using Xunit;

// A lock is an open file, and a child that another test starts has it open, too, for the moment between fork and exec.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
