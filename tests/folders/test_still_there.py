"""Whether a file can be given up, as far as its disk tells."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from uploader.core.naming import hidden
from uploader.folders.still_there import still_there

pytestmark = pytest.mark.unit


def test_what_lies_there_is_not_given_up(tmp_path: Path) -> None:
    """Neither the file itself, nor a link, nor what a disposal has just hidden."""
    path = os.fsencode(tmp_path / "a.tif")
    assert still_there(path) == ""
    assert still_there(os.fsencode(tmp_path / "lost" / "a.tif")) == ""

    (tmp_path / "a.tif").symlink_to("nowhere")
    assert still_there(path) == "it still lies there"
    (tmp_path / "a.tif").unlink()
    (tmp_path / os.fsdecode(hidden(b"a.tif"))).mkdir()
    assert still_there(path) == "it is being put away"


def test_a_disk_that_fails_tells_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An I/O error is no proof that the file is lost."""

    def broken(_: bytes) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("uploader.folders.still_there.os.lstat", broken)

    assert "nobody can tell" in still_there(os.fsencode(tmp_path / "a.tif"))
