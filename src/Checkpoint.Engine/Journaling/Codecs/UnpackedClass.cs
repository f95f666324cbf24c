namespace ApolloCheckpoint.Engine.Journaling.Codecs;

/// <summary>One class as a decoder found it in a stream.</summary>
/// <param name="Class">The class.</param>
/// <param name="FirstWord">Where its bit string begins in <see cref="WorkArrays.Strings"/>; zeros follow it up to the next.</param>
/// <param name="Length">Bits of the string.</param>
/// <param name="IsWhole">Whether the string is as long as the class has elements; else it ends with the last change.</param>
/// <param name="FirstStep">Where its steps begin in <see cref="WorkArrays.Steps{T}"/>.</param>
/// <param name="Changes">How many ones the string has, and steps.</param>
internal readonly record struct UnpackedClass(int Class, int FirstWord, int Length, bool IsWhole, int FirstStep, int Changes);
