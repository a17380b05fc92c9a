"""Files by a piece of their name, by their item, their session or their content: what a search field is for.

What has an index is found at once: a whole path, an item, a session, the object's name. A piece of a name is looked for
along the index of paths, a bounded number of them at a time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from uploader.core.path_text import raw
from uploader.journal import stories
from uploader.journal.sqlite_library import Database

LOOKED_AT = 200_000
"""Paths that one search looks at: their index alone is read, not their rows."""

HASH = 32
"""Bytes of a content's hash."""

HEX = 12
"""Digits of a content's hash in the name of its object."""

_OBJECT_NAME = re.compile(rf"-([0-9a-f]{{{HEX}}})(?:\.\w+)?$")

Place = tuple[str, bytes, int]
"""How far a search along the paths has come: folder, path, id."""


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """Ids of files, and where to go on; None: everything was looked at."""

    files: list[int]
    following: Place | None


def search(db: Database, text: str, after: Place | None, most: int) -> FoundFiles:
    """Files that a text may mean: at the first place those that it names outright, then those whose path has it.

    Letters of ASCII are equal whatever their case.
    """
    if "\0" in text:  # no name has one, and LIKE ends at it
        return FoundFiles([], None)
    named = _named(db, text)[:most] if after is None else []
    folder, path, file_id = after or ("", b"", 0)
    given = {"folder": folder, "path": path, "id": file_id, "looked": LOOKED_AT}
    looked = (
        "SELECT id, folder, path FROM files INDEXED BY files_path "
        "WHERE (folder, path) >= (:folder, :path) AND (folder, path, id) > (:folder, :path, :id) "
        "ORDER BY folder, path, id LIMIT :looked"
    )
    sql = (
        f"SELECT id, folder, path FROM ({looked}) "  # noqa: S608 - words of ours
        "WHERE CAST(path AS TEXT) LIKE :like ESCAPE '!' LIMIT :most"
    )
    fitting = db.conn.execute(sql, {**given, "like": _like(text), "most": most}).fetchall()
    ids = list(dict.fromkeys([*named, *(row[0] for row in fitting)]))
    if len(fitting) == most:
        last = fitting[-1]
        return FoundFiles(ids, (last[1], bytes(last[2]), last[0]))
    end = f"SELECT folder, path, id FROM ({looked} OFFSET :looked - 1)".replace("LIMIT :looked", "LIMIT 1")  # noqa: S608
    last = db.conn.execute(end, given).fetchone()
    return FoundFiles(ids, None if last is None else (last[0], bytes(last[1]), last[2]))


def _named(db: Database, text: str) -> list[int]:
    """Files that the text names: by path, item, session, or the hash in the name of their object."""
    try:
        path = raw(text)
    except ValueError:  # half characters: no name
        return []
    asked = stories.asked_for(db, [path], patterns=False)
    found = list(asked.files)
    if match := _OBJECT_NAME.search(text):
        sql = "SELECT id FROM files WHERE content BETWEEN ? AND ? ORDER BY id"
        first = bytes.fromhex(match[1])
        found += [row[0] for row in db.conn.execute(sql, (first, first + b"\xff" * HASH))]
    return list(dict.fromkeys(found))


def _like(text: str) -> str:
    escaped = "".join(f"!{letter}" if letter in "%_!" else letter for letter in text)
    return f"%{escaped}%"
