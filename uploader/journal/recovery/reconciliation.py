"""A journal that is older than the world is told what happened since, as far as the platform shows it.

One transaction, on the copy that is to become the journal. The rules, for files that are not at their end in it:

- a file whose name is among the platform's records, and of which no other file is known, is completed;
- a session of which all files are completed so is completed; one of which some are is lost, as its files went another
  way; one that was planned only is lost, because nobody knows whether it was opened;
- where names do not come back, a session is completed if the platform shows as many records of it as it has files; all
  other files, and all that lie in the folders and are not known, may have been uploaded: they wait for a person.

All else goes on by the rules of every day: `complete` and PUT may be repeated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from uploader.core.lifecycle import ITEMS
from uploader.core.matching import stem_of
from uploader.core.model import SessionState
from uploader.core.naming import file_name
from uploader.core.recovery_matching import Listed, Target, names_come_back
from uploader.core.transitions import repair_events as events
from uploader.core.transitions.repair_events import SessionFate
from uploader.journal import content_hashes
from uploader.journal.deltas import SESSION_PENDING, WORKED_ON
from uploader.journal.hold_rows import ESTRANGED, learn
from uploader.journal.opening import connect_copy, writing
from uploader.journal.queries import leaked_bytes
from uploader.journal.recovered_items import known_item, take
from uploader.journal.recovery.rebuild import KEY, Outcome, Reality
from uploader.journal.rows import encode_sighting, in_list, log_event, rows
from uploader.journal.sqlite_library import Database
from uploader.journal.stored_rows import StoredRows


def reconcile(path: Path, reality: Reality, outcome: Outcome) -> Outcome:
    """Bring the copy at `path` in line with the world, and keep in it what was found; `outcome` is filled in."""
    with writing(path), closing(connect_copy(path)) as db, db.atomic():
        _Reconciling(db, reality, outcome).run()
        learn(db, KEY, outcome.to_json())
        learn(db, ESTRANGED, None)
        log_event(db, "repaired", "", f"from {outcome.base}: {outcome.why}")
    return outcome


class _Reconciling:
    def __init__(self, db: Database, reality: Reality, outcome: Outcome) -> None:
        self._db = db
        self._stored = StoredRows(db)
        self._reality = reality
        self._outcome = outcome
        items = {r["item_id"] for r in rows(db, "SELECT item_id FROM files WHERE item_id IS NOT NULL")}
        uploads = {
            r["upload_id"] for r in rows(db, "SELECT upload_id FROM sessions WHERE upload_id IS NOT NULL")
        }
        by_target: dict[Target, list[Listed]] = {}
        for one in reality.listed:
            by_target.setdefault(one.target, []).append(one)
        self._unsure = {t for t, found in by_target.items() if not names_come_back(found, items, uploads)}
        self._unsure.update(reality.closed)
        self._shown = Counter(one.upload_id for one in reality.listed if one.upload_id)

    def run(self) -> None:
        """All of it, in the order in which it depends on each other."""
        outcome = self._outcome
        outcome.rows = self._count("files", "1")
        outcome.listed = len(self._reality.listed)
        outcome.unsure_targets = sorted("/".join(filter(None, vars_of(t))) for t in self._unsure)
        self._enter_items()
        self._account_for_the_completed()
        for session in rows(self._db, f"SELECT * FROM sessions WHERE {SESSION_PENDING} ORDER BY id"):  # noqa: S608
            self._session(session)
        self._loose()
        self._lost_sessions()
        self._lying()
        outcome.again = self._count("files", WORKED_ON)
        outcome.possibly_leaked_bytes = leaked_bytes(self._db)

    def _enter_items(self) -> None:
        self._db.conn.execute("DELETE FROM known_items")
        self._db.conn.executemany(
            "INSERT INTO known_items (project_id, collection_id, target_item_id, record_id, item_id, upload_id, stem) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (*vars_of(one.target), one.record_id, one.item_id, one.upload_id, name)
                for one in self._reality.listed
                for name in sorted(one.stems)
            ],
        )

    def _account_for_the_completed(self) -> None:
        """The records of files that are completed already are no other file's."""
        unknown = []
        for row in self._files(f"state IN ({in_list(ITEMS)}) AND file_name IS NOT NULL"):
            taken = self._db.conn.execute(
                "UPDATE known_items SET file_id = ? WHERE id = (SELECT id FROM known_items "
                "WHERE stem = ? AND item_id = ? AND file_id IS NULL LIMIT 1)",
                (row["id"], stem_of(row["file_name"]), row["item_id"]),
            )
            if not taken.rowcount and not row["item_id"]:
                unknown.append(row)
        for row in unknown:
            if target := self._target(row):
                self._take(row, target)

    def _session(self, session: dict[str, Any]) -> None:
        members = self._files("session_id = ?", session["id"])
        target = Target(session["project_id"], session["collection_id"], session["item_id"])
        items = {row["id"]: self._take(row, target) for row in members}
        found = {file_id: item for file_id, item in items.items() if item is not None}
        state, unsure = SessionState(session["state"]), target in self._unsure
        shown = self._shown[session["upload_id"]] if session["upload_id"] else 0
        fate = events.session_fate(state, len(members), len(found), shown, unsure=unsure)
        if fate is SessionFate.COMPLETED:
            self._complete(session, found)
            return
        for row in members:
            if row["id"] in found:
                self._recognise(row, found[row["id"]])
        if fate is SessionFate.LOST:
            self._lose(session)
        else:
            self._keep(session)
        if unsure:
            self._reject([row for row in members if row["id"] not in found])

    def _complete(self, session: dict[str, Any], items: Mapping[int, str]) -> None:
        stored = self._stored
        record, files = stored.session(session["id"]), stored.members(session["id"])
        stored.apply(events.session_recognised(stored.now, record, files, items))
        for file in files:
            self._recognise_scene(file.scene_id, items.get(file.id))
        self._outcome.recognised += len(files)
        self._outcome.sessions_completed += 1

    def _lose(self, session: dict[str, Any]) -> None:
        stored = self._stored
        record, files = stored.session(session["id"]), stored.members(session["id"])
        stored.apply(events.session_lost(stored.now, record, files))
        self._outcome.sessions_lost += 1

    def _keep(self, session: dict[str, Any]) -> None:
        stored = self._stored
        record, files = stored.session(session["id"]), stored.members(session["id"])
        stored.apply(events.session_kept(stored.now, record, files))
        self._outcome.sessions_kept += 1

    def _loose(self) -> None:
        """Files in no session."""
        for row in self._files(f"{WORKED_ON} AND session_id IS NULL"):
            target = self._target(row)
            if target is None:
                continue
            item = self._take(row, target)
            if item is not None:
                self._recognise(row, item)
            elif target in self._unsure:
                self._reject([row])

    def _lost_sessions(self) -> None:
        """Sessions that only the damaged file knew: counted as what they may hold."""
        known = {r["idempotency_key"] for r in rows(self._db, "SELECT idempotency_key FROM sessions")}
        for lost in self._reality.lost:
            if lost.key in known or self._shown[lost.upload_id]:
                continue
            change = events.session_remembered(self._stored.now, self._stored.next_session_id(), lost)
            self._stored.apply(change)
            self._outcome.sessions_lost += 1

    def _lying(self) -> None:
        """What lies in the folders and is not known as it lies there."""
        self._db.conn.execute("DELETE FROM unsure")
        for sighting in self._reality.lying:
            found = rows(
                self._db,
                "SELECT state, sighting FROM files WHERE folder = ? AND path = ? AND current = 1",
                sighting.folder,
                sighting.path,
            )
            text = encode_sighting(sighting)
            if any(row["sighting"] == text and row["state"] != "settling" for row in found):
                continue
            self._outcome.new += 1
            destination = self._reality.destinations.get(sighting.folder)
            if destination is not None and Target.of(destination) in self._unsure:
                self._outcome.unsure += 1
                self._db.conn.execute(
                    "INSERT OR REPLACE INTO unsure (folder, path, sighting) VALUES (?, ?, ?)",
                    (sighting.folder, sighting.path, text),
                )

    def _files(self, where: str, *args: Any) -> list[dict[str, Any]]:
        return rows(
            self._db,
            "SELECT f.id, f.folder, f.path, f.state, f.content, f.file_name, f.item_id, f.after_upload, "  # noqa: S608
            "s.project_id, s.collection_id, s.item_id AS target_item_id, s.upload_id "
            f"FROM (SELECT * FROM files WHERE {where}) f LEFT JOIN sessions s ON s.id = f.session_id ORDER BY f.id",
            *args,
        )

    def _target(self, row: Mapping[str, Any]) -> Target | None:
        """Where a file went, by its session, or where it goes, by its folder."""
        if row["project_id"] is not None:
            return Target(row["project_id"], row["collection_id"], row["target_item_id"])
        destination = self._reality.destinations.get(row["folder"])
        return None if destination is None else Target.of(destination)

    def _take(self, row: Mapping[str, Any], target: Target) -> str | None:
        """The item that a file is, which then is no other file's."""
        item = known_item(self._db, target, _name(row), row["upload_id"] or "")
        if item is None:
            return None
        take(self._db, item.id, row["id"])
        return item.item_id

    def _recognise(self, row: Mapping[str, Any], item: str) -> None:
        destination = self._reality.destinations.get(row["folder"])
        policy = row["after_upload"] or (destination.after_upload if destination else "keep")
        file = self._stored.file(row["id"])
        self._stored.apply(events.file_recognised(self._stored.now, file, item, _name(row), policy))
        self._recognise_scene(file.scene_id, item)
        self._outcome.recognised += 1

    def _recognise_scene(self, scene_id: int | None, item: str | None) -> None:
        """The others of a file's scene go where it went."""
        if scene_id is None or not item:
            return
        stored = self._stored
        scene, members = stored.scene(scene_id), stored.scene_members(scene_id)
        stored.apply(events.scene_recognised(stored.now, scene, item, members))

    def _reject(self, found: Iterable[Mapping[str, Any]]) -> None:
        """Nobody can tell whether these were uploaded."""
        stored = self._stored
        for row in found:
            file = stored.file(row["id"])
            newest = stored.newest_version(file.folder, file.path)
            stored.apply(events.file_unsure(stored.now, file, newest))
            self._outcome.unsure += 1

    def _count(self, table: str, where: str) -> int:
        return int(self._db.conn.execute(f"SELECT COUNT(*) FROM {table} WHERE {where}").fetchone()[0])  # noqa: S608


def vars_of(target: Target) -> tuple[str, str, str]:
    """Project, collection and item of a target."""
    return target.project_id, target.collection_id, target.item_id


def _name(row: Mapping[str, Any]) -> str:
    """The name under which the file is, or would be, uploaded."""
    return row["file_name"] or file_name(bytes(row["path"]), content_hashes.told(row["content"]) or "")
