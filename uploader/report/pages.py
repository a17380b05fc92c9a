"""The only place that turns a status into the dashboard's page for people.

Pure: a status in, bytes out. Everything that comes from a file name or from the platform is escaped.
"""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from typing import TYPE_CHECKING, Any

from uploader import __version__
from uploader.core.byte_sizes import format_size
from uploader.report.status import (
    doing,
    expected_end_text,
    folder_text,
    held_line,
    share,
    summary,
    under_way,
    wait_text,
)
from uploader.report.terminal_text import moment, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

REFRESH_SECONDS = 3
SHOWN = 200
"""Files on the page in each list; `/status.json` has them all."""

STYLE = """
body{font:15px/1.45 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;color:#1b2a33}
h1{font-size:1.3rem}h2{font-size:1.05rem;margin-top:1.8rem}table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.3rem .7rem .3rem 0;border-bottom:1px solid #d8e0e4;vertical-align:top}
td{overflow-wrap:anywhere}.held{background:#fdf1e3;padding:.5rem .8rem;border-left:4px solid #c97a12;margin:.4rem 0}
footer{margin-top:2rem;color:#6b7c86;font-size:.85rem}
@media(prefers-color-scheme:dark){body{background:#12191d;color:#d7e0e4}th,td{border-color:#2c3a42}
.held{background:#33260f}}
"""
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
"""Lets the content security policy allow this style and nothing else."""


def page(status: dict[str, Any]) -> bytes:
    """Render the HTML page, which fetches itself anew every few seconds."""
    body = "".join(_body(status))
    links = '<a href="/status.json">status.json</a> · <a href="/metrics">metrics</a>'
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="refresh" content="{REFRESH_SECONDS}">'
        '<meta name="viewport" content="width=device-width"><title>uploader</title>'
        f"<style>{STYLE}</style></head><body>{body}"
        f"<footer>uploader {__version__} · revision {_safe(status.get('revision', 0))} · {links}</footer>"
        "</body></html>"
    ).encode("utf-8", "replace")


def status_json(status: dict[str, Any]) -> bytes:
    """Render the status as `uploader status --json` prints it."""
    return json.dumps(status, indent=2).encode()


def _body(status: dict[str, Any]) -> Iterator[str]:
    yield f"<h1>{_safe(summary({**status, 'holds': None}))}</h1>"
    amounts = status.get("bytes", {})
    yield (
        f"<p>{format_size(amounts.get('pending', 0))} to go, "
        f"{format_size(amounts.get('uploaded', 0))} uploaded{_safe(expected_end_text(status))}</p>"
    )
    for hold in status.get("holds", ()):
        yield f'<p class="held" {_identity(hold)}>{_safe(held_line(hold).plain)}</p>'
    failed = ((f["path"], f["reason"], f.get("attempts", "")) for f in status.get("failed", ())[:SHOWN])
    yield from _table("Rejected", ("path", "reason", "attempts"), failed)
    if (more := len(status.get("failed", ())) - SHOWN) > 0:
        yield f"<p>and {more} more, all in status.json</p>"
    running = ((doing(r), r.get("subject"), share(r)) for r in status.get("running", ()))
    yield from _table("Running", ("what", "file", "done"), running)
    for title, counts in under_way(status):
        yield from _table(f"{title.capitalize()} under way", ("state", "number"), counts.items())
    folders = ((f["path"], folder_text(f)) for f in status.get("folders", ())[:SHOWN])
    yield from _table("Folders", ("path", "files"), folders)
    waits = ((w["what"], wait_text(w)) for w in status.get("waiting", ()))
    yield from _table("Waiting", ("state", "for what"), waits)
    again_soon = (
        (r["path"], r["reason"], _moment(r.get("next"))) for r in status.get("retrying", ())[:SHOWN]
    )
    yield from _table("Tried again", ("path", "reason", "next"), again_soon)
    lost = ((w.get("path"), w.get("text")) for w in status.get("warnings", ())[:SHOWN])
    yield from _table("Warnings", ("path", "what a COG could not carry"), lost)


def _identity(hold: dict[str, Any]) -> str:
    """Scope, subject and cause for programs that read the page; people read them in the words."""
    return " ".join(f'data-{name}="{_safe(hold.get(name) or "")}"' for name in ("scope", "subject", "cause"))


def _table(title: str, heads: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> Iterator[str]:
    body = "".join("<tr>" + "".join(f"<td>{_safe(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    if body:
        head = "".join(f"<th>{name}</th>" for name in heads)
        yield f"<h2>{title}</h2><table><tr>{head}</tr>{body}</table>"


def _moment(iso: str | None) -> str:
    return "{} {}".format(*moment(iso)) if iso else "soon"


def _safe(value: object) -> str:
    return escape(printable(str(value)))
