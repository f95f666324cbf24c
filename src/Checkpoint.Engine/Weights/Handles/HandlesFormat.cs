namespace ApolloCheckpoint.Engine.Weights.Handles;

/// <summary>The containers that handles and tensors come in.</summary>
internal enum HandlesFormat
{
    /// <summary>Our JSON, version 2.</summary>
    Json,

    /// <summary>torch.save's zip archive.</summary>
    TorchZip,

    /// <summary>torch.save's older container of consecutive pickles.</summary>
    TorchLegacy,
}
