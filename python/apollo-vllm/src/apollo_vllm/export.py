"""One rank's export: from a loaded model and its trace to its handles in the export folder, and their end with the process."""

from __future__ import annotations

import os
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from . import folder as folders
from . import handles, producer, share, state_page
from .cuda import CudaMemory
from .guardian import Guardian
from .live import Survey, survey
from .memory import Memory
from .shards import read_shards
from .together import Exchange, alone
from .trace import Traced


@dataclass
class LoadedModel:
    """What a load left beside the model: its trace, where it came from, this rank's place (`parallel`) and the way to the others.

    `root`: of the version that the files held while they were read. `refused`: why nothing of it can be vouched for; then only that is published.
    """

    traced: Traced
    directory: Path
    root: str | None
    files: list[Path]
    facts: dict[str, Any]
    parallel: dict[str, Any]
    exchange: Exchange = alone
    refused: str | None = None

    @property
    def rank(self) -> int:
        """This process's rank."""
        return int(self.parallel["rank"])

    @property
    def world(self) -> int:
        """How many ranks there are."""
        return int(self.parallel["world"])


class Export:
    """One rank's published weights. They end with `withdraw`, at the latest with the process (see `guardian`)."""

    def __init__(self, folder: Path, rank: int, lock: int) -> None:
        self.folder = folder
        self.generation = 0
        self.loaded: LoadedModel | None = None
        self.found: Survey | None = None
        self._rank = rank
        self._lock = lock
        self._model: weakref.ref[torch.nn.Module] | None = None
        self._weights: share.SharedWeights | None = None
        self._prepared: share.SharedWeights | None = None
        self._moves = 0
        self._memory: Memory | None = None
        self._guardian = Guardian(folder / lock_name(rank))
        for name in self._names():
            self._guardian.watch(folder / name)

    def prepare(self, model: torch.nn.Module) -> None:
        """On the CPU backend, before the load: have it write into the file. What was published before stands until `survey`."""
        if self._prepared is not None:
            self._prepared.remove()
        self._prepared = self._move(model)

    def survey(self, model: torch.nn.Module, loaded: LoadedModel) -> Survey:
        """Move the weights to where readers reach them, and prove the rectangles."""
        if loaded.refused is not None:
            found = _refused(model, loaded.refused)
        else:
            self._memory = memory = self._memory_of(model)
            shards = read_shards(loaded.files)
            loaded.facts["header_sha256"] = shards.header_sha256
            found = survey(model, loaded.traced, shards, memory, tuple(loaded.parallel["pp"]))
        self._model, self.loaded, self.found = weakref.ref(model), loaded, found
        return found

    def write(self) -> None:
        """Write this rank's handles, as surveyed."""
        assert self.loaded is not None and self.found is not None
        page = self.folder / state_page.PAGE_NAME
        if self._rank == 0 and (self.generation == 0 or not page.exists()):
            state_page.create(page)
        self.generation += 1
        document = handles.Handles(
            rank=self._rank,
            generation=self.generation,
            producer=producer.describe(self.loaded.root),
            model={"path": str(self.loaded.directory), **self.loaded.facts},
            parallel=self.loaded.parallel,
            state_path=state_page.PAGE_NAME,
            allocator="none" if self._memory is None else self._memory.allocator,
            allocations=[] if self._memory is None else self._memory.allocations(),
            tensors=self.found.tensors,
            unmapped_disk=self.found.unmapped_disk,
        )
        handles.write(self.folder, document)

    def holds(self, model: torch.nn.Module) -> bool:
        """Whether the published memory is still what this model computes from."""
        if self._model is None or self._model() is not model or self._memory is None:
            return False
        return all(self._memory.place(p) is not None for p in model.parameters() if p.numel() and not p.is_meta)

    def withdraw(self) -> None:
        """Delete what was published."""
        os.close(self._lock)
        self._guardian.close()
        for weights in (self._weights, self._prepared):
            if weights is not None:
                weights.remove()

    def _names(self) -> list[str]:
        names = [handles.rank_file_name(self._rank)]
        return [*names, handles.INDEX_NAME, state_page.PAGE_NAME] if self._rank == 0 else names

    def _memory_of(self, model: torch.nn.Module) -> Memory:
        if any(parameter.is_cuda for parameter in model.parameters()):
            return CudaMemory(model)
        if self._weights is not None and self._weights.holds(model):
            return self._weights
        if self._prepared is None or not self._prepared.holds(model):
            self.prepare(model)
        assert self._prepared is not None
        self._prepared.give_back_unused()
        older, self._weights, self._prepared = self._weights, self._prepared, None
        if older is not None:
            older.remove()
        return self._weights

    def _move(self, model: torch.nn.Module) -> share.SharedWeights:
        folder = folders.weights_folder(self.folder, share.size_of(model))
        folders.remove_stale(folder, "*.weights")
        self._moves += 1
        path = folder / f"{os.getpid()}-{producer.start_ticks(os.getpid())}-{self._moves}.rank{self._rank}.weights"
        self._guardian.watch(path)
        return share.move(model, path)


def lock_name(rank: int) -> str:
    """The file by which a server holds a rank of an export folder."""
    return f"rank{rank}.lock"


def _refused(model: torch.nn.Module, reason: str) -> Survey:
    names = (name for name, _ in model.named_parameters(remove_duplicate=False))
    return Survey([handles.LiveTensor(name, None, 0, "", (), (), unsupported=reason) for name in names], {}, {})
