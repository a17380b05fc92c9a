"""The auditor finds each kind of wrong, so that its silence means something."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from tests.support.audit import audit, problems

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.wire import Wire

pytestmark = pytest.mark.unit


def _problems(tmp_path: Path) -> str:
    return "\n".join(problems(audit(tmp_path / "root")))


def _change(tmp_path: Path, statement: str) -> None:
    database = sqlite3.connect(tmp_path / "root" / "sandbox.sqlite")
    with database:
        database.execute(statement)
    database.close()


def test_a_clean_run_is_silent(wire: Wire, tmp_path: Path) -> None:
    """A completed and a failed session leave nothing to complain of."""
    wire.upload({"a.tif": b"a"})
    wire.ok("uploads.fail", upload_id=wire.initiate(), error_message="x")

    assert _problems(tmp_path) == ""


def test_open_sessions_and_reservations_show(wire: Wire, tmp_path: Path) -> None:
    """An open session is named, with the bytes it holds, unless so many are allowed."""
    upload_id = wire.initiate(5)

    assert upload_id in _problems(tmp_path)
    assert "5 bytes of quota" in _problems(tmp_path)
    assert problems(audit(tmp_path / "root"), open_sessions=1) == []


def test_twins_show_unless_expected(wire: Wire, tmp_path: Path) -> None:
    """The same name twice in a project is told, in two projects or when expected it is not."""
    wire.upload({"a.tif": b"a"})
    wire.upload({"a.tif": b"a"})

    assert "a.tif: two items in project p-1" in _problems(tmp_path)
    assert problems(audit(tmp_path / "root"), twins={"a.tif"}) == []


def test_damaged_bytes_show(wire: Wire, tmp_path: Path) -> None:
    """Other bytes on disk than recorded, or none at all, are told of object and item."""
    wire.upload({"a.tif": b"a"})
    (blob,) = (path for path in (tmp_path / "root" / "objects").glob("u_*/*"))
    blob.write_bytes(b"b")
    changed = _problems(tmp_path)
    blob.unlink()

    assert "not what item" in changed
    assert "not those that were recorded" in changed
    assert "not what item" in _problems(tmp_path)


def test_miscounted_quota_shows(wire: Wire, tmp_path: Path) -> None:
    """The sandbox's own sum is compared with its sessions."""
    _change(tmp_path, "UPDATE organization SET reserved_bytes = 3")

    assert "counts 3 reserved bytes, its open sessions 0" in _problems(tmp_path)


def test_illegal_calls_show(wire: Wire, tmp_path: Path) -> None:
    """A call that the session's state forbade is told; a repeated fail or complete is none."""
    upload_id, _ = wire.upload({"a.tif": b"a"})
    wire.ok("uploads.complete", upload_id=upload_id)
    failed = wire.initiate()
    for _ in range(2):
        wire.post("uploads.fail", upload_id=failed, error_message="x")
    before = _problems(tmp_path)
    wire.post("uploads.fail", upload_id=upload_id, error_message="x")

    assert before == ""
    assert "uploads.fail on the completed session" in _problems(tmp_path)


def test_leaked_credentials_show(wire: Wire, tmp_path: Path) -> None:
    """A PUT with an Authorization header is told."""
    upload_id = wire.initiate()
    wire.put(wire.url(upload_id, "a.tif"), b"a", Authorization="Bearer x")
    wire.ok("uploads.fail", upload_id=upload_id, error_message="x")

    assert "credentials were sent to the store" in _problems(tmp_path)


def test_the_history_tells_calls_and_effects(wire: Wire, tmp_path: Path) -> None:
    """One session leaves its calls in order, and an effect for each thing that happened."""
    wire.upload({"a.tif": b"abc"})
    found = audit(tmp_path / "root")

    assert [(one.operation, one.status, one.sent, one.committed) for one in found.calls()] == [
        (name, 200, True, True)
        for name in ("uploads.initiate", "uploads.signed_url", "store.put", "uploads.complete")
    ]
    assert [one.operation for one in found.effects()] == [
        "session.opened",
        "url.minted",
        "object.stored",
        "asset.made",
        "item.made",
        "session.completed",
    ]
    assert len({one.upload_id for one in found.history}) == 1
