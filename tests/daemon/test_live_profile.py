"""The profile's file: what is wrong with it is said, and it is not used; what it tells becomes settings."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from uploader.config import Settings
from uploader.core.moments import iso
from uploader.core.platform_traits import Traits
from uploader.daemon.live_profile import MOST, NAME, fitted, keep, load

pytestmark = pytest.mark.unit


def found(**facts: str) -> dict[str, object]:
    """What a check of the configured platform writes now."""
    base = Settings().platform.base_url
    return {"date": iso(time.time()), "base_url": base, "project": "p", "facts": facts}


def test_what_is_kept_is_loaded(tmp_path: Path) -> None:
    """With nothing lying beside it."""
    settings = Settings(state_dir=tmp_path)
    assert (load(settings).date, load(settings).ignored) == ("", "")

    keep(tmp_path, found(items_per="session"))

    assert load(settings).traits == Traits(merges=True)
    assert [path.name for path in tmp_path.iterdir()] == [NAME]


@pytest.mark.parametrize(
    ("lay", "why"),
    [
        (lambda path: path.write_text("{"), "no JSON"),
        (lambda path: path.write_bytes(b'{"facts": "\xff"}'), "no JSON"),
        (lambda path: path.write_text("[" * 20_000), "nested too deeply|no JSON"),
        (lambda path: path.write_text(" " * (MOST + 1)), "too large"),
        (lambda path: path.mkdir(), "is no file"),
        (os.mkfifo, "is no file"),
        (lambda path: path.symlink_to("/dev/zero"), "cannot be read"),
    ],
)
def test_a_file_that_is_none_is_said_and_not_used(
    tmp_path: Path, lay: Callable[[Path], object], why: str
) -> None:
    """Nor is it waited for."""
    lay(tmp_path / NAME)

    profile = load(Settings(state_dir=tmp_path))

    assert profile.traits == Traits()
    assert NAME in profile.ignored
    assert any(each in profile.ignored for each in why.split("|"))


def test_a_platform_that_merges_gets_sessions_of_one_file() -> None:
    """Of everything else, the settings say nothing."""
    assert fitted(Settings(), Traits(merges=True)).batch.max_files == 1
    assert fitted(Settings(), Traits()) == Settings()
