namespace ApolloCheckpoint.Engine.Weights.Handles.Pickle;

/// <summary>A call of one of torch's rebuild functions that a pickle asks for. It is never made: function and arguments are data.</summary>
/// <param name="function">What would be called.</param>
/// <param name="arguments">With what.</param>
internal sealed class PickleCall(PickleGlobal function, PickleTuple arguments)
{
    /// <summary>What would be called.</summary>
    internal PickleGlobal Function => function;

    /// <summary>With what.</summary>
    internal PickleTuple Arguments => arguments;
}
