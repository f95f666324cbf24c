"""Who publishes: the facts by which a reader tells whether the producer still lives."""

from __future__ import annotations

import os
from importlib import metadata
from pathlib import Path
from typing import Any

from .version import __version__


def start_ticks(pid: int) -> int | None:
    """When a process started, in clock ticks since boot (/proc/PID/stat, field 22); None when there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The second field is the program's name in parentheses and may hold anything; counting begins behind it.
    return int(text.rpartition(")")[2].split()[19])


def boot_id() -> str:
    """This boot's id."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def pid_namespace() -> int:
    """Inode of this process's PID namespace."""
    return os.stat("/proc/self/ns/pid").st_ino


def describe(loaded_root: str | None) -> dict[str, Any]:
    """The ``producer`` object of a handles file, for this process."""
    pid = os.getpid()
    return {
        "kind": "vllm",
        "version": version_of("vllm"),
        "torch": version_of("torch"),
        "pid": pid,
        "pid_start": start_ticks(pid),
        "boot_id": boot_id(),
        "pid_ns": pid_namespace(),
        "uid": os.geteuid(),
        "hook": f"apollo-vllm {__version__}",
        "loaded_root": loaded_root,
    }


def version_of(package: str) -> str | None:
    """An installed package's version."""
    for name in (package, f"{package}-cpu"):
        try:
            return metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return None
