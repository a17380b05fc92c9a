"""What daemon and worker find in the folder of an attempt: the one thing that they share.

An attempt is one try of one raster by one worker. The daemon makes its folder beside the target and removes it when
the attempt is over, whatever came of it; a worker never makes it. So who comes late finds no place to write to.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

TOKEN = "token"  # noqa: S105 - it is no secret: it tells one folder from another
"""Written by the daemon: whoever reads it here sees the same folder."""

BEGUN = "begun"
"""Made by the worker that begins, which fails where another has begun; it touches it for each sign of life."""

ANSWER = "answer.json"
"""What the worker answered, for the case that the answer is lost with the worker and asked for again."""

RESULT = "out.tif"
"""The COG, whole."""

_MOST_BYTES = 8 << 20


def beginning(token: str, worker: str) -> bytes:
    """What stands in `BEGUN`: the token, which shows that both see the same folder, and who has begun."""
    return f"{token}\n{worker}".encode()


def token_of(begun: bytes) -> bytes:
    """The token in it."""
    return begun.partition(b"\n")[0]


def begun_by(begun: bytes) -> str:
    """The address in it, as it came; empty where there is none."""
    return begun.partition(b"\n")[2].decode("utf-8", "replace")


def written(path: Path, content: bytes) -> None:
    """Let a new file appear with this content. Raises FileExistsError where it is there."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)


def read(path: Path) -> bytes:
    """A small file's content, never through a link. Raises OSError."""
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        return file.read(_MOST_BYTES)


def write_answer(folder: Path, answer: dict[str, Any]) -> None:
    """Keep an answer where whoever is asked once more finds it, whole."""
    unfinished = folder / f".{ANSWER}"
    written(unfinished, json.dumps(answer).encode())
    unfinished.rename(folder / ANSWER)


def answered(folder: Path) -> dict[str, Any] | None:
    """What was answered already; None for nothing."""
    try:
        found = json.loads(read(folder / ANSWER))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
