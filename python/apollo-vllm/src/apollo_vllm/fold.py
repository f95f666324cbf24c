"""Before the model loads: have apollo-checkpoint bring its files up to the newest version.

Between folds the files hold an older version, and deltas in ``.apollo/journal`` the rest. A server that loaded the older one would train
on from there, and its weights could not be told from newer ones.
"""

from __future__ import annotations

import logging
import os
import shlex
import shutil
import subprocess
import time
from pathlib import Path

from .state_file import read_state

_log = logging.getLogger("vllm.apollo")

# The tool, as a command line; default: apollo-checkpoint on PATH, or where `dotnet tool install -g` puts it.
TOOL_VARIABLE = "APOLLO_CHECKPOINT"

# A fold writes the model once; a slow disk and a large model.
_PATIENCE_SECONDS = 3600.0

# The tool's exit code when another of its processes is at work in the directory: a sync, or another rank's fold.
_BUSY = 13


def pending(model_dir: Path) -> str | None:
    """What is not in the files yet, in a few words; None when they hold the newest version and nothing is half done."""
    folder = model_dir / ".apollo"
    if not folder.is_dir():
        return None
    if any(model_dir.glob("*.folding")) or any(folder.glob("redo/*.redo")):
        return "a fold of its files was interrupted"
    newest = max((int(path.stem) for path in folder.glob("journal/*.delta") if path.stem.isdigit()), default=0)
    state = read_state(model_dir)
    files = state.get("filesVersion") if state else None
    if not isinstance(files, int):
        return f"version {newest} is in the journal, and nothing says what its files hold" if newest else None
    return f"its files hold version {files}, the newest is {newest}" if files < newest else None


def fold_pending(model_dir: Path) -> None:
    """Have what is pending folded, if anything is. Only logs when it cannot: a server must start."""
    why = pending(model_dir)
    if why is None:
        return
    command = tool()
    if command is None:
        _log.error(
            "apollo: %s: %s, and the tool apollo-checkpoint is not found (set %s); the older version is loaded, "
            "and sync will refuse this server",
            model_dir, why, TOOL_VARIABLE,
        )
        return
    _log.info("apollo: %s: %s; folding", model_dir, why)
    problem = _fold([*command, "fold", "--model-dir", str(model_dir)], model_dir)
    if problem is None:
        _log.info("apollo: %s is up to date", model_dir)
    else:
        _log.error("apollo: %s could not be folded and is loaded as it is: %s", model_dir, problem)


def tool() -> list[str] | None:
    """The command that runs apollo-checkpoint, or None."""
    named = os.environ.get(TOOL_VARIABLE)
    if named:
        return shlex.split(named)
    found = shutil.which("apollo-checkpoint") or shutil.which("apollo-checkpoint", path=str(Path.home() / ".dotnet" / "tools"))
    return [found] if found else None


def _fold(command: list[str], model_dir: Path) -> str | None:
    """Run the tool, again while another of its processes is at work there; None when nothing is pending any more."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            done = subprocess.run(
                command, env=_environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_PATIENCE_SECONDS
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
        left = pending(model_dir)
        if left is None:
            return None
        if done.returncode != _BUSY or time.monotonic() >= deadline:
            return f"{command[0]} ended with {done.returncode}, {left}; {(done.stderr or done.stdout).strip()}"
        time.sleep(1.0)


def _environment() -> dict[str, str]:
    # What vLLM's Python needs is nothing to the tool.
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
