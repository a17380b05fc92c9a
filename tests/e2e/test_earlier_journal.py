"""A journal of the version before, in the middle of its work: it is copied, brought up to date, and goes on."""

from __future__ import annotations

import json
import shutil
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from tests.support.rasters import make
from tests.support.world import World
from uploader.journal import FILE_NAME
from uploader.journal.earlier_copy import copy_path
from uploader.journal.schema import SCHEMA, migrations

pytestmark = pytest.mark.e2e

EARLIER, BEFORE = 6, "m007_one_row_and_scenes"
"""The schema of the earlier version, and the first migration that it does not know."""

CONTENT = "CASE typeof(content) WHEN 'blob' THEN lower(hex(content)) ELSE content END"
OWN = "CASE source_sha256 WHEN x'' THEN content ELSE source_sha256 END"
SAID = {"content": CONTENT, "source_sha256": OWN}
"""How the earlier version has what is said otherwise by now."""


def _names(conn: sqlite3.Connection, sql: str) -> list[str]:
    return [row[0] for row in conn.execute(sql)]


def set_back(state: Path) -> None:
    """Write the journal as the version before would have: its schema, with all rows in it."""
    earlier, path = state / "earlier.sqlite", state / FILE_NAME
    with closing(sqlite3.connect(earlier, isolation_level=None)) as conn:
        migrations.apply(Database(conn, execute_plugins=False), stop_before=BEFORE)
        conn.execute(f"PRAGMA user_version={EARLIER}")
        conn.execute("DELETE FROM profile")  # each journal has a name of its own
        conn.execute("ATTACH ? AS now", (str(path),))
        tables = "SELECT name FROM main.sqlite_master WHERE type = 'table' AND name NOT LIKE '%sqlite%'"
        for table in _names(conn, tables):
            columns = _names(conn, f"SELECT name FROM main.pragma_table_info('{table}')")
            values = ", ".join(SAID.get(name, name) for name in columns)
            source = "all_receipts" if table == "receipts" else table
            conn.execute(f"INSERT INTO main.{table} ({', '.join(columns)}) SELECT {values} FROM now.{source}")
    for tail in ("-wal", "-shm"):
        path.with_name(f"{FILE_NAME}{tail}").unlink(missing_ok=True)
    earlier.rename(path)


def schema(path: Path) -> int:
    """The schema of a journal."""
    with closing(sqlite3.connect(path)) as conn:
        return int(conn.execute("PRAGMA user_version").fetchone()[0])


@pytest.mark.parametrize("moment", ["commit.planned.after", "put.after:2", "complete.after"])
def test_it_goes_on_to_its_end(make_world: Callable[..., World], moment: str) -> None:
    """Killed with a session planned, half sent, or completed without knowing it: each raster becomes one item."""
    w = make_world()
    w.folders[0].update(after_upload="delete")
    w.write_config()
    for name in ("a", "b", "c"):
        make("dem_nodata", w.drop / f"{name}.tif", size=64)
    w.until_idle(check=-signal.SIGKILL, environment={"UPLOADER_FAILPOINT": moment})
    pending = w.status()["pending"]
    set_back(w.state)
    assert w.status()["pending"] == pending > 0  # whoever only asks leaves it as it is
    assert schema(w.state / FILE_NAME) == EARLIER

    w.until_idle()

    assert (schema(w.state / FILE_NAME), schema(copy_path(w.state / FILE_NAME, SCHEMA))) == (
        SCHEMA,
        EARLIER,
    )
    assert list(w.drop.iterdir()) == []
    assert len(w.items()) == 3
    assert w.problems() == []
    with closing(sqlite3.connect(w.state / FILE_NAME)) as conn:
        facts = conn.execute("SELECT completed_at IS NOT NULL, readback FROM files").fetchall()
    assert facts == [(1, "named")] * 3


def test_the_way_back_uploads_nothing_twice(make_world: Callable[..., World]) -> None:
    """As docs/operations.md tells it: the copy is the one snapshot, and the repair asks what was uploaded since."""
    w = make_world()
    for name in ("a", "b", "c"):
        make("dem_nodata", w.drop / f"{name}.tif", size=64)
    w.until_idle(check=-signal.SIGKILL, environment={"UPLOADER_FAILPOINT": "put.after:2"})
    set_back(w.state)
    w.until_idle()

    snapshots, aside = w.state / "snapshots", w.root / "aside"
    shutil.rmtree(snapshots, ignore_errors=True)
    snapshots.mkdir()
    aside.mkdir()
    copy_path(w.state / FILE_NAME, SCHEMA).rename(snapshots / "journal-000001.sqlite")
    for path in w.state.glob("journal.sqlite*"):
        path.rename(aside / path.name)
    done = w.command("check", "--repair-journal", "-c", str(w.config), "--json", check=0)
    w.until_idle()

    assert json.loads(done.stdout)["base"] == "snapshot"
    assert len(w.items()) == 3
    assert w.problems() == []
