"""The journal's part of the planner's view by queries: a second opinion on the working set, for tests at every turn."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from uploader.core import scenes
from uploader.core.configuration import Folder
from uploader.core.lifecycle import ARCHIVE_NOT_NEEDED, FILE_ENDS, SESSION_ENDS, WORKED_ON
from uploader.core.live_scenes import WANTING_WINDOW
from uploader.core.model import FileState, PlatformProfile, SessionState
from uploader.core.planner_view import Disposal, PlannerView, Queued, Session, SessionMember, Waiting
from uploader.core.scenes import KeptBack, Scene, goes_at
from uploader.core.working_set import ENDING_WINDOW, QUEUE_WINDOW, WAITING_WINDOW
from uploader.journal import content_hashes
from uploader.journal.deltas import WANTING
from uploader.journal.hold_rows import read_holds, read_pauses
from uploader.journal.queries import profile, scalar, twins
from uploader.journal.row_queries import own_target, scene_row, scene_rows, session_key
from uploader.journal.rows import in_list, rows
from uploader.journal.sqlite_library import Database

_LIVE = f"state NOT IN ({in_list(SESSION_ENDS)}) OR readback = 'due'"
_MAKING, _UNFINISHED = in_list(scenes.MAKING), in_list(WORKED_ON)
_OTHERS_MAKE = f"SELECT COUNT(*) FROM files WHERE scene_id = ? AND id != ? AND state IN ({_MAKING})"  # noqa: S608
_MAY_GO = (
    "(scene_id IS NULL OR EXISTS (SELECT 1 FROM scenes s WHERE s.id = scene_id AND (s.item_id IS NOT NULL OR "  # noqa: S608
    "(s.collection_id IS NOT NULL AND s.hold = '' AND (s.lead = '' OR lower(s.lead) = lower(target_asset_key)) "
    "AND NOT EXISTS (SELECT 1 FROM files m WHERE m.scene_id = files.scene_id AND m.id != files.id "
    f"AND m.state IN ({_MAKING}))))))"
)


def read_view(
    db: Database,
    destinations: Mapping[str, Folder],
    *,
    left_out: Collection[str] = (),
) -> PlannerView:
    """The journal's part of what the planner sees; the caller adds what it knows of the machine.

    `left_out` is that of `WorkingSet.view`.
    """
    skipping = {folder for folder, d in destinations.items() if d.duplicates == "skip"}
    queued = _queued(db, left_out)
    learned = profile(db)
    completed, pending = twins(db, [q for q in queued if q.folder in skipping])
    return PlannerView(
        destinations=destinations,
        queued=queued,
        queued_total=scalar(
            db,
            f"SELECT COUNT(*) FROM files WHERE state = 'queued' AND {_outside(left_out)}",  # noqa: S608
            *left_out,
        ),
        waiting=_waiting(db, learned, left_out),
        twins_completed=completed,
        twins_pending=pending,
        sessions=_sessions(db),
        scenes=_scenes(db),
        kept_back=_kept_back(db, left_out),
        disposals=_disposals(db),
        discards=_discards(db),
        holds=tuple(read_holds(db)),
        pauses=read_pauses(db),
        profile=learned,
        staged_bytes=scalar(
            db, "SELECT COALESCE(SUM(size + COALESCE(object_size, 0)), 0) FROM files WHERE staged = 1"
        ),
    )


def _scenes(db: Database) -> tuple[Scene, ...]:
    found = [scene for scene in scene_rows(db, f"{WANTING} ORDER BY not_before, id") if scene.wanting]
    return tuple(found[:WANTING_WINDOW])


def _kept_back(db: Database, left_out: Collection[str]) -> tuple[KeptBack, ...]:
    found = rows(
        db,
        f"SELECT * FROM files WHERE state = 'converted' AND {_outside(left_out)} AND NOT {_MAY_GO} "  # noqa: S608
        "ORDER BY id LIMIT ?",
        *left_out,
        WAITING_WINDOW,
    )
    by_scene: dict[int, list[Mapping[str, Any]]] = {}
    for row in found:
        by_scene.setdefault(row["scene_id"], []).append(row)
    return tuple(
        KeptBack(
            scene_row(db, scene_id),
            len(files),
            sum(file["object_size"] for file in files),
            min(file["changed_at"] for file in files),
            making=bool(scalar(db, _OTHERS_MAKE, scene_id, files[0]["id"])),
        )
        for scene_id, files in by_scene.items()
    )


def _outside(left_out: Collection[str]) -> str:
    """The condition that a file lies in none of these folders, which are its values."""
    return f"folder NOT IN ({', '.join('?' * len(left_out))})"


def _queued(db: Database, left_out: Collection[str]) -> tuple[Queued, ...]:
    found = rows(
        db,
        f"SELECT * FROM files WHERE state = 'queued' AND {_outside(left_out)} "  # noqa: S608
        "ORDER BY not_before > 0, priority DESC, id LIMIT ?",
        *left_out,
        QUEUE_WINDOW,
    )
    return tuple(
        Queued(
            r["id"],
            r["folder"],
            r["size"],
            content_hashes.told(r["content"]) or "",
            r["not_before"],
            bool(r["alone"]),
            r["retrying_since"],
        )
        for r in found
    )


def _waiting(db: Database, learned: PlatformProfile, left_out: Collection[str]) -> tuple[Waiting, ...]:
    order = "priority DESC" if learned.quota_cap is None else "object_size"
    sql = (
        "SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY folder, target_collection_id, "  # noqa: S608
        "target_item_id, target_asset_key, categorical, batch_group "
        f"ORDER BY not_before > 0, {order}, id) AS place FROM files "
        f"WHERE state = 'converted' AND {_outside(left_out)} AND {_MAY_GO}) WHERE place <= ? "
        "ORDER BY priority DESC, id"
    )
    found = rows(db, sql, *left_out, WAITING_WINDOW)
    return tuple(
        Waiting(
            r["id"],
            r["folder"],
            r["object_size"],
            r["changed_at"],
            bool(r["categorical"]),
            r["file_name"],
            r["batch_group"],
            max(r["not_before"], goes_at(scene_row(db, r["scene_id"])) if r["scene_id"] else 0.0),
            own_target(r),
            r["priority"],
            bool(r["hold"]),
        )
        for r in found
    )


def _sessions(db: Database) -> tuple[Session, ...]:
    members: dict[int, list[SessionMember]] = {}
    for m in rows(
        db,
        "SELECT session_id, id, state, object_size, not_before, retrying_since, folder, hold FROM files "  # noqa: S608
        f"WHERE session_id IN (SELECT id FROM sessions WHERE {_LIVE}) ORDER BY id",
    ):
        member = SessionMember(
            m["id"],
            FileState(m["state"]),
            m["object_size"] or 0,
            m["not_before"],
            m["retrying_since"],
            m["folder"],
            bool(m["hold"]),
        )
        members.setdefault(m["session_id"], []).append(member)
    return tuple(
        Session(
            session_id=s["id"],
            key=session_key(s),
            state=SessionState(s["state"]),
            members=tuple(members.get(s["id"], ())),
            not_before=s["not_before"],
            hold=s["hold"],
            locating=bool(s["locating"]),
            readback_due=s["readback"] == "due",
            retrying_since=s["retrying_since"],
            last_error=s["last_error"],
            upload_id=s["upload_id"] or "",
            locate_tries=s["locate_tries"],
            tries=s["tries"],
        )
        for s in rows(db, f"SELECT * FROM sessions WHERE {_LIVE} ORDER BY id")  # noqa: S608
    )


def _disposals(db: Database) -> tuple[Disposal, ...]:
    found = rows(
        db,
        "SELECT f.id, f.not_before, f.retrying_since FROM files f LEFT JOIN sessions s "  # noqa: S608
        "ON s.id = f.session_id WHERE f.disposal IS NULL AND (f.state = 'completed' OR (f.state = 'unpacked' AND "
        "NOT EXISTS (SELECT 1 FROM files m WHERE m.archive_id = f.id AND "
        f"m.state NOT IN ({in_list(ARCHIVE_NOT_NEEDED)}) AND (m.state != 'completed' OR m.disposal IS NULL)))) "
        "AND (s.readback IS NULL OR s.readback = 'verified') "
        f"AND NOT EXISTS (SELECT 1 FROM files m WHERE m.scene_id = f.scene_id AND m.state IN ({_UNFINISHED})) "
        "ORDER BY f.id LIMIT ?",
        ENDING_WINDOW,
    )
    return tuple(Disposal(r["id"], r["not_before"], r["retrying_since"]) for r in found)


def _discards(db: Database) -> tuple[int, ...]:
    sql = f"SELECT id FROM files WHERE staged = 1 AND state IN ({in_list(FILE_ENDS)}) ORDER BY id LIMIT ?"  # noqa: S608
    found = rows(db, sql, ENDING_WINDOW)
    return tuple(r["id"] for r in found)
