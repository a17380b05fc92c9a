"""How the platform says no: one exception per family of answers, and the bodies they become.

StartRefused  the server does not start: words for the person who started it
Refusal       an operation refuses: problem+json
├── Invalid   the request's fields are wrong: 422, in one of the three shapes seen in the wild
OAuthRefusal  the token endpoint refuses: the JSON of OAuth 2.0
StoreRefusal  the object store refuses: XML
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class StartRefused(OSError):
    """The server cannot start as it was told to; the text says why, and what to do about it."""


class Refusal(Exception):
    """An operation's refusal; `extra` are further members of the problem, `headers` of the answer."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})

    def body(self) -> dict[str, Any]:
        """The members of the problem."""
        return {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            **self.extra,
        }


@dataclass(frozen=True, slots=True)
class FieldError:
    """One field that is wrong; `loc` leads to it from the request, such as ("body", "file_count")."""

    loc: tuple[str | int, ...]
    msg: str
    type: str = "value_error"

    def body(self) -> dict[str, Any]:
        """The three members that the published schema requires."""
        return {"loc": list(self.loc), "msg": self.msg, "type": self.type}


class Invalid(Refusal):
    """422. A problem with `errors`, unless the shape says otherwise (`problem`, `fastapi`)."""

    def __init__(self, mistakes: Sequence[FieldError]) -> None:
        text = "; ".join(f"{'.'.join(map(str, one.loc))}: {one.msg}" for one in mistakes)
        super().__init__(422, text)
        self.mistakes = tuple(mistakes)

    def shaped(self, shape: str) -> tuple[str, dict[str, Any]]:
        """The media type and body in one of the three shapes."""
        errors = [one.body() for one in self.mistakes]
        if shape == "fastapi":
            return "application/json", {"detail": errors}
        if shape == "problem":
            return "application/problem+json", self.body()
        return "application/problem+json", {**self.body(), "errors": errors}


class OAuthRefusal(Exception):
    """A refusal of the token endpoint; `error` is the word of RFC 6749, section 5.2."""

    def __init__(self, error: str, description: str, status: int = 400) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
        self.status = status


class StoreRefusal(Exception):
    """A refusal of the object store; `code` is the word of its XML, `facts` further elements."""

    def __init__(self, status: int, code: str, message: str, **facts: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.facts = facts

    def xml(self) -> bytes:
        """The body, in the manner of Google's XML API."""
        inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in self.facts.items())
        return (
            "<?xml version='1.0' encoding='UTF-8'?>"
            f"<Error><Code>{self.code}</Code><Message>{escape(self.message)}</Message>{inner}</Error>"
        ).encode()
