using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Weights;

/// <summary>One rectangle of a live tensor that is a rectangle of a tensor on disk, as a handles file v2 says.</summary>
/// <param name="DiskName">The tensor's name on disk.</param>
/// <param name="Live">The rectangle in the live tensor, elements.</param>
/// <param name="File">The rectangle in the tensor on disk, elements; as many elements, in the same order.</param>
/// <param name="Proof">How the hook proved it: "full", "sample", "none".</param>
/// <param name="Unused">True: a copy that nothing computes with; never read.</param>
/// <param name="IsReplica">True: another part holds the same rectangle of the same tensor, and that one is read.</param>
public sealed record LivePart(string DiskName, Rectangle Live, Rectangle File, string Proof, bool Unused = false, bool IsReplica = false);
