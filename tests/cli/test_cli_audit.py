"""audit: what it prints is one object, whatever comes in between."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.receipts import remember
from uploader import cli
from uploader.core.errors import JournalError
from uploader.core.receipt_audit import Difference, Kind

pytestmark = pytest.mark.unit


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration whose journal holds one receipt."""
    path = tmp_path / "config.toml"
    path.write_text(
        'state_dir = "state"\n[platform]\nbase_url = "http://127.0.0.1:9"\n'
        '[[folders]]\npath = "drop"\nproject_id = "p-1"\n'
    )
    (tmp_path / "drop").mkdir()
    remember(tmp_path / "state", [{}])
    monkeypatch.setenv("GEOPERA_API_KEY", "gp_test")
    return path


def planted(found: int, error: BaseException | None) -> Any:
    """An audit that finds so much, and then fails of it."""

    async def run(self: object, configured: object) -> AsyncIterator[Difference]:
        for number in range(found):
            yield Difference(Kind.MISSING, f"it-{number}")
        if error is not None:
            raise error

    return run


BROKEN_OFF = {
    "mistake": (ZeroDivisionError(), 1, "mistake in the program"),
    "ctrl-c": (KeyboardInterrupt(), 1, "Interrupted"),
    "journal": (JournalError("The journal is damaged."), 78, "The journal is damaged."),
}


@pytest.mark.parametrize("found", [0, 2])
@pytest.mark.parametrize("how", BROKEN_OFF)
def test_an_audit_that_breaks_off_prints_one_whole_object(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, found: int, how: str
) -> None:
    """What was found by then stands in it, and why it is not all."""
    error, code, said = BROKEN_OFF[how]
    monkeypatch.setattr("uploader.report.receipts.audit.Audit.run", planted(found, error))

    assert cli.execute(["audit", "-c", str(config), "--json"]) == code

    told = json.loads(capsys.readouterr().out)
    assert [one["item_id"] for one in told["differences"]] == [f"it-{n}" for n in range(found)]
    assert said in told["error"]


def test_one_that_comes_to_its_end_has_no_error(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """But the sums."""
    monkeypatch.setattr("uploader.report.receipts.audit.Audit.run", planted(1, None))

    assert cli.execute(["audit", "-c", str(config), "--json"]) == 1

    told = json.loads(capsys.readouterr().out)
    assert (told["missing"], told["receipts"]) == (1, 1)
    assert "error" not in told


def test_a_collection_that_breaks_off_is_one_whole_object(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`items --stac` prints its object in pieces, too."""
    from uploader.journal import receipt_rows  # noqa: PLC0415

    whole = receipt_rows.by_item

    def cut(*arguments: Any) -> Iterator[dict[str, Any]]:
        yield from whole(*arguments)
        yield {"item_id": "it-2", "id": 2}

    monkeypatch.setattr("uploader.journal.receipt_rows.by_item", cut)

    assert cli.execute(["items", "-c", str(config), "--stac"]) == 1

    told = json.loads(capsys.readouterr().out)
    assert [one["id"] for one in told["features"]] == ["it-1"]
    assert "mistake in the program" in told["error"]
