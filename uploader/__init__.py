"""Makes each raster exactly one item on the Geopera platform: a daemon, commands, and a few functions.

    result = uploader.push(paths, project_id="...")     # these rasters, now
    result = await uploader.push_async(paths, ...)      # the same while the event loop goes on
    report = uploader.convert(src, dst)                 # the conversion alone

Whatever else lies in this package is private. Nothing of it is loaded before it is asked for.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from uploader.convert.job import BandStatistics, RasterWarning, Report
    from uploader.core.errors import UploaderError
    from uploader.python.convert import convert
    from uploader.python.push import push, push_async
    from uploader.python.results import FileProgress, Item, Progress, PushHeld, PushResult, RejectedFile

__version__ = "0.1.0"

__all__ = [
    "BandStatistics",
    "FileProgress",
    "Item",
    "Progress",
    "PushHeld",
    "PushResult",
    "RasterWarning",
    "RejectedFile",
    "Report",
    "UploaderError",
    "convert",
    "push",
    "push_async",
]

_PLACES = {
    "uploader.convert.job": ("BandStatistics", "RasterWarning", "Report"),
    "uploader.core.errors": ("UploaderError",),
    "uploader.python.push": ("push", "push_async"),
    "uploader.python.results": (
        "FileProgress",
        "Item",
        "Progress",
        "PushHeld",
        "PushResult",
        "RejectedFile",
    ),
}
_MODULES = {name: module for module, names in _PLACES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """`uploader.convert` is the function, though a package of ours has this name.

    Whoever imports that package binds its name here; it is found among the loaded modules all the same.
    """

    @property
    def convert(self) -> Any:
        return import_module("uploader.python.convert").convert

    @convert.setter
    def convert(self, package: ModuleType) -> None:
        pass


sys.modules[__name__].__class__ = _Package
