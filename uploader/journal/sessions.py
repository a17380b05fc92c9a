"""What becomes true of upload sessions. One public method is one transaction; its rule is in `core.transitions`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from uploader.core import scenes
from uploader.core.batching import Batch
from uploader.core.model import Hold, Layout, Scope
from uploader.core.scenes import Scene
from uploader.core.transitions import initiate_events
from uploader.core.transitions import session_events as events
from uploader.core.transitions.fates import Fates
from uploader.core.transitions.records import FileRecord
from uploader.core.transitions.session_events import NewSession
from uploader.core.verdicts import Step
from uploader.journal.holds import renewed
from uploader.journal.transactions import Rows, Transactions

_ALL_WAIT = Fates()


class Sessions:
    """The session machine in the journal."""

    def __init__(self, transactions: Transactions) -> None:
        self._transact = transactions.transact

    async def planned(
        self, batch: Batch, body: Mapping[str, object], key: str, after_upload: Mapping[int, str]
    ) -> int:
        """Freeze a session: members, sizes, body and Idempotency-Key; returns its id.

        Nothing is planned, and 0 is returned, where a person has given one of its files up meanwhile.
        """

        def work(rows: Rows) -> int:
            session_id = rows.next_session_id()
            files = [rows.file(file.file_id) for file in batch.files]
            if not events.freezable(files) or not all(_may_go(rows, file) for file in files):
                return 0
            new = NewSession(batch, body, key, after_upload)
            rows.apply(events.planned(rows.now, session_id, new, files))
            return session_id

        return await self._transact("planned", work)

    async def initiating(self, session_id: int) -> None:
        """`initiate` is about to be sent: from now on its answer may be lost."""

        def work(rows: Rows) -> None:
            rows.apply(initiate_events.initiating(rows.now, rows.session(session_id)))

        await self._transact("initiating", work)

    async def opened(
        self, session_id: int, upload_id: str, quota_cap: int | None, *, replays: bool = False
    ) -> None:
        """`initiate` answered; whatever held it back is over. `replays`: see `initiate_events.opened`."""

        def work(rows: Rows) -> None:
            session = rows.session(session_id)
            members, target = rows.members(session_id), rows.hold(Scope.TARGET, session.key.target)
            rows.apply(
                initiate_events.opened(
                    *(rows.now, session, upload_id, members, quota_cap), target=target, replays=replays
                )
            )

        await self._transact("opened", work)

    async def refused(
        self, session_id: int, reason: str, hold: Hold | None, learned: Mapping[str, Any] | None = None
    ) -> None:
        """`initiate` said no in clear words: nothing was reserved, the files wait for another session."""

        def work(rows: Rows) -> None:
            session, members = rows.session(session_id), rows.members(session_id)
            entered = _renewed(rows, hold)
            rows.apply(
                initiate_events.refused(rows.now, session, members, reason, hold=entered, learned=learned)
            )

        await self._transact("refused", work)

    async def retry(
        self,
        session_id: int,
        reason: str,
        after: float,
        *,
        answered: Step | None = None,
        hold: Hold | None = None,
    ) -> None:
        """The same step again after so many seconds.

        `answered` is the call that was answered in clear words, so that it is not doubtful.
        """

        def work(rows: Rows) -> None:
            session, entered = rows.session(session_id), _renewed(rows, hold)
            rows.apply(
                events.retried_later(rows.now, session, reason, after, answered=answered, hold=entered)
            )

        await self._transact("session_retry", work)

    async def held(self, session_id: int, text: str) -> None:
        """Only a person can go on with this session, for this reason and by this way out."""

        def work(rows: Rows) -> None:
            rows.apply(events.held(rows.now, rows.session(session_id), text))

        await self._transact("held", work)

    async def completing(self, session_id: int) -> None:
        """`complete` is about to be sent: from now on the items may exist."""

        def work(rows: Rows) -> None:
            rows.apply(events.completing(rows.now, rows.session(session_id)))

        await self._transact("completing", work)

    async def doubted(self, session_id: int, reason: str) -> None:
        """A later answer contradicts a `complete` that went unanswered: the items are looked for."""

        def work(rows: Rows) -> None:
            rows.apply(events.doubted(rows.now, rows.session(session_id), reason))

        await self._transact("doubted", work)

    async def not_found(self, session_id: int, reason: str, after: float) -> None:
        """The items are not to be seen yet; they are looked for again after so many seconds."""

        def work(rows: Rows) -> None:
            rows.apply(events.not_found(rows.now, rows.session(session_id), reason, after))

        await self._transact("not_found", work)

    async def completed(
        self,
        session_id: int,
        item_ids: Sequence[str],
        item_of: Mapping[str, str],
        *,
        readback: bool,
        visible_after: float = 0.0,
    ) -> None:
        """The items exist; the members are completed with it. `visible_after`: see `session_events.completed`."""

        def work(rows: Rows) -> None:
            session, members = rows.session(session_id), rows.members(session_id)
            scene, of_scene = _of_scene(rows, members)
            rows.apply(
                events.completed(
                    *(rows.now, session, members, item_ids, item_of),
                    readback=readback,
                    visible_after=visible_after,
                    scene=scene,
                    of_scene=of_scene,
                )
            )

        await self._transact("completed", work)

    async def read_back(
        self, session_id: int, item_of: Mapping[str, str], layout: Layout, *, verified: bool
    ) -> None:
        """The items were read back: sources may go if all are there, and the layout is known."""

        def work(rows: Rows) -> None:
            session, members = rows.session(session_id), rows.members(session_id)
            scene, of_scene = _of_scene(rows, members)
            rows.apply(
                events.read_back(
                    *(rows.now, session, members, item_of, layout),
                    verified=verified,
                    scene=scene,
                    of_scene=of_scene,
                )
            )

        await self._transact("read_back", work)

    async def incomplete(self, session_id: int, file_ids: Sequence[int], reason: str) -> None:
        """`complete` said in clear words that these bytes are missing: they are sent again."""

        def work(rows: Rows) -> None:
            missing = [rows.file(file_id) for file_id in file_ids]
            rows.apply(events.incomplete(rows.now, rows.session(session_id), missing, reason))

        await self._transact("incomplete", work)

    async def abandoned(
        self,
        session_id: int,
        reason: str,
        fates: Fates = _ALL_WAIT,
        *,
        hold: Hold | None = None,
    ) -> None:
        """Give a session up, and say in the same transaction what becomes of its members.

        Several transfers may come to this end at once: the first one moves the session, and files that have left it
        meanwhile are not touched.
        """

        def work(rows: Rows) -> None:
            named = rows.files({*fates.groups, *fates.counted})
            members = rows.members(session_id)
            files = {file.id: file for file in (*named, *members)}
            newest = {
                file_id: rows.newest_version(file.folder, file.path)
                for file_id, file in files.items()
                if file_id in fates.rejected
            }
            session, entered = rows.session(session_id), _renewed(rows, hold)
            scene, _ = _of_scene(rows, members)
            rows.apply(
                events.abandoned(
                    rows.now, session, files, fates, reason, newest=newest, hold=entered, scene=scene
                )
            )

        await self._transact("abandoned", work)

    async def failed(self, session_id: int, note: str = "") -> None:
        """The platform knows that the session failed; its reservation is given back."""

        def work(rows: Rows) -> None:
            session, members = rows.session(session_id), rows.members(session_id)
            target = rows.hold(Scope.TARGET, session.key.target)
            rows.apply(events.failed(rows.now, session, members, note, target=target))

        await self._transact("failed", work)

    async def lost(self, session_id: int, reason: str, hold: Hold | None) -> None:
        """The platform no longer knows the session; its files wait for another one."""

        def work(rows: Rows) -> None:
            session, members = rows.session(session_id), rows.members(session_id)
            rows.apply(events.lost(rows.now, session, members, reason, _renewed(rows, hold)))

        await self._transact("lost", work)


def _of_scene(rows: Rows, members: Sequence[FileRecord]) -> tuple[Scene | None, Sequence[FileRecord]]:
    """The scene that a session's one file is of, with all its files."""
    scene_id = members[0].scene_id if members else None
    return (None, ()) if scene_id is None else (rows.scene(scene_id), rows.scene_members(scene_id))


def _may_go(rows: Rows, file: FileRecord) -> bool:
    """Whether it is still this file's turn in its scene."""
    scene, of_scene = _of_scene(rows, [file])
    making = any(other.state in scenes.MAKING for other in of_scene if other.id != file.id)
    return scenes.may_go(scene, file.target_asset_key or "", making=making)


def _renewed(rows: Rows, hold: Hold | None) -> Hold | None:
    return None if hold is None else renewed(rows, hold)
