"""Publishing: from a loaded model and its trace to the handles in the export folder, and their end with the process."""

from __future__ import annotations

import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from . import folder as folders
from . import handles, producer, share, state_page
from .guardian import Guardian
from .hold import loaded_root
from .live import Survey, survey
from .shards import read_shards
from .trace import Traced

_log = logging.getLogger("vllm.apollo")


@dataclass(frozen=True)
class LoadedModel:
    """What a load left: the model, its trace, and where it came from."""

    model: torch.nn.Module
    traced: Traced
    directory: Path
    files: list[Path]
    facts: dict[str, Any]
    parallel: dict[str, Any]


class Export:
    """One rank's published weights. They end with `withdraw`, at the latest with the process (see `guardian`)."""

    def __init__(self, folder: Path, rank: int, lock: int) -> None:
        self._folder = folder
        self._rank = rank
        self._lock = lock
        self._weights: share.SharedWeights | None = None
        self._generation = 0
        self._guardian = Guardian(folder / lock_name(rank))
        for name in self._names():
            self._guardian.watch(folder / name)

    def publish(self, loaded: LoadedModel) -> Survey:
        """Move the weights into shared memory, prove the rectangles and write the handles."""
        path = self._weights_path(share.size_of(loaded.model))
        self._guardian.watch(path)
        older, self._weights = self._weights, share.move(loaded.model, path)
        if older is not None:
            older.remove()
        found = survey(loaded.model, loaded.traced, shards := read_shards(loaded.files), self._weights)
        if self._rank == 0:
            state_page.create(self._folder / state_page.PAGE_NAME)
        self._generation += 1
        document = handles.Handles(
            rank=self._rank,
            generation=self._generation,
            producer=producer.describe(loaded_root(loaded.directory)),
            model={"path": str(loaded.directory), **loaded.facts, "header_sha256": shards.header_sha256},
            parallel=loaded.parallel,
            state_path=state_page.PAGE_NAME,
            allocations=[handles.file_allocation(self._weights.path, self._weights.size)],
            tensors=found.tensors,
            unmapped_disk=found.unmapped_disk,
        )
        handles.write(self._folder, document, loaded.parallel["world"])
        return found

    def withdraw(self) -> None:
        """Delete what was published."""
        os.close(self._lock)
        self._guardian.close()
        if self._weights is not None:
            self._weights.remove()

    def _names(self) -> list[str]:
        names = [handles.rank_file_name(self._rank)]
        return [*names, handles.INDEX_NAME, state_page.PAGE_NAME] if self._rank == 0 else names

    def _weights_path(self, size: int) -> Path:
        folder = folders.weights_folder(self._folder, size)
        folders.remove_stale(folder, "*.weights")
        return folder / f"{os.getpid()}-{producer.start_ticks(os.getpid())}-{self._generation}.rank{self._rank}.weights"


def lock_name(rank: int) -> str:
    """The file by which a server holds a rank of an export folder."""
    return f"rank{rank}.lock"


_exports: dict[tuple[Path, int], Export] = {}


def publish(loaded: LoadedModel) -> None:
    """Publish into the export folder. Raises when that cannot be; the caller decides what a failure costs."""
    folder = folders.prepare(folders.default_export_dir())
    export = _export_of(folder, loaded.parallel["rank"])
    found = export.publish(loaded)
    _report(found, folder)


def _export_of(folder: Path, rank: int) -> Export:
    """This process's export there, or a new one."""
    existing = _exports.get((folder, rank))
    if existing is not None:
        return existing
    lock = folders.claim(folder / lock_name(rank))
    if lock is None:
        raise folders.FolderError(
            f"another server publishes into {folder}; give each its own folder by {folders.EXPORT_DIR_VARIABLE}"
        )
    export = _exports[(folder, rank)] = Export(folder, rank, lock)
    return export


def _report(found: Survey, folder: Path) -> None:
    originals = [tensor for tensor in found.tensors if tensor.alias_of is None]
    _log.info(
        "apollo: %d live tensors, %d tensors on disk proven, %d not live; handles in %s",
        len(originals), found.proven, len(found.unmapped_disk), folder,
    )
    for tensor in originals:
        if tensor.unsupported:
            _log.warning("apollo: %s is not supported: %s", tensor.name, tensor.unsupported)
    for name, why in sorted(found.undecided.items()):
        _log.warning("apollo: %s has no live rectangle: %s", name, why)
