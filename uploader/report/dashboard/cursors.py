"""Where a next page begins, as text that a client hands back as it is."""

from __future__ import annotations

import base64
import binascii
import json
from typing import Any

from uploader.core.errors import UploaderError
from uploader.core.path_text import lossless, raw
from uploader.journal.searching import Place


def of_place(place: Place | None) -> str | None:
    """How far a search has come."""
    return None if place is None else _packed([place[0], lossless(place[1]), place[2]])


def place(text: str) -> Place | None:
    """The same again; None for the first page. Raises UploaderError where it is none of ours."""
    match _unpacked(text):
        case None:
            return None
        case [str(folder), str(path), int(file_id)] if not isinstance(file_id, bool):
            return folder, raw(path), file_id
    raise _strange()


def of_moment(moment: tuple[float, int] | None) -> str | None:
    """Time and id of the last receipt."""
    return None if moment is None else _packed([*moment])


def moment(text: str) -> tuple[float, int] | None:
    """The same again; None for the first page. Raises UploaderError where it is none of ours."""
    match _unpacked(text):
        case None:
            return None
        case [float(at), int(file_id)] if abs(file_id) < 1 << 63:
            return at, file_id
    raise _strange()


def of_id(row_id: int | None) -> str | None:
    """The id of the last row."""
    return None if row_id is None else _packed([row_id])


def row_id(text: str) -> int | None:
    """The same again; None for the first page. Raises UploaderError where it is none of ours."""
    match _unpacked(text):
        case None:
            return None
        case [int(found)] if abs(found) < 1 << 63:
            return found
    raise _strange()


def _packed(values: list[Any]) -> str:
    return lossless(base64.urlsafe_b64encode(json.dumps(values).encode())).rstrip("=")


def _unpacked(text: str) -> Any:
    if not text:
        return None
    try:
        found = json.loads(base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise _strange() from None
    return found or _NOTHING


_NOTHING: list[Any] = []
"""What is no cursor at all."""


def _strange() -> UploaderError:
    return UploaderError("This `cursor` is none.", "Give back `next` as it was answered, or leave it out.")
