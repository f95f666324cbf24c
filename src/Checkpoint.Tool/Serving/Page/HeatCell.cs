namespace ApolloCheckpoint.Tool.Serving.Page;

/// <summary>The tensors of one family in one layer.</summary>
internal sealed class HeatCell
{
    /// <summary>Upper ends of the steps of the scale; the last step has none. Half a decade each.</summary>
    public static readonly double[] Scale = [0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3];

    /// <summary>Their elements.</summary>
    public long Elements { get; set; }

    /// <summary>Elements that changed, about; exactly 0 where none did.</summary>
    public double Changed { get; set; }

    /// <summary>0 to 1.</summary>
    public double Share => Elements == 0 ? 0 : Math.Min(1, Changed / Elements);

    /// <summary>The step of the scale: 0 when nothing changed, else 1 to 9.</summary>
    public int Step => StepOf(Share);

    /// <summary>The step of the scale that a share is on.</summary>
    public static int StepOf(double share) => share <= 0 ? 0 : 1 + Scale.TakeWhile(end => share >= end).Count();
}
