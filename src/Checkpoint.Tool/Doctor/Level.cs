namespace ApolloCheckpoint.Tool.Doctor;

/// <summary>How bad a finding is.</summary>
internal enum Level
{
    /// <summary>In order.</summary>
    Ok,

    /// <summary>A sync works, but this should be looked at.</summary>
    Warn,

    /// <summary>A sync would not work now.</summary>
    Fail,
}
