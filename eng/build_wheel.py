"""Builds a pure Python wheel with nothing but the standard library: no pip, no setuptools, no network.

build_wheel.py PROJECT_DIR TARGET_DIR. The project has pyproject.toml with static metadata, and one package in src/ whose version.py says
__version__. The same sources give the same bytes.
"""

import base64
import hashlib
import re
import sys
import tomllib
import zipfile
from pathlib import Path

# The earliest time that a zip can hold: contents alone decide the bytes of the wheel.
_TIME = (1980, 1, 1, 0, 0, 0)


def main() -> None:
    project_dir, target = Path(sys.argv[1]), Path(sys.argv[2])
    project = tomllib.loads((project_dir / "pyproject.toml").read_text())["project"]
    package = next(path.parent for path in sorted((project_dir / "src").glob("*/version.py")))
    version = re.search(r'__version__ = "([^"]+)"', (package / "version.py").read_text()).group(1)
    name = project["name"].replace("-", "_")
    files = {
        str(path.relative_to(package.parent)): path.read_bytes()
        for path in sorted(package.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts
    }
    info = f"{name}-{version}.dist-info"
    files |= {f"{info}/{file}": text.encode() for file, text in metadata(project, version, project_dir).items()}
    files[f"{info}/RECORD"] = record(files, info).encode()

    target.mkdir(parents=True, exist_ok=True)
    wheel = target / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files.items():
            entry = zipfile.ZipInfo(path, _TIME)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED)
    print(wheel)


def metadata(project, version, project_dir):
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {project['name']}",
        f"Version: {version}",
        f"Summary: {project['description']}",
        f"License: {project['license']['text']}",
        f"Requires-Python: {project['requires-python']}",
        *(f"Requires-Dist: {requirement}" for requirement in project["dependencies"]),
        "Description-Content-Type: text/markdown",
        "",
        (project_dir / project["readme"]).read_text(),
    ]
    entry_points = [
        "\n".join([f"[{group}]", *(f"{name} = {value}" for name, value in entries.items())])
        for group, entries in project.get("entry-points", {}).items()
    ]
    return {
        "METADATA": "\n".join(lines),
        "WHEEL": "Wheel-Version: 1.0\nGenerator: apollo-checkpoint\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "entry_points.txt": "\n\n".join(entry_points) + "\n",
    }


def record(files, info):
    rows = []
    for path, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(content)}")
    return "\n".join([*rows, f"{info}/RECORD,,"]) + "\n"


if __name__ == "__main__":
    main()
