"""Takes over the private copies of a version before, which had a folder of its own for each file.

    <root>/<file id>/in        the claim; a link `source` beside it said that it was whole
    <root>/<file id>/out.tif   what is uploaded

The source of a copy may have gone from its drop folder meanwhile, so none is thrown away. Where both forms lie there,
somebody went back to that version in between, and its copies are the newer ones.
"""

from __future__ import annotations

import shutil
from pathlib import Path


def move(root: Path) -> None:
    """Rename what is whole to where it belongs now; the rest was never a copy. May be cut off and repeated."""
    for home in [path for path in root.iterdir() if path.name.isdecimal() and path.is_dir()]:
        if home.is_symlink():
            continue
        if (home / "source").is_symlink() and (home / "in").is_dir():
            shutil.rmtree(root / f"{home.name}.in", ignore_errors=True)
            (home / "in").rename(root / f"{home.name}.in")
        if (home / "out.tif").is_file():
            (home / "out.tif").rename(root / f"{home.name}.tif")
        shutil.rmtree(home)
