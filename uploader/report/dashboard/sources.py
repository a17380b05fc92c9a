"""What the page is given to work with: everything that it tells, and the one way in which it acts."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from uploader.journal.sqlite_library import Database
from uploader.report.dashboard.access import Access
from uploader.report.dashboard.basemap import Basemap

T = TypeVar("T")

Command = Callable[[Mapping[str, Any]], Awaitable[dict[str, Any]]]
"""A request of the control socket in, its answer out."""

Ring = Sequence[Sequence[float]]
"""Longitude and latitude of each corner, the first one again at the end."""


class Read(Protocol):
    """Runs a query on the journal beside its writer."""

    async def __call__(self, query: Callable[[Database], T], /) -> T:
        """What the query gives."""


@dataclass(frozen=True, slots=True)
class Preview:
    """What is kept of a file to show it: its outlines in WGS 84, and whether there is a picture."""

    rings: Sequence[Ring] = ()
    picture: bool = False


@dataclass(frozen=True, slots=True)
class Previews:
    """Where footprints and thumbnails come from, by the ids of files. Nothing of a file: it is shown without."""

    of: Callable[[Database, Iterable[int]], Mapping[int, Preview]]
    picture: Callable[[Database, int], bytes | None]
    """A PNG of at most 256 pixels; None where there is none."""


@dataclass(frozen=True, slots=True)
class Sources:
    """Those of one daemon."""

    status: Callable[[], Awaitable[dict[str, Any]]]
    read: Read
    command: Command
    access: Access
    commits: Callable[[], int]
    """How often the journal was written: what is told changes only with it, or while something runs."""
    previews: Previews
    running: Callable[[], bool]
    """Whether something is under way whose progress moves."""
    hosts: Sequence[str] = ()
    """Further names that it may be called by."""
    base_url: str = ""
    """Address of the platform."""
    basemap: Basemap | None = None
    """Whose tiles lie under the map; None: nobody is asked."""
