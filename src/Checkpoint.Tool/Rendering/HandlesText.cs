using ApolloCheckpoint.Engine.Weights;
using ApolloCheckpoint.Engine.Weights.Handles;

namespace ApolloCheckpoint.Tool.Rendering;

/// <summary>A handles file for people: one row a tensor, the sum last. A handle itself is a capability and is never printed.</summary>
internal static class HandlesText
{
    /// <summary>Writes the table.</summary>
    public static void Write(TextWriter writer, HandlesDescription handles, bool colour)
    {
        Paint paint = new(colour);
        bool hasDigests = handles.Tensors.Any(tensor => tensor.Sha256 is not null);
        Table table = new(6);
        string[] head = ["tensor", "source", "dtype", "shape", "device", "allocation", "offset"];
        table.Add(hasDigests ? [.. head, "sha256"] : head);
        foreach (TensorDescription tensor in handles.Tensors)
        {
            string shape = $"[{string.Join(", ", tensor.Shape)}]";
            string place = tensor.Allocation ?? tensor.Record ?? "";
            string offset = Quantity.Count(tensor.AllocationOffset);
            string[] digest = hasDigests ? [tensor.Sha256 ?? ""] : [];
            table.Add([tensor.Name, tensor.Source, tensor.Dtype, shape, tensor.Device ?? "", place, offset, .. digest]);
        }

        table.WriteTo(writer, paint);
        string bytes = Quantity.Size(handles.Tensors.Sum(tensor => tensor.Extent));
        writer.WriteLine(
            $"{Quantity.Count(handles.Tensors.Count, "tensor")}, {bytes}, format {handles.Format}. Nothing was opened or executed."
        );
        if (handles.Unsafe is not null)
        {
            writer.WriteLine($"{paint.Warn("A sync would refuse it:")} {handles.Unsafe}");
        }
    }
}
