"""The apollo-checkpoint hook for vLLM.

Three things are public:

* `register` is the vLLM plugin: it offers the load format ``apollo`` (see `plugin`).
* `step_guard` brackets a trainer's optimizer step, so that readers see whole steps (see `state_page`).
* `attach` gives a trainer in another process the live tensors under their names on disk (see `attach`).

Importing this package imports neither torch nor vLLM.
"""

from __future__ import annotations

from .attaching import attach
from .plugin import register
from .state_page import step_guard
from .version import __version__

__all__ = ["__version__", "attach", "register", "step_guard"]
