using ApolloCheckpoint.Engine.Storage;

namespace ApolloCheckpoint.TestKit.Crashing;

/// <summary>
/// A disk in memory that forgets what was not flushed. It keeps the promises of <see cref="IDisk"/> and no more: data is durable after
/// the file's flush, a name after its folder's. <see cref="CrashImages.Of"/> gives the disks that a power cut could leave at this moment.
/// Any operation can be made to fail.
/// </summary>
public sealed class CrashingDisk : IDisk
{
    private const long FirstModifiedNs = 1_700_000_000_000_000_000;
    private readonly CrashTree tree;
    private readonly List<DiskOperation> operations = [];
    private Action? postponed;
    private bool isDead;

    /// <summary>An empty disk; "/" exists.</summary>
    public CrashingDisk()
        : this(new CrashTree()) { }

    internal CrashingDisk(CrashTree tree) => this.tree = tree;

    /// <summary>What was done so far, failed operations left out.</summary>
    public IReadOnlyList<DiskOperation> Operations => operations;

    /// <summary>Operations begun so far, failed ones counted too; <see cref="DiskFault.Operation"/> is compared with it.</summary>
    public int Begun { get; private set; }

    /// <summary>The failure to come, or null.</summary>
    public DiskFault? Fault { get; set; }

    /// <summary>A promise that this disk breaks without a word, or null: what a test of tests removes.</summary>
    public Sabotage? Sabotage { get; set; }

    /// <summary>The process dies right after the operation of this number, and does nothing more, not even clean up; null: it lives.</summary>
    public int? DiesAfter { get; set; }

    /// <summary>Called after each operation, on the thread that did it, while no other thread can touch the disk.</summary>
    public Action<DiskOperation>? AfterOperation { get; set; }

    /// <summary>Bytes that all files together may have.</summary>
    public long Capacity { get; set; } = 1L << 40;

    /// <summary>Goes into <see cref="ContentHash"/>.</summary>
    public int Variant
    {
        get => tree.Variant;
        set => tree.Variant = value;
    }

    /// <summary>A number made of all names and bytes as a process sees them now, and of the variant.</summary>
    public UInt128 ContentHash
    {
        get
        {
            lock (Gate)
            {
                UInt128 hash = CrashImage.Make(tree, _ => true, node => [.. node.Content.Choices.Select(choices => choices - 1)]).Hash;
                return hash + (UInt128)tree.Variant;
            }
        }
    }

    internal CrashTree Tree => tree;

    internal object Gate => tree;

    /// <inheritdoc/>
    public FileEntry? Stat(string path)
    {
        lock (Gate)
        {
            return tree.Find(path) is { } node ? Entry(node) : null;
        }
    }

    /// <inheritdoc/>
    public string ResolveLink(string path)
    {
        lock (Gate)
        {
            return tree.Resolve(path) ?? throw new FileNotFoundException($"{path} is a link that leads nowhere", path);
        }
    }

    /// <inheritdoc/>
    public IReadOnlyList<string> List(string folder)
    {
        lock (Gate)
        {
            return tree.FindFolder(folder) is { } node ? [.. node.Names.Keys.Order(StringComparer.Ordinal)] : [];
        }
    }

    /// <inheritdoc/>
    public IDiskFile Open(string path, bool writable = false)
    {
        lock (Gate)
        {
            return tree.Find(path) switch
            {
                null => throw DiskErrors.For(Libc.ENOENT, "open", path),
                { Kind: FileEntryKind.File } node => new CrashingFile(this, node, path, writable),
                { Kind: FileEntryKind.Link } => throw DiskErrors.For(Libc.ELOOP, "open", path, !writable),
                _ => throw DiskErrors.For(Libc.EISDIR, "open", path, !writable),
            };
        }
    }

    /// <inheritdoc/>
    public IDiskFile Create(string path, bool isPrivate = false)
    {
        lock (Gate)
        {
            CrashNode node = MakeNew(path, "open", DiskOperationKind.Create, () => tree.NewFile(isPrivate ? 0x180 : 0x1A4));
            return new CrashingFile(this, node, path, writable: true);
        }
    }

    /// <inheritdoc/>
    public void Rename(string from, string to) => Rename(from, to, replace: true);

    /// <inheritdoc/>
    public void RenameNew(string from, string to) => Rename(from, to, replace: false);

