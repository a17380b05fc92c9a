"""Connections to journal files."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from uploader.core.path_text import shown

BUSY_TIMEOUT = 30.0
"""Seconds a connection waits for another one, such as `uploader retry` beside a daemon."""


class Connection(sqlite3.Connection):
    """Takes any text, and says of a damaged file that it is one, also where SQLite quotes bytes of it that are no text.

    SQLite refuses text with half characters. A reason may quote such a name, and must be entered all the same.
    """

    def execute(self, sql: str, values: Any = (), /) -> sqlite3.Cursor:
        """As that of the base class."""
        try:
            return super().execute(sql, _storable(values))
        except UnicodeDecodeError as error:
            damaged = sqlite3.DatabaseError("malformed database schema, in words that are no text")
            damaged.sqlite_errorname = "SQLITE_CORRUPT"
            raise damaged from error

    def executemany(self, sql: str, rows: Iterable[Any], /) -> sqlite3.Cursor:
        """As that of the base class, for all rows at once."""
        return super().executemany(sql, map(_storable, rows))


def _storable(values: Any) -> Any:
    if isinstance(values, Mapping):
        return dict(zip(values, _storable(values.values()), strict=True))
    return [shown(v) if isinstance(v, str) and not v.isascii() else v for v in values]


def connected(path: Path, *, read_only: bool = False) -> Connection:
    """Open a file in autocommit mode, for one thread at a time; `read_only` changes no byte of it."""
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}",
        uri=True,
        timeout=BUSY_TIMEOUT,
        isolation_level=None,
        check_same_thread=False,
        factory=Connection,
    )
