"""The apollo-checkpoint hook for vLLM.

What is public:

* `register` is the vLLM plugin: it offers the load format ``apollo`` (see `plugin`).
* `step_guard` brackets a trainer's optimizer step, so that readers see whole steps (see `state_page`).
* `attach` gives a trainer in another process the live tensors under their names on disk, `attach_ranks` those of several ranks
  (see `attaching`).
* `ApolloWorkerExtension` is for ``--worker-extension-cls`` (see `extension`).

Importing this package imports neither torch nor vLLM.
"""

from __future__ import annotations

from .attaching import SpreadTensor, attach, attach_ranks
from .extension import ApolloWorkerExtension
from .plugin import register
from .state_page import step_guard
from .version import __version__

__all__ = [
    "ApolloWorkerExtension",
    "SpreadTensor",
    "__version__",
    "attach",
    "attach_ranks",
    "register",
    "step_guard",
]
