"""What every part of the running sandbox shares, and the two things each of them writes: history and effects."""

from __future__ import annotations

import random
import threading
import time
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from uploader.sandbox.database import insert

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path

    from uploader.sandbox.access import Keyring, Tokens
    from uploader.sandbox.database import Database
    from uploader.sandbox.faults import Faults
    from uploader.sandbox.inspector import Inspector
    from uploader.sandbox.limits import Window
    from uploader.sandbox.options import Options
    from uploader.sandbox.painting import Painters
    from uploader.sandbox.pipeline import Pipeline
    from uploader.sandbox.signing import Signer

BUCKET = "/storage/geopera-sandbox/"
"""What stands before an object's path in a URL of the store."""


@dataclass(frozen=True, slots=True)
class World:
    """The running sandbox. `api_url` and `store_url` are origins without a trailing slash."""

    options: Options
    api_url: str
    store_url: str
    database: Database
    keyring: Keyring
    tokens: Tokens
    signer: Signer
    window: Window
    faults: Faults
    inspector: Inspector
    latency: Latency
    painters: Painters
    pipeline: Pipeline

    @property
    def objects(self) -> Path:
        """Folder of the stored bytes."""
        return self.options.root / "objects"

    @staticmethod
    def now() -> float:
        """Unix seconds."""
        return time.time()


class Latency:
    """Draws how long each answer takes: seeded, so that a run can be repeated."""

    def __init__(self, longest: float, seed: int) -> None:
        self._longest = longest
        self._random = random.Random(seed)  # noqa: S311  repeatable
        self._lock = threading.Lock()

    def draw(self) -> float:
        """Seconds for one answer."""
        if not self._longest:
            return 0.0
        with self._lock:
            return self._random.random() * self._longest


@dataclass(slots=True)
class Trace:
    """What the history will say of one call; filled while it is served."""

    operation: str
    call_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    organization: str = ""
    principal: str = ""
    upload_id: str = ""
    sent: bool = True
    committed: bool = False
    bytes_in: int = 0
    had_authorization: bool = False
    detail: str = ""
    doomed: list[Path] = field(default_factory=list)
    """Files to remove once the transaction is committed."""

    def call(self, tx: sqlite3.Connection, now: float, status: int | None, bytes_out: int) -> None:
        """Write the call's row; before its answer leaves, so that who got the answer finds the row."""
        insert(
            tx,
            "history",
            at=now,
            kind="call",
            call_id=self.call_id,
            organization=self.organization,
            principal=self.principal,
            operation=self.operation,
            upload_id=self.upload_id,
            status=status,
            sent=self.sent,
            committed=self.committed,
            bytes_in=self.bytes_in,
            bytes_out=bytes_out,
            had_authorization=self.had_authorization,
            detail=self.detail,
        )

    def unsent(self, tx: sqlite3.Connection, now: float) -> None:
        """Write that the client was gone when its answer came; the call's own row stays as it is."""
        values = {"call_id": self.call_id, "operation": self.operation, "upload_id": self.upload_id}
        insert(tx, "history", at=now, kind="unsent", sent=False, committed=self.committed, **values)

    def effect(
        self, tx: sqlite3.Connection, now: float, what: str, *, upload_id: str = "", size: int = 0
    ) -> None:
        """Write the row of an effect; call it in the transaction of the effect itself."""
        self.committed = True
        self.upload_id = upload_id or self.upload_id
        insert(
            tx,
            "history",
            at=now,
            kind="effect",
            call_id=self.call_id,
            organization=self.organization,
            principal=self.principal,
            operation=what,
            upload_id=self.upload_id,
            bytes_in=size,
        )
