using ApolloCheckpoint.Engine.Model;

namespace ApolloCheckpoint.Engine.Weights.Handles;

/// <summary>Reads the tensors of one rank's JSON file, each proven to lie inside its allocation.</summary>
/// <param name="allocations">The allocations by id.</param>
/// <param name="rank">The rank of the file.</param>
/// <param name="refusal">Why no tensor of the file can be vouched for, or null.</param>
internal sealed class HandlesJsonTensors(Dictionary<long, HandleAllocation> allocations, int rank, string? refusal)
{
    private readonly Dictionary<string, HandleTensor> byName = new(StringComparer.Ordinal);
    private readonly List<HandleTensor> all = [];

    /// <summary>The tensors read so far, in the order of the file.</summary>
    internal IReadOnlyList<HandleTensor> All => all;

    /// <summary>Reads one.</summary>
    /// <exception cref="CheckpointException">HandlesMalformed.</exception>
    internal void Add(JsonFields row)
    {
        string name = row.Text("name");
        JsonFields fields = row.In($"{row.Where}: tensor \"{name}\"");
        HandleTensor tensor = Place(fields, name);
        tensor = tensor with
        {
            Parts = fields.IsList("parts")
                ? [.. fields.Objects("parts").Select(part => ReadPart(part.In(fields.Where), tensor.Layout.Shape))]
                : null,
            Unsupported = fields.OptionalText("unsupported") ?? refusal,
        };
        if (!byName.TryAdd(name, tensor))
        {
            throw fields.Wrong("stands twice");
        }

        all.Add(tensor);
    }

    private HandleTensor Place(JsonFields fields, string name)
    {
        if (fields.OptionalNumber("alloc") is { } id)
        {
            return InAllocation(fields, name, id);
        }

        if (fields.OptionalText("alias_of") is { } other)
        {
            return byName.TryGetValue(other, out HandleTensor? known)
                ? known with
                {
                    Name = name,
                }
                : throw fields.Wrong($"is the alias of \"{other}\", which does not stand before it");
        }

        // The hook names what it cannot publish, so that the plan can say why; there are no bytes to it.
        return fields.OptionalText("unsupported") is not null
            ? new HandleTensor(name, Layout(fields, ElementType.U8, [0], null)) { Rank = rank }
            : throw fields.Wrong("has no number \"alloc\"");
    }

    private HandleTensor InAllocation(JsonFields fields, string name, long id)
    {
        if (!allocations.TryGetValue(id, out HandleAllocation? allocation))
        {
            throw fields.Wrong($"lies in allocation {id}, which is not listed");
        }

        string spelling = fields.Text("dtype");
        if (!ElementTypes.TryParse(spelling, out ElementType type))
        {
            throw fields.Wrong($"has the unknown dtype \"{spelling}\"");
        }

        List<long> shape = fields.OptionalNumbers("shape") ?? throw fields.Wrong("has no list \"shape\"");
        TensorLayout layout = Layout(fields, type, shape, fields.OptionalNumbers("stride"));
        long offset = fields.Number("offset");
        if (offset > allocation.Size || layout.Extent > allocation.Size - offset)
        {
            throw fields.Wrong(
                $"takes bytes {offset} to {(decimal)offset + layout.Extent} of allocation {id}, which has {allocation.Size}"
            );
        }

        return new HandleTensor(name, layout)
        {
            Allocation = layout.Elements == 0 ? null : allocation,
            AllocationOffset = offset,
            Rank = rank,
        };
    }

    private static TensorLayout Layout(JsonFields fields, ElementType type, IReadOnlyList<long> shape, List<long>? stride) =>
        TensorLayout.TryCreate(type, shape, stride, out TensorLayout? layout, out string? problem) ? layout : throw fields.Wrong(problem);

    private static LivePart ReadPart(JsonFields part, IReadOnlyList<long> shape)
    {
        string diskName = part.Text("hf");
        JsonFields fields = part.In($"{part.Where}: part \"{diskName}\"");
        Rectangle live = ReadRectangle(fields, "live", shape);
        Rectangle file = ReadRectangle(fields, "file", live.Length);
        if (!live.FitsIn(shape))
        {
            throw fields.Wrong($"takes {live} of a tensor of shape [{string.Join(", ", shape)}]");
        }

        if (live.Elements != file.Elements)
        {
            throw fields.Wrong($"has {live.Elements} elements in memory and {file.Elements} on disk");
        }

        string proof = fields.OptionalText("proof") ?? "none";
        if (proof is not ("full" or "sample" or "none"))
        {
            throw fields.Wrong($"has the unknown proof \"{proof}\"");
        }

        return new LivePart(diskName, live, file, proof, fields.Flag("unused"), IsReplica(fields));
    }

    /// <summary>Either form: {"start":[...],"length":[...]}, or {"dim":d,"start":s,"length":n} where the other dimensions are whole.</summary>
    /// <param name="fields">The part.</param>
    /// <param name="name">"live" or "file"; a missing one is whole.</param>
    /// <param name="whole">Lengths of the other dimensions: the live shape; for the file those of the live rectangle.</param>
    private static Rectangle ReadRectangle(JsonFields fields, string name, IReadOnlyList<long> whole)
    {
        if (fields.OptionalObject(name) is not { } rectangle)
        {
            return Rectangle.Whole(whole);
        }

        try
        {
            if (rectangle.IsList("start"))
            {
                List<long> start = rectangle.OptionalNumbers("start") ?? [];
                List<long> length = rectangle.OptionalNumbers("length") ?? throw fields.Wrong($"has a \"{name}\" without length");
                return start.Count == length.Count
                    ? new Rectangle(start, length)
                    : throw fields.Wrong($"has a \"{name}\" with {start.Count} starts and {length.Count} lengths");
            }

            long dimension = rectangle.Number("dim");
            if (dimension >= whole.Count)
            {
                throw fields.Wrong($"has a \"{name}\" along dimension {dimension} of {whole.Count}");
            }

            int axis = (int)dimension;
            return new Rectangle(
                [.. whole.Select((_, i) => i == axis ? rectangle.Number("start") : 0)],
                [.. whole.Select((size, i) => i == axis ? rectangle.Number("length") : size)]
            );
        }
        catch (OverflowException)
        {
            throw fields.Wrong($"has a \"{name}\" larger than can be counted");
        }
    }

    /// <summary>replica_of names the rank or part that is read instead; false or null says that there is none.</summary>
    private static bool IsReplica(JsonFields fields) => fields.Has("replica_of");
}
