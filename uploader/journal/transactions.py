"""What a method of the journal may do within its transaction: ask for rows, and apply what core makes of them.

The daemon does so with SQLite (`stored_rows`), the simulator with rows in memory: the same methods run on both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol, TypeVar

from uploader.core.model import FileState, Hold, Pause, Scope, Sighting
from uploader.core.recovery_matching import Target
from uploader.core.scenes import Scene
from uploader.core.transitions.change import Change
from uploader.core.transitions.records import FileRecord, SessionRecord
from uploader.core.transitions.repaired import KnownItem
from uploader.core.transitions.source_events import SightedGroup

T = TypeVar("T")


class Rows(Protocol):
    """The rows of one transaction. What is asked for by a key that no row has raises LookupError."""

    now: float
    """Unix seconds, the same for the whole transaction."""

    def file(self, file_id: int) -> FileRecord:
        """One file."""

    def files(self, file_ids: Iterable[int]) -> list[FileRecord]:
        """Those of these files that there are, in this order."""

    def versions(self, folder: str, path: bytes) -> list[FileRecord]:
        """All current versions of a path, the oldest first."""

    def all_versions(self, paths: Sequence[tuple[str, bytes]]) -> list[list[FileRecord]]:
        """`versions` of each of many different paths, by their folders."""

    def newest_version(self, folder: str, path: bytes) -> FileRecord | None:
        """The newest current version of a path."""

    def version_with(self, file: FileRecord, content: str) -> FileRecord | None:
        """The other current version of a file's path that has this content; there is one at most."""

    def unpacked_from(self, archive_id: int) -> list[FileRecord]:
        """What was unpacked from an archive, in order of their ids; of a file that is none, nothing."""

    def held_files(self) -> list[FileRecord]:
        """Files that have a hold of their own."""

    def retrying_files(self, state: FileState) -> list[FileRecord]:
        """Files in this state that wait for another try."""

    def rejected_files(self) -> list[FileRecord]:
        """The current versions of all paths that are rejected."""

    def next_file_id(self) -> int:
        """The id of the next file that is made."""

    def session(self, session_id: int) -> SessionRecord:
        """One session."""

    def members(self, session_id: int) -> list[FileRecord]:
        """The files of a session, in order of their ids."""

    def held_sessions(self) -> list[SessionRecord]:
        """The sessions that only a person can go on with."""

    def waiting_sessions(self) -> list[SessionRecord]:
        """The sessions that are not over, and held or not to be gone on with yet."""

    def waiting_files(self) -> list[FileRecord]:
        """The claimed files that have not ended, or whose source is to go, and that are held or not to be tried yet."""

    def waiting_scenes(self) -> list[Scene]:
        """The scenes for which something is tried again that is not to be tried yet."""

    def retrying_sessions(self) -> list[SessionRecord]:
        """Live sessions that wait for another try, but for those that only a person can go on with."""

    def scene(self, scene_id: int) -> Scene:
        """One scene."""

    def scenes_like(self, family: tuple[str, str, str, str, str]) -> list[Scene]:
        """All versions and issues of a scene, the oldest first."""

    def files_of_scenes(self) -> list[FileRecord]:
        """The converted files of scenes that were not sent yet."""

    def scenes_without_collection(self, project_id: str, collection: str) -> list[Scene]:
        """The scenes of a project whose collection of this name was not found yet."""

    def scene_members(self, scene_id: int) -> list[FileRecord]:
        """The files of a scene, in order of their ids."""

    def scene_content(self, scene: Scene, asset: str, but: int) -> str | None:
        """The content of the raster that a scene has under this asset, the file `but` apart.

        Empty where it is being looked at again; None: it has none.
        """

    def next_scene_id(self) -> int:
        """The id of the next scene that is made."""

    def next_session_id(self) -> int:
        """The id of the next session that is made."""

    def holds(self) -> list[Hold]:
        """All holds, the oldest first."""

    def hold(self, scope: Scope, subject: str) -> Hold | None:
        """One hold."""

    def pauses(self) -> tuple[Pause, ...]:
        """All pauses, those among them that have ended by themselves."""

    def learned(self, key: str) -> Any:
        """What was learned under this key; None where it was not."""

    def known_item(self, target: Target, file_name: str) -> KnownItem | None:
        """A record of the platform that a repair has listed, has this file name, and is no file's yet."""

    def listed_names(self, target: Target, spelled: str) -> list[tuple[str, str]]:
        """Names with this text in them that a repair saw in a target and that are no file's yet, with their items."""

    def any_recovered(self) -> bool:
        """Whether a repair has listed records of the platform at all; else nothing is a `known_item`."""

    def is_unsure(self, seen: SightedGroup) -> bool:
        """Whether this very file lay there at a repair that could not tell whether it had been uploaded."""

    def seen(self, sighting: Sighting) -> SightedGroup:
        """A sighting with the value by which these rows keep it."""

    def last_event(self) -> float | None:
        """The time of the last event; None where there is none."""

    def lowest_cursor(self) -> int | None:
        """The last event that all followers have told of; None where there is no follower."""

    def newest_event(self, *, file_id: int | None = None, session_id: int | None = None) -> int:
        """The id of the last event of a file, or of a session itself; 0 where there is none."""

    def apply(self, change: Change) -> None:
        """Write what a transition makes true."""


class Transactions(Protocol):
    """Runs the work of one method of the journal in one durable transaction."""

    async def transact(self, name: str, work: Callable[[Rows], T]) -> T:
        """Run `work`, and return its result once what it applied is durable; see `Writer.transact`."""
