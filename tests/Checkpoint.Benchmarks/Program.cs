using System.Globalization;
using ApolloCheckpoint.Benchmarks;

// One benchmark a name; each prints a table that says what it measured. Without a name: every promised number.
switch (args)
{
    case ["codec", ..]:
        CodecBenchmark.Run(args.Contains("--scalar"));
        return 0;
    case ["delta"]:
        ResultTable sizes = new();
        DeltaRows.Measure(sizes);
        Console.WriteLine(sizes);
        return 0;
    case ["serve"]:
        ResultTable service = new();
        ServeRows.Measure(service, Tool.Find(ApolloCheckpoint.TestKit.Repository.Root));
        Console.WriteLine(service);
        return 0;
    case []:
        TableBenchmark.Run(2.9);
        return 0;
    case ["--gb", var size] when double.TryParse(size, CultureInfo.InvariantCulture, out double gigabytes):
        TableBenchmark.Run(gigabytes);
        return 0;
    default:
        Console.Error.WriteLine("usage: ./build.sh bench [--gb N | serve | delta | codec [--scalar]]");
        return 2;
}
