namespace ApolloCheckpoint.Tool.Rendering;

/// <summary>How the report of a sync is written.</summary>
internal enum OutputFormat
{
    /// <summary>For people.</summary>
    Text,

    /// <summary>For programs: fields may be added, never renamed.</summary>
    Json,

    /// <summary>The lines of the program this one replaces, on the streams it used.</summary>
    Classic,
}
