using ApolloCheckpoint.TestKit;
using Xunit;

namespace ApolloCheckpoint.Engine.Tests.Weights.Cuda;

/// <summary>The stand-in has one state a process, so its tests run one after the other.</summary>
[CollectionDefinition(FakeCuda.Collection)]
public class CudaCollection;
