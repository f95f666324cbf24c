"""The entry point ``vllm.general_plugins: apollo``.

vLLM calls `register` in every process it starts (server, engine core, workers), so it must be cheap and harmless when repeated.
"""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from typing import Iterator

from .folder import EXPORT_DIR_VARIABLE

_log = logging.getLogger("vllm.apollo")

# The stock formats that end in the stock loader, whose subclass ours is: with APOLLO_EXPORT_DIR set they publish too.
_STOCK_FORMATS = ("auto", "hf", "safetensors")

_registered = False


def register() -> None:
    """Offer the load format ``apollo``; with APOLLO_EXPORT_DIR set, publish under the stock formats too. Never raises."""
    global _registered
    if _registered:
        return
    _registered = True
    try:
        _register()
    except Exception:  # a hook must not take the server down
        _log.exception("apollo: the load format could not be registered; nothing will be published")


def _register() -> None:
    from vllm.model_executor import model_loader

    from .loader import ApolloModelLoader

    model_loader.register_model_loader("apollo")(ApolloModelLoader)
    if os.environ.get(EXPORT_DIR_VARIABLE):
        with _without_warnings(model_loader.__name__):
            for load_format in _STOCK_FORMATS:
                model_loader.register_model_loader(load_format)(ApolloModelLoader)


@contextmanager
def _without_warnings(logger_name: str) -> Iterator[None]:
    """vLLM warns that a format is registered twice; here that is what is meant."""
    logger = logging.getLogger(logger_name)
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)
