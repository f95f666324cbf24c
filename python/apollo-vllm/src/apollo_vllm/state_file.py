"""``.apollo/state.json``: what apollo-checkpoint says of a model directory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_NOT_NEWEST = "0" * 32


def read_state(model_dir: Path) -> dict[str, Any] | None:
    """The file, or None when there is no history or it cannot be read."""
    try:
        state = json.loads((model_dir / ".apollo" / "state.json").read_bytes())
    except (OSError, ValueError):
        return None
    return state if isinstance(state, dict) else None


def loaded_root(model_dir: Path) -> str | None:
    """The root of the version that the files hold; None when there is no history or it does not say."""
    state = read_state(model_dir) or {}
    root = state.get("root")
    if not isinstance(root, str):
        return None
    # The root is the newest version's. Files behind it hold one whose root nobody wrote down: say one that is no version's.
    return root if state.get("filesVersion") == state.get("newest") else _NOT_NEWEST
