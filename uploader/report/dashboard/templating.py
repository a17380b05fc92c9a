"""The only place that knows jinja2. Whatever comes from a file's name or from the platform is text, never markup."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import Any

import jinja2
from markupsafe import Markup

from uploader import __version__
from uploader.core.byte_sizes import format_size
from uploader.core.path_text import shown
from uploader.core.plurals import count_of
from uploader.report.status import clock_time, cluster_text
from uploader.report.terminal_text import printable

STATIC = ("style.css", "page.js", "mark.svg")


def rendered(template: str, told: Mapping[str, Any]) -> bytes:
    """A page as UTF-8."""
    return _environment().get_template(template).render(told).encode("utf-8", "replace")


@cache
def _environment() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_fit,
        auto_reload=False,
    )
    made.filters.update(size=format_size, clock=_clock, name=_name, folder=_folder, number=_number)
    made.globals.update(
        version=__version__, static=_addresses(), count_of=count_of, cluster_text=cluster_text
    )
    return made


def _fit(value: object) -> object:
    """Every text is printable: no name can turn the direction of a line, or hide in it."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _addresses() -> dict[str, str]:
    """By name, where the files of the page are, with the version of what is in them."""
    found = {}
    for name in STATIC:
        version = hashlib.sha256((files(__package__) / "static" / name).read_bytes()).hexdigest()[:12]
        found[name] = f"/static/{name}?v={version}"
    return found


def _clock(iso: str | None) -> str | Markup:
    """A moment as the machine's clock tells it."""
    if not iso:
        return ""
    whole = datetime.fromisoformat(iso).astimezone().isoformat(sep=" ", timespec="seconds")
    return Markup('<time datetime="{}" title="{}">{}</time>').format(iso, whole, clock_time(iso))


def _name(path: str) -> str:
    """The last part of a path."""
    return shown(path).rpartition("/")[2]


def _folder(path: str) -> str:
    """The path before it."""
    return shown(path).rpartition("/")[0]


def _number(value: int) -> str:
    """With a mark between thousands."""
    return f"{value:,}"
