using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using ApolloCheckpoint.Tool.Demo;
using ApolloCheckpoint.Tool.Rendering;

namespace ApolloCheckpoint.Tool.Commands;

/// <summary><c>demo-producer</c>: a small live model in shared memory whose weights really change, until it is stopped.</summary>
internal static class DemoProducerCommand
{
    /// <summary>Describes the verb.</summary>
    public static Command Create(ToolContext context)
    {
        Command command = new("demo-producer", "Stand in for vLLM: load a model into shared memory, publish it, train it until stopped.");
        Option<string?> model = new("--model-dir")
        {
            Description = "The model to load; a small one is made where the folder is missing or empty [default: a temporary one]",
            HelpName = "DIR",
        };
        Option<string?> handles = new("--handles")
        {
            Description = "The folder to publish in [default: a fresh one in /dev/shm, or in the temporary directory]",
            HelpName = "DIR",
        };
        Option<TimeSpan?> every = CommonOptions.Duration("--every", "Time from one step of training to the next [default: 2s]");
        Option<double> share = ShareOption();
        Option<bool> onRequest = new("--on-request")
        {
            Description = "Make a step for each line on standard input instead, and stop at its end",
        };
        foreach (Option option in (Option[])[model, handles, every, share, onRequest])
        {
            command.Options.Add(option);
        }

        command.SetAction(parse =>
        {
            using TemporaryModel place = new(parse.GetValue(model));
            using DemoProducer producer = DemoProducer.Start(place.Path, parse.GetValue(handles), parse.GetValue(share), context.Cancel);
            TextWriter output = context.Console.Out;
            output.WriteLine(
                $"loaded  {Quantity.Size(producer.Bytes)} in {Quantity.Count(producer.Parameters, "parameter")} from {place.Path}"
            );
            output.WriteLine($"handles {producer.Handles}");
            output.WriteLine($"try     apollo-checkpoint sync --model-dir {place.Path} --handles {producer.Handles}");
            output.Flush();
            return parse.GetValue(onRequest)
                ? TrainOnRequest(context, producer)
                : TrainByClock(context, producer, parse.GetValue(every) ?? TimeSpan.FromSeconds(2));
        });
        return command;
    }

    private static int TrainOnRequest(ToolContext context, DemoProducer producer)
    {
        while (Console.In.ReadLine() is not null && !context.Cancel.IsCancellationRequested)
        {
            Say(context, producer.Step(context.Cancel));
        }

        return (int)ExitCode.Done;
    }

    /// <summary>Being stopped is how it ends, so that is no failure.</summary>
    private static int TrainByClock(ToolContext context, DemoProducer producer, TimeSpan every)
    {
        while (!context.Cancel.WaitHandle.WaitOne(every))
        {
            Say(context, producer.Step(CancellationToken.None));
        }

        return (int)ExitCode.Done;
    }

    private static void Say(ToolContext context, string line)
    {
        context.Console.Out.WriteLine(line);
        context.Console.Out.Flush();
    }

    private static Option<double> ShareOption()
    {
        Option<double> share = new("--share")
        {
            Description = "The share of elements that one step changes",
            HelpName = "0..1",
            DefaultValueFactory = _ => 0.003,
        };
        share.Validators.Add(result =>
        {
            string text = result.Tokens is [Token token, ..] ? token.Value : "";
            if (double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) && value is not (> 0 and <= 1))
            {
                result.AddError("--share must be above 0 and at most 1");
            }
        });
        return share;
    }

    /// <summary>The folder that was named, or a temporary one that goes with the producer.</summary>
    private sealed class TemporaryModel(string? named) : IDisposable
    {
        public string Path { get; } = System.IO.Path.GetFullPath(named ?? Directory.CreateTempSubdirectory("apollo-demo-model-").FullName);

        public void Dispose()
        {
            if (named is null)
            {
                Directory.Delete(Path, recursive: true);
            }
        }
    }
}
