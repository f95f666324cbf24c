namespace ApolloCheckpoint.Engine.Weights.Handles.Pickle;

/// <summary>A pickle speaks of something that no file of tensors needs.</summary>
/// <param name="global">What it speaks of.</param>
internal sealed class GlobalRefusedException(PickleGlobal global) : Exception(global.ToString())
{
    /// <summary>What it speaks of.</summary>
    internal PickleGlobal Global => global;
}