    /// <inheritdoc/>
    public void Delete(string path)
    {
        lock (Gate)
        {
            (CrashNode folder, string name) = Parent(path, "unlink");
            if (!folder.Names.ContainsKey(name))
            {
                throw DiskErrors.For(Libc.ENOENT, "unlink", path);
            }

            FailIfTold(DiskOperationKind.Delete, "unlink", path);
            Perform(() => tree.Change(new NameChange((folder, name), null)));
            End(DiskOperationKind.Delete, path);
        }
    }

    /// <inheritdoc/>
    public void CreateFolder(string path)
    {
        lock (Gate)
        {
            if (tree.Find(path) is null)
            {
                MakeNew(path, "mkdir", DiskOperationKind.CreateFolder, tree.NewFolder);
            }
        }
    }

    /// <inheritdoc/>
    public void DeleteFolder(string path)
    {
        lock (Gate)
        {
            (CrashNode folder, string name) = Parent(path, "rmdir");
            CrashNode? node = folder.Names.GetValueOrDefault(name);
            if (node?.Kind != FileEntryKind.Folder || node.Names.Count > 0)
            {
                throw DiskErrors.For(
                    node is null ? Libc.ENOENT
                        : node.Names.Count > 0 ? Libc.ENOTEMPTY
                        : Libc.ENOTDIR,
                    "rmdir",
                    path
                );
            }

            FailIfTold(DiskOperationKind.DeleteFolder, "rmdir", path);
            Perform(() => tree.Change(new NameChange((folder, name), null)));
            End(DiskOperationKind.DeleteFolder, path);
        }
    }

    /// <inheritdoc/>
    public void FlushFolder(string folder)
    {
        lock (Gate)
        {
            CrashNode node = tree.FindFolder(folder) ?? throw DiskErrors.For(Libc.ENOENT, "open", folder);
            FailIfTold(DiskOperationKind.FlushFolder, "fsync", folder);
            Perform(() => tree.Flush(node));
            End(DiskOperationKind.FlushFolder, folder);
        }
    }

    /// <inheritdoc/>
    public IDisposable? TryLock(string path, bool shared)
    {
        lock (Gate)
        {
            CrashNode node = tree.Find(path) ?? MakeNew(path, "open", DiskOperationKind.Create, () => tree.NewFile(0x1A4));
            if (!LocksLie && (shared ? node.Locks.Contains(false) : node.Locks.Count > 0))
            {
                return null;
            }

            node.Locks.Add(shared);
            return new HeldLock(this, node, shared);
        }
    }

    /// <inheritdoc/>
    public long AvailableBytes(string path)
    {
        lock (Gate)
        {
            return Math.Max(0, Capacity - tree.UsedBytes());
        }
    }

    /// <summary>Whether everybody gets every lock, as on some network file systems.</summary>
    public bool LocksLie { get; set; }

    /// <summary>What the disk has against itself, or null.</summary>
    public string? Unfit { get; set; }

    /// <inheritdoc/>
    public string? UnfitReason(string path) => Unfit;

    /// <summary>Puts a symbolic link there, durably.</summary>
    public void MakeLink(string path, string target)
    {
        (CrashNode folder, string name) = Parent(path, "symlink");
        tree.Settle(folder, name, tree.NewLink(target));
    }

    /// <summary>Gives an existing file a second name, durably.</summary>
    public void MakeHardLink(string path, string existing)
    {
        (CrashNode folder, string name) = Parent(path, "link");
        tree.Settle(folder, name, tree.Find(existing) ?? throw DiskErrors.For(Libc.ENOENT, "link", existing));
    }

    /// <summary>Makes a byte range unreadable: reading any of it is EIO.</summary>
    public void MakeUnreadable(string path, long fileOffset, long length) =>
        (tree.Find(path) ?? throw DiskErrors.For(Libc.ENOENT, "open", path)).BadRanges.Add((fileOffset, fileOffset + length));

    internal static Exception Failure(DiskFaultKind kind, string call, string path) =>
        DiskErrors.For(kind == DiskFaultKind.NoSpace ? Libc.ENOSPC : Libc.EIO, call, path);

    internal void RequireSpace(long bytes, string call, string path)
    {
        if (bytes > 0 && tree.UsedBytes() + bytes > Capacity)
        {
            throw DiskErrors.For(Libc.ENOSPC, call, path);
        }
    }

