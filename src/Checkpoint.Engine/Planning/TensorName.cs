namespace ApolloCheckpoint.Engine.Planning;

/// <summary>A name cut at its last two dots: "model.layers.0.self_attn." + "q_proj" + ".weight".</summary>
/// <param name="Parent">Everything before the module, with its dot; may be empty.</param>
/// <param name="Module">The last module.</param>
/// <param name="Parameter">The parameter with its dot; empty when the name has no module.</param>
internal readonly record struct TensorName(string Parent, string Module, string Parameter)
{
    internal static TensorName Parse(string name)
    {
        int last = name.LastIndexOf('.');
        if (last <= 0)
        {
            return new TensorName("", name, "");
        }

        int before = name.LastIndexOf('.', last - 1);
        return new TensorName(name[..(before + 1)], name[(before + 1)..last], name[last..]);
    }

    /// <summary>The same place in another module.</summary>
    internal string With(string module) => $"{Parent}{module}{Parameter}";
}
