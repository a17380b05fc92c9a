"""The journal of the schema before the newest, as it is kept for the tests of a new migration.

python -m tests.journal.keep_earlier     # writes tests/journal/schema_N.sql, once

It is the one before it, brought up by one migration; rows for what is new in it are added by hand, before it is
committed. It is vacuumed, for a copy of a journal has its tables, indexes and views in that order, too.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from uploader.journal.schema import SCHEMA, migrations
from uploader.journal.sqlite_library import Database

HERE = Path(__file__).parent
HEAD = "-- A journal of schema {}, brought up from the first one: files and sessions in every state. Never edited.\n"


def kept(schema: int) -> Path:
    """Where the journal of a schema is kept."""
    return HERE / f"schema_{schema}.sql"


def brought_up(schema: int) -> str:
    """The kept journal of the schema before this one, with this one's migration, as statements."""
    later = [migration.name for migration in migrations.pending(Database(memory=True))][schema:]
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as conn:
        conn.executescript(kept(schema - 1).read_text())
        migrations.apply(Database(conn, execute_plugins=False), stop_before=later)
        conn.execute("VACUUM")
        lines = "\n".join(conn.iterdump())
    return f"{HEAD.format(schema)}{lines}\nPRAGMA user_version={schema};\n"


if __name__ == "__main__":
    with kept(SCHEMA - 1).open("x") as file:
        file.write(brought_up(SCHEMA - 1))
