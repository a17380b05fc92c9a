"""Where the corpus of odd rasters lies, and what it lists; absent on most machines, so tests skip without it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "corpus"
_SIDECARS = (".tfw", ".wld", ".prj", ".aux.xml", ".ovr", ".msk", "_rpc.txt", ".rpb", ".imd")


def folder() -> Path | None:
    """The corpus, or None."""
    path = Path(os.environ.get("UPLOADER_CORPUS") or _BESIDE)
    return path if (path / "index.json").is_file() else None


def files() -> list[Path]:
    """Every raster that the index lists, sorted; empty without a corpus."""
    root = folder()
    if root is None:
        return []
    index = json.loads((root / "index.json").read_text())
    return sorted(root / entry["path"] for entry in index)


def require() -> list[Path]:
    """The rasters; skips the calling test with the reason when there are none."""
    found = files()
    if not found:
        pytest.skip("no corpus: set UPLOADER_CORPUS to its folder")
    return found


def stage(path: Path, working: Path) -> Path:
    """Copy a raster and its sidecars into an empty folder as staging does; gives the raster's new path."""
    working.mkdir(parents=True)
    target = working / f"source{path.suffix}"
    shutil.copyfile(path, target)
    for other in path.parent.iterdir():
        rest = other.name.removeprefix(path.stem)
        belongs = other != path and other.name.startswith(path.stem) and rest.lower().endswith(_SIDECARS)
        if belongs and rest.startswith((".", "_")):
            shutil.copyfile(other, working / f"source{rest}")
    return target
