"""Whether a file is a valid COG, as rio-cogeo sees it.

With rio-cogeo come the tile schemes of web maps, PROJ once more, and models of what it tells people. They serve to
make files, not to look at them, and loading them took a third of a converter's start; so they are left out, unless
rio-cogeo does not load without them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

_UNNEEDED = ("morecantile", "rio_cogeo.models", "rio_cogeo.utils")
_MISTAKEN = re.compile(r"not tiled$|^Invalid Decimation 1 ")

_PLACELESS = {"GDAL_GEOREF_SOURCES": "NONE"}
"""It looks at the layout alone, and where a raster lies takes GDAL as long to find out as all that it looks at."""

_Validator = Callable[..., tuple[bool, list[str], list[str]]]


class _Left:
    """In the place of what is left out: has every name, and may be called; it is of no use to anybody."""

    def __getattr__(self, name: str) -> _Left:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *_: object) -> _Left:
        return self


def _validator() -> _Validator:
    """rio-cogeo's own function. Whoever else asks for rio-cogeo or the schemes gets the real ones."""
    if "rio_cogeo" in sys.modules:
        return _loaded()
    for name in _UNNEEDED:
        stand_in: Any = ModuleType(name)
        stand_in.__getattr__ = _Left().__getattr__
        sys.modules[name] = stand_in
    try:
        return _loaded()
    except (ImportError, AttributeError, TypeError):
        _forget()
        return _loaded()
    finally:
        _forget()


def _forget() -> None:
    for name in [name for name in sys.modules if name in _UNNEEDED or name.partition(".")[0] == "rio_cogeo"]:
        del sys.modules[name]


def _loaded() -> _Validator:
    from rio_cogeo.cogeo import cog_validate  # noqa: PLC0415 - with or without its schemes

    found: _Validator = cog_validate
    return found


_validate = _validator()


def valid(path: Path, *, ours: bool = False) -> bool:
    """Whether rio-cogeo calls a file a valid COG.

    Of what was laid out here or by GDAL's COG driver, some complaints are mistaken: a level exactly one tile wide is
    not untiled, and one pixel cannot be decimated.
    """
    try:
        sound, complaints, doubts = _validate(str(path), strict=True, config=_PLACELESS, quiet=True)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - it asserts, indexes and unpacks; whatever it stumbles on is no valid COG
        return False
    return sound or (ours and all(_MISTAKEN.search(text) for text in (*complaints, *doubts)))
