"""What can go wrong, as classes; the doors raise them, `core.failure_policy` decides what follows.

    UploaderError
    ├── ConfigurationError        a person must edit something before a start makes sense (exit 78)
    ├── AlreadyRunning            another daemon holds the state directory or a drop folder
    ├── JournalError              the journal is damaged, newer than the program, or locked (exit 78)
    ├── RemoteError
    │   ├── Unreachable           nothing was sent: no name, no route, refused, bad certificate
    │   ├── NoAnswer              sent, but the answer is missing or is not the platform's: it may have acted
    │   ├── Refused               a clear answer of the platform in its own format, 4xx or 5xx
    │   ├── CredentialRefused     a fresh token, or the key itself, is not accepted
    │   ├── StoreRefused          the object store said no to a PUT
    │   └── StoreMismatch         the object store holds other bytes than were sent
    └── LocalError
        ├── SourceChanged         the file in the drop folder is not the one that was seen
        ├── SourceUnreadable      the file in the drop folder cannot be read: rights, I/O error
        ├── StagedDamaged         a private copy is missing or differs from its recorded hash
        ├── NoSpace               no room for what is to be written
        │   └── FileTooLarge      the file system takes no file of that size
        ├── RasterUnreadable      the raster does not open, or ends too early
        ├── RasterRefused         the raster opens but is beyond the limits, or cannot be kept exact
        ├── ConverterBroken       the converter does not start at all
        ├── ClusterUnavailable    the cluster that converts is not there, or has no worker that is fit
        ├── WorkerGone            the cluster's worker is gone that was converting the raster
        ├── Shortage              the machine has no process or thread to give
        ├── MemoryTooNarrow       the host gives a converter less memory than is configured
        └── ConversionFailed      the child crashed, hung or ate its memory

Each says what was attempted on what, why it failed, and the way out, in words for the person who reads it.
No message ever carries a credential or the query of a signed URL.
"""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from typing import Any, Self


class UploaderError(Exception):
    """The parent of all: `reason` is one sentence, `way_out` another (may be empty)."""

    def __init__(self, reason: str, way_out: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.way_out = way_out

    def __str__(self) -> str:
        return f"{self.reason} {self.way_out}".strip()


class ConfigurationError(UploaderError):
    """A person must edit something before a start makes sense."""


class AlreadyRunning(UploaderError):
    """Another daemon holds the state directory or a drop folder."""


class JournalError(UploaderError):
    """The journal is damaged, newer than the program, or in use by another daemon."""


class RemoteError(UploaderError):
    """Something on the far side, or on the way to it."""

    def __init__(self, reason: str, way_out: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(reason, way_out)
        self.retry_after = retry_after
        """Seconds the far side asked us to wait, from either form of Retry-After."""


class Unreachable(RemoteError):
    """Nothing was sent, so nothing can have happened: no name, no route, refused, bad certificate."""


class NoAnswer(RemoteError):
    """The request may have been received and acted upon, but its answer is missing or is not the platform's.

    Timeouts, broken connections, HTML from a proxy, truncated or giant bodies, and every 5xx that is not
    problem+json.
    """

    def __init__(
        self, reason: str, way_out: str = "", *, retry_after: float | None = None, status: int = 0
    ) -> None:
        super().__init__(reason, way_out, retry_after=retry_after)
        self.status = status
        """The HTTP status of what came instead; 0 where nothing did."""


@dataclass(frozen=True, slots=True)
class Problem:
    """An answer of the platform that says no, in any of its three shapes.

    `fields` are the names of the request fields that the answer complains of (last part of each `loc`).
    """

    status: int
    title: str = ""
    detail: str = ""
    type: str = ""
    fields: tuple[str, ...] = ()
    extra: dict[str, object] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """One line for a person."""
        return f"HTTP {self.status}: {self.detail or self.title or 'no reason given'}"


class Refused(RemoteError):
    """A clear answer of the platform in its own format: what was asked for has not happened."""

    def __init__(
        self, reason: str, problem: Problem, way_out: str = "", *, retry_after: float | None = None
    ) -> None:
        super().__init__(reason, way_out, retry_after=retry_after)
        self.problem = problem

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.problem.status


class CredentialRefused(RemoteError):
    """A fresh token, or the key itself, is not accepted; or there is no key."""


class StoreRefused(RemoteError):
    """The object store said no to a PUT; `code` is the word of its XML answer, such as `ExpiredToken`."""

    def __init__(self, reason: str, status: int, code: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(reason, retry_after=retry_after)
        self.status = status
        self.code = code


class StoreMismatch(RemoteError):
    """The object store reports another hash than that of the bytes we sent."""


class LocalError(UploaderError):
    """Something on this machine."""

    def __init__(self, reason: str, way_out: str = "", *, as_it_is: bool = False) -> None:
        super().__init__(reason, way_out)
        self.as_it_is = as_it_is
        """It is a file that could be uploaded as it is; `core.upload_advice` tells how."""

    def reworded(self, reason: str) -> Self:
        """The same with another reason."""
        return type(self)(reason, self.way_out, as_it_is=self.as_it_is)

    def to_json(self) -> dict[str, Any]:
        """How a child tells the error; `child_answers` reads it."""
        told = {"reason": self.reason, "way_out": self.way_out, "as_it_is": self.as_it_is}
        return {"error": type(self).__name__} | told


class SourceChanged(LocalError):
    """The file in the drop folder is not the one that was seen, or is gone."""


class SourceUnreadable(LocalError):
    """The file in the drop folder cannot be read: rights, or an I/O error of its disk."""


class StagedDamaged(LocalError):
    """A private copy in staging is missing, or differs from its recorded size or hash."""


NO_ROOM = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG))
"""What the system says when there is no room for more bytes, or for one more file."""


class NoSpace(LocalError):
    """No room on the file system for what is to be written; nothing is wrong with the file."""


class FileTooLarge(NoSpace):
    """The file system takes no file of that size, however much room it has: others pass."""


class RasterUnreadable(LocalError):
    """The raster does not open, or ends before its data does: it may still be on its way."""


class RasterRefused(LocalError):
    """The raster will never pass: beyond the limits, of a format not taken, or it cannot be kept exact."""


class ConverterBroken(LocalError):
    """The converter does not start at all: an installation or a machine to mend, and no raster's fault."""


class ClusterUnavailable(LocalError):
    """The cluster that converts is not there, or has no worker that is fit: no raster's fault, and waited out."""


class WorkerGone(LocalError):
    """The cluster's worker is gone that was converting the raster: perhaps because of it, so this is an attempt."""


class Shortage(LocalError):
    """The machine has no process or thread to give: no raster's fault, and waited out."""


class MemoryTooNarrow(LocalError):
    """A raster needs more memory than the host gives a converter, which is less than `convert.memory_limit`."""


class ConversionFailed(LocalError):
    """The converting child crashed, hung or ate its memory on this raster."""
