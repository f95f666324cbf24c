using System.Runtime.InteropServices;

namespace ApolloCheckpoint.TestKit.Fuzzing;

/// <summary>Processor time of the calling thread, which other processes do not stretch.</summary>
internal static partial class ThreadClock
{
    private const int ThreadProcessorTime = 3;

    /// <summary>Processor time that this thread has used.</summary>
    internal static TimeSpan Now =>
        ClockGetTime(ThreadProcessorTime, out TimeSpec time) == 0
            ? TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromMicroseconds(time.Nanoseconds / 1000.0)
            : throw new InvalidOperationException("this system counts no processor time of threads");

    [LibraryImport("libc", EntryPoint = "clock_gettime")]
    private static partial int ClockGetTime(int clock, out TimeSpec time);

    [StructLayout(LayoutKind.Sequential)]
    private struct TimeSpec
    {
        public long Seconds;
        public long Nanoseconds;
    }
}