    /// <summary>Counts an operation; says whether it fails.</summary>
    internal DiskFaultKind? Begin(DiskOperationKind kind, string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (isDead)
        {
            throw new ProcessDiedException();
        }

        Begun++;
        return Fault?.Hits(Begun, kind) == true ? Fault.Kind : null;
    }

    /// <summary>Notes an operation that succeeded.</summary>
    internal void End(DiskOperationKind kind, string path, CrashNode? changed = null, long fileOffset = 0, long length = 0)
    {
        if (changed is not null)
        {
            changed.ModifiedNs = FirstModifiedNs + Begun * 1_000_000L;
        }

        DiskOperation operation = new(Begun, kind, path, fileOffset, length);
        operations.Add(operation);
        AfterOperation?.Invoke(operation);
        if (postponed is { } late && Begun >= Sabotage?.Until)
        {
            postponed = null;
            late();
        }

        if (Begun == DiesAfter)
        {
            isDead = true;
            throw new ProcessDiedException();
        }
    }

    /// <summary>Does what an operation promises: now, unless that promise is the one that is broken.</summary>
    internal void Perform(Action effect)
    {
        if (Sabotage is not { } broken || broken.Operation != Begun)
        {
            effect();
        }
        else if (broken.Until is not null)
        {
            postponed = effect;
        }
    }

    /// <summary>
    /// The disk as the next process finds it when this one died and the machine did not: everything is there, and what was not flushed
    /// may still be lost.
    /// </summary>
    public CrashingDisk Restarted()
    {
        foreach (CrashNode node in CrashTree.Reachable(tree.Root, node => node.Names))
        {
            node.Locks.Clear();
        }

        return new CrashingDisk(tree) { Begun = Begun };
    }

    private void FailIfTold(DiskOperationKind kind, string call, string path)
    {
        if (Begin(kind, path) is { } fault)
        {
            throw Failure(fault, call, path);
        }
    }

    private CrashNode MakeNew(string path, string call, DiskOperationKind kind, Func<CrashNode> make)
    {
        (CrashNode folder, string name) = Parent(path, call);
        if (folder.Names.ContainsKey(name))
        {
            throw DiskErrors.For(Libc.EEXIST, call, path);
        }

        FailIfTold(kind, call, path);
        CrashNode node = make();
        tree.Change(new NameChange(null, (folder, name, node)));
        End(kind, path, node);
        return node;
    }

    private void Rename(string from, string to, bool replace)
    {
        lock (Gate)
        {
            string both = $"{from} to {to}";
            (CrashNode fromFolder, string fromName) = Parent(from, "rename");
            (CrashNode toFolder, string toName) = Parent(to, "rename");
            if (!fromFolder.Names.TryGetValue(fromName, out CrashNode? node))
            {
                throw DiskErrors.For(Libc.ENOENT, "rename", both);
            }

            if (!replace && toFolder.Names.ContainsKey(toName))
            {
                throw DiskErrors.For(Libc.EEXIST, "rename", both);
            }

            FailIfTold(DiskOperationKind.Rename, "rename", both);
            Perform(() => tree.Change(new NameChange((fromFolder, fromName), (toFolder, toName, node))));
            End(DiskOperationKind.Rename, both);
        }
    }

    private (CrashNode Folder, string Name) Parent(string path, string call)
    {
        string full = Path.GetFullPath(path);
        CrashNode folder = tree.FindFolder(Path.GetDirectoryName(full) ?? "/") ?? throw DiskErrors.For(Libc.ENOENT, call, path);
        return (folder, Path.GetFileName(full));
    }

    private FileEntry Entry(CrashNode node) =>
        new(
            node.Kind,
            node.Content.Length,
            tree.CountNames(node),
            Device: 1,
            node.Id,
            node.ModifiedNs,
            SystemUser.Current,
            node.Kind == FileEntryKind.Folder ? 0x1ED : node.Mode
        );

    private sealed class HeldLock(CrashingDisk disk, CrashNode node, bool shared) : IDisposable
    {
        private bool isReleased;

        public void Dispose()
        {
            lock (disk.Gate)
            {
                if (!isReleased)
                {
                    isReleased = true;
                    node.Locks.Remove(shared);
                }
            }
        }
    }
}
