"""The export folder: where it is, who may own it, and what a server that died left in it.

A handle is a capability to the weights, so the folder is private to its user: mode 0700, no symbolic link, no other owner.
"""

from __future__ import annotations

import fcntl
import os
import stat
import time
from pathlib import Path

EXPORT_DIR_VARIABLE = "APOLLO_EXPORT_DIR"

_SHARED_MEMORY = Path("/dev/shm")

# Seconds that a server which is being stopped may hold its folder while the next one starts: vLLM gives its workers a while to end.
TAKEOVER_SECONDS = 20.0

# Space to leave free in shared memory: other programs (vLLM's own queues among them) live there too.
_RESERVE_BYTES = 64 << 20


class FolderError(Exception):
    """A folder or file that handles may not be kept in."""


def default_export_dir() -> Path:
    """APOLLO_EXPORT_DIR, else ``apollo`` in the user's runtime folder, else one in shared memory. Nothing is created."""
    named = os.environ.get(EXPORT_DIR_VARIABLE)
    if named:
        return Path(named).absolute()
    uid = os.geteuid()
    for runtime in (os.environ.get("XDG_RUNTIME_DIR"), f"/run/user/{uid}"):
        if runtime and _is_private(Path(runtime)):
            return Path(runtime) / "apollo"
    return shared_memory_folder()


def shared_memory_folder() -> Path:
    """This user's folder in shared memory."""
    return _SHARED_MEMORY / f"apollo-{os.geteuid()}"


def prepare(folder: Path) -> Path:
    """Create the folder if need be. Raises FolderError when it is a link, belongs to somebody else or others may write to it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.mkdir(mode=0o700)
    except FileExistsError:
        pass
    if not _is_private(folder):
        raise FolderError(f"{folder} must be a folder of user {os.geteuid()} that nobody else may write to, and no symbolic link")
    return folder


def weights_folder(export_dir: Path, size: int) -> Path:
    """Where a file of `size` bytes with the weights goes: shared memory where it is roomy, else the export folder."""
    try:
        space = os.statvfs(_SHARED_MEMORY)
        if space.f_bavail * space.f_frsize >= size + _RESERVE_BYTES:
            return prepare(shared_memory_folder())
    except (OSError, FolderError):
        pass
    return export_dir


def claim(path: Path, patience: float = 0.0) -> int | None:
    """Hold a file as this process's own for as long as it lives; None when another living process holds it for `patience` seconds.

    An advisory lock, so it dies with the process, whatever its end, and is right across PID namespaces. The holder's process id is
    written into the file, for messages only.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() >= deadline:
                os.close(descriptor)
                return None
            time.sleep(0.1)
    if patience:
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def holder_of(path: Path) -> str:
    """Who wrote itself into a file of `claim`, for a message."""
    try:
        return f"process {int(path.read_text())}"
    except (OSError, ValueError):
        return "a process that did not write down its id"


def remove_stale(folder: Path, pattern: str) -> list[Path]:
    """Delete the files that fit the pattern and that no living process claims; returns them."""
    removed: list[Path] = []
    for path in folder.glob(pattern):
        if path.is_symlink() or not path.is_file():
            continue
        descriptor = claim(path)
        if descriptor is not None:
            path.unlink(missing_ok=True)
            os.close(descriptor)
            removed.append(path)
    return removed


def write_atomically(path: Path, content: bytes) -> None:
    """Write a private file so that readers see the old one or the whole new one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    os.rename(temporary, path)


def require_private_file(path: Path, opened: os.stat_result | None = None) -> None:
    """Raises FolderError unless it is a regular file of this user or root that nobody else may write to.

    `opened`: its status, where the caller has it open already.
    """
    status = opened or os.lstat(path)
    if not stat.S_ISREG(status.st_mode) or status.st_uid not in (os.geteuid(), 0) or status.st_mode & 0o022:
        raise FolderError(f"{path} must be a regular file of user {os.geteuid()} that nobody else may write to")


def _is_private(folder: Path) -> bool:
    try:
        status = os.lstat(folder)
    except OSError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and not status.st_mode & 0o022
