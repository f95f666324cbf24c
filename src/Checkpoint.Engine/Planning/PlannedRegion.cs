using ApolloCheckpoint.Engine.Model;
using ApolloCheckpoint.Engine.Weights;

namespace ApolloCheckpoint.Engine.Planning;

/// <summary>A rectangle of a live tensor and the rectangle of a tensor on disk that it belongs to; same elements, same order.</summary>
/// <param name="Live">The live tensor.</param>
/// <param name="LiveRectangle">Elements inside it.</param>
/// <param name="FileRectangle">Elements inside the tensor on disk.</param>
public sealed record PlannedRegion(LiveTensor Live, Rectangle LiveRectangle, Rectangle FileRectangle);
