namespace ApolloCheckpoint.Engine.Weights.Handles.Pickle;

/// <summary>A pickle that is malformed or asks for something that is not allowed; the reader of the file says in which file.</summary>
/// <param name="what">The end of a sentence that begins with the file: "names the global os.system, ...".</param>
internal sealed class PickleException(string what) : Exception(what);
