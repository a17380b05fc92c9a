"""Receipts for people: a line for each, as they come, so that a million need no memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from uploader.core.moments import iso
from uploader.core.receipt_document import whole_path
from uploader.report.terminal_text import moment, printable

UNKNOWN = "(not known)"


def lines(found: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """When the item came about, its id, and the path of the source."""
    for row in found:
        day, clock = moment(iso(row["completed_at"]) or "1970-01-01T00:00:00+00:00")
        item = printable(row["item_id"] or UNKNOWN)
        yield f"{day} {clock}  {item:<36}  {printable(whole_path(row))}\n"
