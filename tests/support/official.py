"""The platform's own command line, unchanged from PyPI, run in this process.

Starting it anew takes a second each time, most of it for imports.
"""

from __future__ import annotations

import io
import json
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.wire import Wire


def command(wire: Wire, *arguments: str, token: str = "") -> Any:
    """Run `geopera …` against the wire's sandbox, with its main key or a token; gives the JSON that it prints."""
    main = pytest.importorskip("geopera_cli.__main__").main
    told, complaint = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, environment(wire, token), clear=True),
        mock.patch.object(sys, "argv", ["geopera", *arguments]),
        redirect_stdout(told),
        redirect_stderr(complaint),
    ):
        ended = _exit_code(main)
    assert not ended, complaint.getvalue()
    return json.loads(told.getvalue())


def environment(wire: Wire, token: str = "") -> dict[str, str]:
    """What the command line is told by its environment; nothing of the user's own settings."""
    names = {"GEOPERA_API_TOKEN": token or wire.box.api_key, "GEOPERA_API_URL": wire.box.base_url}
    return {"PATH": os.defpath, "HOME": "/nonexistent", **names}


def _exit_code(program: Callable[[], None]) -> object:
    try:
        program()
    except SystemExit as end:
        return end.code
    return 0
