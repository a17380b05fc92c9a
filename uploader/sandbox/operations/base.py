"""What an operation is, what it is given, and the questions that many of them ask first."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BaseModel, Field

from uploader.sandbox.access import WRITERS
from uploader.sandbox.errors import Refusal

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from uploader.sandbox.access import Principal
    from uploader.sandbox.faults import Fault
    from uploader.sandbox.world import Trace, World

Effect = Literal["read", "compute", "external_spend", "share_export", "destructive"]


Count = Annotated[int, Field(ge=0, le=1 << 53)]
"""How many, or how many bytes: beyond this bound JSON does not carry whole numbers anyway."""


class Input(BaseModel):
    """The parent of the inputs: unknown fields are ignored, as the published schemas allow them."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of one operation: who, when, in which transaction, with which fault on it."""

    world: World
    who: Principal
    tx: sqlite3.Connection
    now: float
    trace: Trace
    fault: Fault | None = None
    staged: Any = None
    """What the operation's `stage` returned."""
    idempotency: tuple[str, ...] = ()
    """Path, Idempotency-Key and digest of the body; empty without the header."""

    def effect(self, what: str, *, upload_id: str = "", size: int = 0) -> None:
        """Write an effect into the history, in this call's transaction."""
        self.trace.effect(self.tx, self.now, what, upload_id=upload_id, size=size)


@dataclass(frozen=True, slots=True)
class Answer:
    """A success; `headers` beside the content type."""

    body: bytes
    status: int = 200
    media_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)

    @classmethod
    def json(cls, value: Any, *, status: int = 200, media_type: str = "application/json") -> Answer:
        """An answer of JSON; NaN and infinities are a bug, not JSON."""
        return cls(json.dumps(value, allow_nan=False).encode(), status, media_type)


@dataclass(frozen=True, slots=True)
class Operation:
    """One row of the table.

    `run` works inside a transaction (a reading one for the tier `read`). `prepare`, when given, runs before it,
    outside of any transaction: for what takes long. It may be called more often than `run`.
    """

    id: str
    scope: str
    effect: Effect
    input: type[Input]
    run: Callable[[Call, Any], Answer]
    prepare: Callable[[World, Any], None] | None = None
    forget: Callable[[Call, Any, int], None] | None = None
    """Carries out the fault `lose_session` for this input."""
    stage: Callable[[Call, Any], Any] | None = None
    """For what is to be changed but takes long: runs before `run`, in a reading transaction, with a full call."""
    paints: bool = False
    """Whether it waits for a painter: such calls share a few threads, so that the others always find one."""

    @property
    def reads(self) -> bool:
        """Whether it changes nothing: such operations have GET routes."""
        return self.effect == "read"


def project_role(call: Call, project_id: str) -> str:
    """The caller's role in a project.

    Raises:
        Refusal: 404 for a project of nobody or of another organization, 403 for one without membership.

    """
    row = call.tx.execute(
        "SELECT 1 FROM project WHERE id = ? AND organization = ?", (project_id, call.who.organization)
    ).fetchone()
    if row is None:
        raise Refusal(404, f"project {project_id} not found")
    role = call.who.role(project_id)
    if role is None:
        raise Refusal(403, f"not a member of project {project_id}")
    return role


def require_writer(call: Call, project_id: str) -> None:
    """Refuse with 403 unless the caller is editor or admin of the project (404 as above)."""
    role = project_role(call, project_id)
    if role not in WRITERS:
        raise Refusal(403, f"role '{role}' may not write to project {project_id}; editor or admin is needed")


def stamp(seconds: float) -> str:
    """Unix seconds as the platform writes times.

    Example:
        >>> stamp(0)
        '1970-01-01T00:00:00.000000Z'

    """
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
