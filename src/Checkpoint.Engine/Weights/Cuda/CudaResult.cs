namespace ApolloCheckpoint.Engine.Weights.Cuda;

/// <summary>The answers of the driver that are told apart here (CUresult of cuda.h); any other number keeps its value.</summary>
internal enum CudaResult
{
    /// <summary>Done, or (of an asynchronous call) begun.</summary>
    Success = 0,

    /// <summary>CUDA_ERROR_INVALID_VALUE.</summary>
    InvalidValue = 1,

    /// <summary>CUDA_ERROR_OUT_OF_MEMORY: no room on the device, or no memory to pin.</summary>
    OutOfMemory = 2,

    /// <summary>CUDA_ERROR_NOT_INITIALIZED.</summary>
    NotInitialized = 3,

    /// <summary>CUDA_ERROR_STUB_LIBRARY: the library that is only there to link against.</summary>
    StubLibrary = 34,

    /// <summary>CUDA_ERROR_DEVICE_UNAVAILABLE: taken by somebody, exclusively.</summary>
    DeviceUnavailable = 46,

    /// <summary>CUDA_ERROR_NO_DEVICE.</summary>
    NoDevice = 100,

    /// <summary>CUDA_ERROR_INVALID_DEVICE.</summary>
    InvalidDevice = 101,

    /// <summary>CUDA_ERROR_INVALID_CONTEXT: no context is current on this thread; also what a foreign PID namespace gives.</summary>
    InvalidContext = 201,

    /// <summary>CUDA_ERROR_MAP_FAILED.</summary>
    MapFailed = 205,

    /// <summary>CUDA_ERROR_PEER_ACCESS_UNSUPPORTED: the memory lies on a device that this one cannot reach.</summary>
    PeerAccessUnsupported = 217,

    /// <summary>CUDA_ERROR_INVALID_HANDLE: what a dead producer's handle gives.</summary>
    InvalidHandle = 400,

    /// <summary>CUDA_ERROR_ILLEGAL_ADDRESS: memory that was there is not any more.</summary>
    IllegalAddress = 700,

    /// <summary>CUDA_ERROR_SYSTEM_NOT_READY.</summary>
    SystemNotReady = 802,

    /// <summary>CUDA_ERROR_SYSTEM_DRIVER_MISMATCH: library and kernel module are of different versions.</summary>
    SystemDriverMismatch = 803,
}
