"""The only place that turns what came over the wire, or did not come, into the errors of `core.errors`.

Two questions decide everything. Was anything sent? If surely not, `Unreachable`. Did the platform itself say
no, in its own format? Then `Refused` (the store: `StoreRefused`). Everything between is `NoAnswer`: it may
have been acted upon. In doubt it is doubtful.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from itertools import chain
from typing import TYPE_CHECKING, Any, NoReturn

from uploader.core.errors import NoAnswer, Problem, Refused, RemoteError, StoreRefused
from uploader.core.secrets import redact

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MOST_WAIT = 3600.0
"""Seconds: a longer Retry-After is taken as this. No window of the platform is longer than a minute."""

MOST_DEPTH = 64
"""Levels of a JSON document. The answers of the platform that are known have six."""

MOST_DETAIL = 8000
"""Characters of a refusal's text that are kept: it may name a hundred files."""

MOST_REASON = 300
"""Characters of it that go into one line for a person."""

_IN_BETWEEN = (
    "If this stays, something between here and there answers in its place: a proxy, a firewall, a login page."
)


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A whole HTTP answer. Header names in lower case; `now` is the far side's clock in unix seconds, or ours."""

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    now: float

    @classmethod
    def of(cls, status: int, headers: Iterable[tuple[str, str]], body: bytes, wall: float) -> HttpAnswer:
        """Put an answer together; repeated headers are joined by commas, as HTTP allows."""
        joined: dict[str, str] = {}
        for name, value in headers:
            key = name.lower()
            joined[key] = f"{joined[key]}, {value}" if key in joined else value
        date = _date(joined.get("date", ""))
        return cls(status, joined, body, wall if date is None else date)

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return HTTPStatus.OK <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def kind(self) -> str:
        """The media type, in lower case and without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    @property
    def html(self) -> bool:
        """Whether this is a page for a browser, whatever its header says."""
        return "html" in self.kind or self.body[:256].lstrip().lower().startswith((b"<!doctype", b"<html"))

    @property
    def page(self) -> bool:
        """Whether such a page came along: stores label an empty answer of their own as one, too."""
        return self.html and bool(self.body.strip())

    @property
    def retry_after(self) -> float | None:
        """Seconds the far side asks us to wait."""
        return retry_after(self.headers.get("retry-after", ""), self.now)


def retry_after(value: str, now: float) -> float | None:
    """Seconds from either form of Retry-After (RFC 9110, 10.2.3), None where it says nothing usable."""
    text = value.strip()
    if re.fullmatch(r"[0-9]{1,9}(\.[0-9]{1,9})?", text):
        return min(float(text), MOST_WAIT)
    date = _date(text)
    return min(date - now, MOST_WAIT) if date is not None and date > now else None


def _date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp() if text else None
    except (ValueError, TypeError, OverflowError, OSError):
        return None


def clean(text: str, most: int = MOST_DETAIL) -> str:
    """A foreign text as one line of at most `most` characters, without secrets and control characters."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * most]).split())
    line = redact(line)
    return line if len(line) <= most else line[: most - 1] + "…"


def parse(body: bytes) -> Any:
    """JSON, or ValueError whatever is wrong with it (also depth, huge numbers, NaN, encoding)."""
    wrong = ""
    try:
        found = json.loads(body, parse_constant=_no_constant)
    except RecursionError:
        wrong = "it is nested too deeply"
    except ValueError:
        wrong = "it is not JSON"
    if wrong or _too_deep(found):
        # Raised out here, because the parser's own error holds the whole text, which may be a token.
        raise ValueError(wrong or "it is nested too deeply")
    return found


def _too_deep(value: Any) -> bool:
    """Whether it is nested so deeply that whoever goes through it might run out of stack."""
    level = [value]
    for _ in range(MOST_DEPTH):
        containers = [entry for entry in level if isinstance(entry, dict | list)]
        if not containers:
            return False
        level = list(chain.from_iterable(c.values() if isinstance(c, dict) else c for c in containers))
    return True


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def refusal(answer: HttpAnswer, what: str) -> RemoteError:
    """The error for an answer of the platform that is not 2xx. `what` is the operation, for the reader."""
    problem = problem_of(answer)
    if problem is None or not _definite(answer, problem):
        return not_an_answer(answer, what)
    line = clean(problem.text, MOST_REASON)
    return Refused(f"{what} was refused ({line}).", problem, retry_after=answer.retry_after)


def _definite(answer: HttpAnswer, problem: Problem) -> bool:
    """Whether this refusal means that nothing was done: any 4xx, of the 5xx only a real problem with 503.

    A 500 in the platform's format may come from behind a commit; a bare `{"detail": …}` with 503 as well.
    """
    if answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
        return bool(problem.title)
    return HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR


