"""Where the corpus of odd rasters lies, and what it lists; absent on most machines, so tests skip without it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

from uploader.core import naming
from uploader.core.file_group import copy_names

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "corpus"
_INDEX = "index.json"
_EXTENSIONS = frozenset(
    {
        *(
            "tif",
            "tiff",
            "gtiff",
            "gtif",
            "jp2",
            "j2k",
            "j2c",
            "jpc",
            "jpx",
            "jpf",
            "img",
            "nc",
            "nc4",
            "cdf",
        ),
        *("h5", "hdf5", "hdf", "he5", "asc", "grd", "dt0", "dt1", "dt2", "hgt", "png", "jpg", "jpeg"),
    }
)
_ENVI = b"ENVI"


def folder() -> Path | None:
    """The corpus, or None."""
    path = Path(os.environ.get("UPLOADER_CORPUS") or _BESIDE)
    return path if (path / _INDEX).is_file() else None


def files() -> list[Path]:
    """Every raster that the index lists, sorted; empty without a corpus."""
    root = folder()
    return below(root) if root else []


def below(root: Path) -> list[Path]:
    """The rasters of a folder, sorted: what its index lists; without one, all whose name or header says raster."""
    if (root / _INDEX).is_file():
        return sorted(root / entry["path"] for entry in json.loads((root / _INDEX).read_text()))
    return sorted(path for path in root.rglob("*") if path.is_file() and _is_raster(path))


def _is_raster(path: Path) -> bool:
    if path.suffix[1:].lower() in _EXTENSIONS:
        return True
    header = path.with_suffix(".hdr")
    return path != header and header.is_file() and header.read_bytes()[:4] == _ENVI and not _is_sidecar(path)


def _is_sidecar(path: Path) -> bool:
    return any(
        (path.parent / os.fsdecode(stem)).is_file() for stem in naming.owner_stems(os.fsencode(path.name))
    )


def require() -> list[Path]:
    """The rasters; skips the calling test with the reason when there are none."""
    found = files()
    if not found:
        pytest.skip("no corpus: set UPLOADER_CORPUS to its folder")
    return found


def stage(path: Path, working: Path) -> Path:
    """Copy a raster and its sidecars into an empty folder as staging does; gives the raster's new path."""
    working.mkdir(parents=True)
    raster = os.fsencode(path.name)
    beside = {
        suffix: other
        for other in path.parent.iterdir()
        if (suffix := naming.sidecar_suffix(raster, os.fsencode(other.name))) is not None and other.is_file()
    }
    copies = [
        working / copy
        for copy in copy_names(raster, [(s, file.stat().st_size) for s, file in beside.items()])
    ]
    for file, copy in zip((path, *beside.values()), copies, strict=True):
        shutil.copyfile(file, copy)
    return copies[0]
