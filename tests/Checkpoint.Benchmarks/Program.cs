using ApolloCheckpoint.Benchmarks;

// One benchmark a name; each prints a table that says what it measured.
switch (args)
{
    case ["codec", ..]:
        CodecBenchmark.Run(args.Contains("--scalar"));
        return 0;
    default:
        Console.Error.WriteLine("usage: dotnet run -c Release --project tests/Checkpoint.Benchmarks -- codec [--scalar]");
        return 2;
}
