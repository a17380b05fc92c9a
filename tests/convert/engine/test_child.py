"""What the child says of its own failures: what somebody removed below it is not the raster's fault."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from uploader.convert import Job
from uploader.convert.engine import child
from uploader.convert.engine.child_answers import report_of
from uploader.core.errors import LocalError, RasterRefused, RasterUnreadable, StagedDamaged

ASKED = Job(Path("/drop/source.tif"), Path("/staging/1.tif"))
ORIGIN = child.ParentZygote(0, (), namespace=False)


def _failing(monkeypatch: pytest.MonkeyPatch, missing: Path, *, cleaning: bool) -> None:
    """Let a conversion fail because a file is not there: as it is read, or as it cleans up after another failure."""

    def performed(*_: Any) -> dict[str, Any]:
        try:
            missing.read_bytes()
        except OSError as error:
            if cleaning:
                missing.unlink()
            raise RasterUnreadable("It cannot be read.") from error
        raise AssertionError(missing)

    monkeypatch.setattr(child, "_performed", performed)


@pytest.mark.parametrize("cleaning", [False, True])
def test_what_is_removed_while_it_is_written_is_told_as_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cleaning: bool
) -> None:
    """Whether the removal meets the work or its cleaning up, the file is converted again."""
    workshop = tmp_path / ".work"
    _failing(monkeypatch, workshop / "parts" / "image-0.tiles", cleaning=cleaning)
    with pytest.raises(StagedDamaged, match="was removed meanwhile"):
        child._in_workshop(ASKED, workshop, ORIGIN)


def test_what_is_missing_elsewhere_keeps_its_own_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that is missing outside the folder of the conversion says nothing of that folder."""
    _failing(monkeypatch, tmp_path / "source.tif", cleaning=False)
    with pytest.raises(LocalError) as told:
        child._in_workshop(ASKED, tmp_path / ".work", ORIGIN)
    assert type(told.value) is RasterUnreadable


@pytest.mark.parametrize("as_it_is", [False, True])
def test_an_error_is_read_as_it_was_told(as_it_is: bool) -> None:
    """Kind, words, and whether the raster could go as it is."""
    with pytest.raises(LocalError) as told:
        report_of(RasterRefused("It is odd.", "Mend it.", as_it_is=as_it_is).to_json())
    assert (type(told.value), str(told.value)) == (RasterRefused, "It is odd. Mend it.")
    assert told.value.as_it_is == as_it_is


def test_only_a_plain_yes_says_that_a_raster_could_go_as_it_is() -> None:
    """A child that is out of its mind is not believed more than that."""
    with pytest.raises(RasterRefused) as told:
        report_of({"error": "RasterRefused", "as_it_is": "no"})
    assert told.value.as_it_is is False
