"""What a person asks for: rejected files once more, and sessions that only a person can decide about."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from uploader.core.model import Scope
from uploader.core.path_text import full_path
from uploader.core.transitions import archive_events
from uploader.core.transitions import retry_events as events
from uploader.core.transitions.held_rows import HoldName, files_of, sessions_of
from uploader.core.transitions.records import FileRecord
from uploader.core.transitions.scene_anew import item_gone, sent_anew
from uploader.core.transitions.scene_events import next_issue
from uploader.journal.archives import archive_of
from uploader.journal.transactions import Rows, Transactions


class Retrying:
    """A person's wish, entered into the journal."""

    def __init__(self, transactions: Transactions) -> None:
        self._transact = transactions.transact

    async def retried(self, paths: Sequence[bytes] | None) -> int:
        """Take files up once more: those named by absolute path, or all that can be (None). Returns how many.

        A rejected file settles again; of one that came in an archive that does, and who names an archive names all in
        it. Where that archive is gone there is nothing to try, and the file leaves the list. A session whose items are
        not to be found is looked for again; where a file of it is named, the person has looked and says that the items
        do not exist: it is uploaded again. Where a file is named that waits for the item of its scene, and that was
        deleted, the scene is sent anew.
        """
        named = None if paths is None else frozenset(paths)

        def work(rows: Rows) -> int:
            rejected = [
                file for file in rows.rejected_files() if _among(file, named) or _within(rows, file, named)
            ]
            brought_by = {file.id: archive_of(rows, file) for file in rejected if file.archive_id is not None}
            archives = [archive for archive in brought_by.values() if archive is not None]
            stranded = [file for file in rejected if brought_by.get(file.id, file) is None]
            rows.apply(archive_events.gone(rows.now, stranded))
            rejected = [file for file in rejected if file not in stranded]
            sessions = [(session, rows.members(session.id)) for session in rows.held_sessions()]
            held = [
                (session, members) for session, members in sessions if any(_among(m, named) for m in members)
            ]
            change, count = events.retried(rows.now, rejected, held, archives, denied=named is not None)
            rows.apply(change)
            return count + (_sent_anew(rows, named) if named else 0)

        return await self._transact("retried", work)

    async def tried_now(self, only: HoldName | None = None) -> int:
        """Have whatever is held tried at once: holds, and what waits for another try. Returns how many they are.

        `only`: this hold, and what waits because of it.
        """

        def work(rows: Rows) -> int:
            holds, sessions, files = rows.holds(), rows.waiting_sessions(), rows.waiting_files()
            scenes = rows.waiting_scenes()
            if only is not None:
                inside = {file.session_id for file in files} - {None}
                known = {number: rows.session(number) for number in inside if number is not None}
                holds = [hold for hold in holds if (hold.scope, hold.subject) == only]
                sessions, files = sessions_of(only, sessions), files_of(only, files, known)
                scenes = [each for each in scenes if (Scope.SCENE, each.subject) == only]
            change, count = events.tried_now(rows.now, holds, sessions, files, scenes)
            rows.apply(change)
            return count

        return await self._transact("tried_now", work)


def _within(rows: Rows, file: FileRecord, named: Collection[bytes] | None) -> bool:
    """Whether the archive is named in which a file came."""
    archive = None if file.archive_id is None else archive_of(rows, file)
    return archive is not None and _among(archive, named)


def _sent_anew(rows: Rows, named: Collection[bytes]) -> int:
    """Send the scenes anew whose item is gone and of which a file is named that waits for it."""
    holds, count = rows.holds(), 0
    waiting = {file.scene_id or 0 for file in rows.files_of_scenes() if _among(file, named)}
    for scene in map(rows.scene, sorted(waiting)):
        if item_gone(scene, holds):
            issue = next_issue(scene.version, rows.scenes_like(scene.family))
            members = rows.scene_members(scene.id)
            change, moved = sent_anew(rows.now, scene, members, scene_id=rows.next_scene_id(), issue=issue)
            rows.apply(change)
            count += moved
    return count


def _among(file: FileRecord, named: Collection[bytes] | None) -> bool:
    return named is None or full_path(file.folder, file.path) in named
