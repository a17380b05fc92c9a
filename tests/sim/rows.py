"""Rows of the journal's tables as records, and what the effects and the planner are shown of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from uploader.core.lifecycle import SESSION_ENDS
from uploader.core.model import OwnTarget, Sighting
from uploader.core.planner_view import Session, SessionMember, Waiting
from uploader.core.scenes import Scene, goes_at
from uploader.core.transitions.records import FileRecord, SessionRecord
from uploader.journal import FileRow, SessionRow


@dataclass(slots=True, kw_only=True, eq=False)
class File(FileRecord):
    """A row of `files`; `row`, `member` and `candidate` are what was made of it since its last change."""

    sighting: Sighting
    size: int
    discovered_at: float
    changed_at: float
    object_size: int = 0
    object_md5: bytes | None = None
    object_crc32c: int = 0
    method: str | None = None
    categorical: int = 0
    warnings: list[Any] = field(default_factory=list)
    file_name: str = ""
    batch_group: str = ""
    archived_as: bytes | None = None
    archived_identity: str | None = None
    item_id: str | None = None
    alone: int = 0
    not_before: float = 0.0
    last_error: str = ""
    target_collection_id: str | None = None
    target_item_id: str | None = None
    target_asset_key: str | None = None
    priority: int = 0
    completed_at: float | None = None
    converted_at: float | None = None
    stored_at: float | None = None
    readback: str | None = None
    source_sha256: bytes | None = None
    object_sha256: bytes | None = None
    comparison: str | None = None
    declared: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    footprint: bytes | None = None
    transform: bytes | None = None
    row: FileRow | None = None
    member: SessionMember | None = None
    candidate: Waiting | None = None
    scene: Scene | None = None
    """The scene that it is of."""

    def as_row(self) -> FileRow:
        """What an effect is given."""
        if self.row is None:
            self.row = FileRow(
                self.id,
                self.folder,
                self.path,
                self.state,
                self.sighting,  # type: ignore[arg-type]  # the effects' decoder is replaced, too
                self.size,
                self.content or "",
                self.object_size,
                self.object_sha256 or b"",
                self.object_crc32c,
                self.file_name,
                self.session_id,
                self.after_upload or "keep",
                self.attempts,
                self.looks,
                self.tries,
                self.refusals,
                self.losses,
                self.scene_id,
            )
        return self.row

    def as_member(self) -> SessionMember:
        """What the planner sees of it within a session."""
        if self.member is None:
            self.member = SessionMember(
                *(self.id, self.state, self.object_size, self.not_before, self.retrying_since, self.folder),
                held=bool(self.hold),
            )
        return self.member

    def as_candidate(self) -> Waiting:
        """What the planner sees of it before it has a session."""
        if self.candidate is None:
            self.candidate = Waiting(
                self.id,
                self.folder,
                self.object_size,
                self.changed_at,
                bool(self.categorical),
                self.file_name,
                self.batch_group,
                max(self.not_before, goes_at(self.scene)),
                OwnTarget(self.target_collection_id, self.target_item_id, self.target_asset_key),
                self.priority,
                bool(self.hold),
            )
        return self.candidate


@dataclass(slots=True, kw_only=True, eq=False)
class Upload(SessionRecord):
    """A row of `sessions`, with its members by id."""

    idempotency_key: str
    body: dict[str, Any]
    file_count: int
    created_at: float
    changed_at: float
    upload_id: str | None = None
    locating: int = 0
    item_ids: list[str] = field(default_factory=list)
    not_before: float = 0.0
    last_error: str = ""
    members: dict[int, File] = field(default_factory=dict)
    row: SessionRow | None = None
    view: Session | None = None

    @property
    def live(self) -> bool:
        """Whether the planner has to see it."""
        return self.state not in SESSION_ENDS or self.readback == "due"

    def ordered(self) -> list[File]:
        """The members by id."""
        members = self.members
        return [members[i] for i in sorted(members)]

    def as_row(self) -> SessionRow:
        """What an effect is given: a copy of this moment."""
        if self.row is None:
            self.row = SessionRow(
                self.id,
                self.state,
                self.key,
                self.idempotency_key,
                self.body,
                self.total_bytes,
                self.upload_id or "",
                self.completes_sent,
                self.completes_clear,
                self.locate_tries,
                tuple(self.item_ids),
                self.tries,
                self.retrying_since,
                tuple([file.as_row() for file in self.ordered()]),
            )
        return self.row

    def as_view(self) -> Session:
        """What the planner sees of it."""
        if self.view is None:
            self.view = Session(
                self.id,
                self.key,
                self.state,
                tuple([file.as_member() for file in self.ordered()]),
                self.not_before,
                self.hold,
                bool(self.locating),
                self.readback == "due",
                self.retrying_since,
                self.last_error,
                self.upload_id or "",
                self.locate_tries,
                self.tries,
            )
        return self.view
