"""For ``--worker-extension-cls apollo_vllm.ApolloWorkerExtension``: what can be asked of a running server's workers.

    llm.collective_rpc("apollo_export")      one answer a rank
    llm.collective_rpc("apollo_state")

Attributes begin with ``apollo_``: vLLM refuses an extension whose names the worker has already. To combine it with another extension,
make a class that inherits from both.
"""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any, Iterator

from .state_file import loaded_root

_log = logging.getLogger("vllm.apollo")


class ApolloWorkerExtension:
    """Mixed into vLLM's worker, in every worker process."""

    def apollo_export(self) -> dict[str, Any]:
        """Publish again: after a reload, or when the export folder was lost. Never raises; an answer with ``error`` says why not.

        Where the published memory is still in use, the mapping proven after loading stands. Where a reload put new memory in its place,
        it is moved and proven anew against the files.
        """
        try:
            _publish_again(self.model_runner.get_model())  # type: ignore[attr-defined]
            return self.apollo_state()
        except Exception as error:  # told to the caller; the server goes on
            _log.exception("apollo: the weights could not be published again")
            return {"error": f"{type(error).__name__}: {error}", "pid": os.getpid()}

    def apollo_state(self) -> dict[str, Any]:
        """What this worker published: ``published``, ``pid``, and where there is something: ``rank``, ``folder``, ``generation``,
        ``live``, ``proven`` (counts), ``refused``."""
        from .publishing import current

        export = current()
        if export is None or export.loaded is None or export.found is None:
            return {"published": False, "pid": os.getpid()}
        return {
            "published": True,
            "pid": os.getpid(),
            "rank": export.loaded.rank,
            "folder": str(export.folder),
            "generation": export.generation,
            "live": sum(1 for tensor in export.found.tensors if tensor.alias_of is None),
            "proven": export.found.proven,
            "refused": export.loaded.refused,
        }


def _publish_again(model: Any) -> None:
    from .publishing import current, publish, write_all
    from .folder import prepare
    from .together import across_ranks, together

    def stands() -> bool:
        export = current()
        if export is None or export.loaded is None:
            raise RuntimeError("nothing was published when the model was loaded; start the server with --load-format apollo")
        prepare(export.folder)
        return export.holds(model)

    all_stand = all(together(across_ranks(), stands))
    export = current()
    assert export is not None and export.loaded is not None
    if all_stand:
        write_all(export, export.loaded)
    else:
        publish(model, export.loaded)


@contextmanager
def weights_being_written(directory: Path) -> Iterator[None]:
    """Bracket a reload from `directory` on the state page, so that no reader takes half of it for a step, and publish what was loaded.

    One rank's bracket is enough.
    """
    from . import state_page
    from .publishing import current

    export = current()
    if export is None or export.loaded is None:
        yield
        return
    page = export.folder / state_page.PAGE_NAME
    with state_page.WriteGuard(page) if export.loaded.rank == 0 and page.exists() else nullcontext():
        yield
        export.loaded.directory, export.loaded.root = directory.resolve(), loaded_root(directory)
    try:
        export.write()
    except OSError:
        _log.exception("apollo: after a reload the weights could not be published again")
