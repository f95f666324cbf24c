"""Publishing on all ranks or on none: each writes its own file, and the first names them in the index when all are there."""

from __future__ import annotations

import logging
from pathlib import Path

import torch

from . import folder as folders
from . import handles, producer
from .export import Export, LoadedModel, lock_name
from .live import Survey
from .ranks import Claim, claims, mark_replicas
from .together import together

_log = logging.getLogger("vllm.apollo")

# Seconds that `prepare` waits for a folder: what is not free now is asked for again after the load.
_GLANCE_SECONDS = 0.1

_exports: dict[tuple[Path, int], Export] = {}
_current: Export | None = None


def prepare(model: torch.nn.Module, rank: int) -> None:
    """On the CPU backend, before the load. Raises when it cannot be; `publish` then does it after the load.

    Waits for no other server to leave the folder: the load gives it time.
    """
    _export_of(folders.prepare(folders.default_export_dir()), rank, _GLANCE_SECONDS).prepare(model)


def publish(model: torch.nn.Module, loaded: LoadedModel) -> None:
    """Publish into the export folder. Every rank calls it; raises on all of them when it cannot be on one."""

    def find() -> tuple[list[Claim], str]:
        folder = folders.prepare(folders.default_export_dir())
        found = _export_of(folder, loaded.rank).survey(model, loaded)
        return claims(found.parts), producer.boot_id()

    everyone = together(loaded.exchange, find)
    if len({boot for _, boot in everyone}) > 1:
        raise folders.FolderError("the ranks run on several machines; their memory has no common folder")
    export = current()
    assert export is not None and export.found is not None
    mark_replicas(export.found.parts, loaded.rank, [held for held, _ in everyone])
    write_all(export, loaded)
    _report(export.found, loaded, export.folder)


def write_all(export: Export, loaded: LoadedModel) -> None:
    """Write every rank's handles, then the index. Every rank calls it."""
    together(loaded.exchange, export.write)
    if loaded.rank == 0:
        handles.write_index(export.folder, loaded.world)


def current() -> Export | None:
    """What this process published last, or None."""
    return _current


def _export_of(folder: Path, rank: int, patience: float = folders.TAKEOVER_SECONDS) -> Export:
    """This process's export there, or a new one."""
    global _current
    existing = _exports.get((folder, rank))
    if existing is not None:
        _current = existing
        return existing
    lock = folders.claim(folder / lock_name(rank), patience)
    if lock is None:
        raise folders.FolderError(
            f"another server ({folders.holder_of(folder / lock_name(rank))}) publishes into {folder}; "
            f"give each its own folder by {folders.EXPORT_DIR_VARIABLE}"
        )
    _current = _exports[(folder, rank)] = Export(folder, rank, lock)
    return _current


def _report(found: Survey, loaded: LoadedModel, folder: Path) -> None:
    where = f"rank {loaded.rank} of {loaded.world}: " if loaded.world > 1 else ""
    if loaded.refused is not None:
        _log.warning("apollo: %snothing can be synced: %s", where, loaded.refused)
        return
    originals = [tensor for tensor in found.tensors if tensor.alias_of is None]
    _log.info(
        "apollo: %s%d live tensors, %d tensors on disk proven, %d not live; handles in %s",
        where, len(originals), found.proven, len(found.unmapped_disk), folder,
    )
    for tensor in originals:
        if tensor.unsupported:
            _log.warning("apollo: %s%s is not supported: %s", where, tensor.name, tensor.unsupported)
    for name, why in sorted(found.undecided.items()):
        _log.warning("apollo: %s%s has no live rectangle: %s", where, name, why)