def problem_of(answer: HttpAnswer) -> Problem | None:
    """The platform's refusal in any of its shapes; None where the answer is not the platform's.

    Shapes: problem+json (also when labelled as plain JSON), `detail` as an array of `{loc, msg, type}`,
    `detail` as text, and `detail` beside an `errors` array. `title` is set by problem+json only. A 429 and a
    challenge for a bearer token (RFC 6750) are clear without a body.
    """
    try:
        document = parse(answer.body)
    except ValueError:
        document = None
    if isinstance(document, dict) and _is_problem(document, answer.kind):
        return _problem(answer.status, document)
    challenge = answer.headers.get("www-authenticate", "").lower().startswith("bearer")
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS or (
        answer.status == HTTPStatus.UNAUTHORIZED and challenge
    ):
        return Problem(answer.status)
    return None


def _is_problem(document: dict[str, Any], kind: str) -> bool:
    return (
        kind == "application/problem+json"
        or (isinstance(document.get("title"), str) and isinstance(document.get("status"), int))
        or isinstance(document.get("detail"), str | list | dict)
    )


def _problem(status: int, document: dict[str, Any]) -> Problem:
    detail, errors = document.get("detail"), document.get("errors")
    entries = [e for part in (detail, errors) if isinstance(part, list) for e in part if isinstance(e, dict)]
    words = [detail if isinstance(detail, str) else json.dumps(detail) if isinstance(detail, dict) else ""]
    words += [f"{'.'.join(map(str, _loc(e)))}: {e.get('msg', '')}" for e in entries]
    title, kind = document.get("title"), document.get("type")
    return Problem(
        status=status,
        title=clean(title) if isinstance(title, str) else "",
        detail=clean("; ".join(w for w in words if w)),
        type=clean(kind) if isinstance(kind, str) else "",
        fields=tuple(name for e in entries if (name := _field(e))),
        extra=_extra(document),
    )


def _loc(entry: dict[str, Any]) -> list[Any]:
    loc = entry.get("loc")
    return loc if isinstance(loc, list) else []


def _field(entry: dict[str, Any]) -> str:
    """The name of the field that an entry complains of: the last name in its `loc`, past any index."""
    return next((clean(part, 100) for part in reversed(_loc(entry)) if isinstance(part, str)), "")


def _extra(document: dict[str, Any]) -> dict[str, object]:
    """Extension members that are small and no secret (a 402 elsewhere carries a `client_secret`)."""
    standard = {"type", "title", "status", "detail", "errors", "instance"}
    kept: dict[str, object] = {}
    for name, value in document.items():
        text = json.dumps(value)
        secret = re.search("secret|token|password|key|signature|url", name, re.IGNORECASE)
        if name not in standard and not secret and redact(text) == text and len(text) <= MOST_DETAIL:
            kept[clean(name, 100)] = value
    return kept


def not_an_answer(answer: HttpAnswer, what: str) -> NoAnswer:
    """The error for an answer that nobody can rely on."""
    way_out = ""
    if HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
        said, way_out = f"HTTP {answer.status}, a redirect", _IN_BETWEEN
    elif answer.html:
        said, way_out = f"HTTP {answer.status} and a web page", _IN_BETWEEN
    elif answer.ok:
        said = f"HTTP {answer.status} without the expected content"
    else:
        said = f"HTTP {answer.status}"
        way_out = _IN_BETWEEN if answer.status < HTTPStatus.INTERNAL_SERVER_ERROR else ""
    return NoAnswer(
        f"{what} got no answer of the platform but {said}.", way_out, retry_after=answer.retry_after
    )


def store_refusal(answer: HttpAnswer, what: str) -> RemoteError:
    """The error for an answer of the object store that is not 2xx.

    The store's own refusals are XML with a `<Code>`, whatever their status. A 4xx without one counts as the store's
    where `_of_a_store` says so; a bare 5xx, or what a proxy or a firewall puts in its place, does not.
    """
    match = re.search(rb"<Code>\s*([A-Za-z0-9_.-]{1,64})\s*</Code>", answer.body)
    code = match[1].decode("ascii") if match else ""
    client = HTTPStatus.BAD_REQUEST <= answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
    if (code and answer.status >= HTTPStatus.BAD_REQUEST) or (client and _of_a_store(answer)):
        said = f"HTTP {answer.status} {code}".rstrip()
        reason = f"{what}: the object store refused the file ({said})."
        return StoreRefused(reason, answer.status, code, retry_after=answer.retry_after)
    return not_an_answer(answer, what)


_STORE_HEADERS = ("x-amz-", "x-goog-", "x-guploader-", "x-ms-")
"""How header names begin that each answer of an object store has: S3 and what is like it, Google, Azure."""


def _of_a_store(answer: HttpAnswer) -> bool:
    """Whether a refusal has the shape of a store's: XML, nothing at all, or any text under a header of a store.

    Google refuses a resumable upload in plain text.
    """
    if not answer.body.strip():
        return True
    xml = "xml" in answer.kind or answer.body.lstrip().startswith((b"<?xml", b"<Error"))
    return not answer.html and (xml or any(name.startswith(_STORE_HEADERS) for name in answer.headers))
