using System.Globalization;
using ApolloCheckpoint.Benchmarks;

// Every promised number in one table; --rows names some of them. "codec" is the table of the codec's author.
if (args is ["codec", .. string[] rest])
{
    CodecBenchmark.Run(rest.Contains("--scalar"));
    return 0;
}

double gigabytes = 2.9;
string[] rows = [.. TableBenchmark.Names];
for (int i = 0; i < args.Length; i += 2)
{
    string value = i + 1 < args.Length ? args[i + 1] : "";
    switch (args[i])
    {
        case "--gb" when double.TryParse(value, CultureInfo.InvariantCulture, out gigabytes) && gigabytes > 0:
            break;
        case "--rows" when value.Split(',').All(TableBenchmark.Names.Contains):
            rows = value.Split(',');
            break;
        default:
            Console.Error.WriteLine(
                $"usage: ./build.sh bench [--gb N] [--rows {string.Join(',', TableBenchmark.Names)}] | codec [--scalar]"
            );
            return 2;
    }
}

TableBenchmark.Run(gigabytes, rows);
return 0;
