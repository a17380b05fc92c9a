"""The extra that `demo` and `sandbox` need: whether it is here, and how to get it."""

from __future__ import annotations

import shlex
import sys
from importlib.util import find_spec

from uploader.core.errors import UploaderError

PARTS = ("cryptography", "pystac", "rio_tiler", "shapely", "starlette", "uvicorn", "xstatic")
"""What the extra brings; some of it is imported only when it is needed, too late to say so."""


def require_sandbox() -> None:
    """Raises UploaderError, with the command that installs it, where the local platform or a part of it is missing."""
    if missing := [name for name in PARTS if find_spec(name) is None]:
        raise absent(missing[0])


def absent(name: str | None) -> UploaderError:
    """What to say of a module that is not there."""
    pip = f"{shlex.quote(sys.executable)} -m pip install"
    return UploaderError(
        f"The local platform (the sandbox) is not installed, or not whole: there is no {name}.",
        f"It comes with the extra `sandbox`: {pip} 'geopera-uploader[sandbox]', or in a checkout: {pip} '.[sandbox]'",
    )
