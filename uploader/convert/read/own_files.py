"""A raster's files are files: what lies under their names must not lead elsewhere."""

from __future__ import annotations

from pathlib import Path

from uploader.core.errors import RasterUnreadable


def require_no_links(source: Path, beside: tuple[str, ...] | None, *, linked: bool) -> None:
    """Raises RasterUnreadable where the raster or a sidecar is a symbolic link, but for a raster that we `linked`.

    `beside` names the sidecars; None: all that is beside. Looked at once, before anything is opened: nobody but us
    writes to the folder of a conversion.
    """
    names = [path.name for path in source.parent.iterdir()] if beside is None else [source.name, *beside]
    for name in sorted(names):
        if source.with_name(name).is_symlink() and not (linked and name == source.name):
            kind = "file" if name == source.name else f"sidecar {name.removeprefix(source.stem)}"
            raise RasterUnreadable(
                f"The {kind} cannot be opened: it is a link.", "Put the file itself there."
            )
