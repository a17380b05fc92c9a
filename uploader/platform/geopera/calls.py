"""The platform's operations that an upload needs. Each method makes one attempt and retries nothing.

There are two exceptions, of which both mean that nothing was done, so that this is still one attempt: a token that is
refused (401) is replaced, and the call made once more; so it is on a new connection where the one that was kept leads
to a server of another host (421).
"""

from __future__ import annotations

import json
import logging
import time
from collections import Counter
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar

from uploader.core.errors import CredentialRefused, NoAnswer, Refused, RemoteError, Unreachable
from uploader.core.secrets import redact
from uploader.net.answer_errors import HttpAnswer, not_an_answer, refusal
from uploader.net.http_client import LARGE, SMALL, HttpClient, Timeouts
from uploader.platform.api import PAGE
from uploader.platform.geopera import answer_fields
from uploader.platform.signed_url import SignedUrl

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from uploader.core.secrets import Secret
    from uploader.net.rate_limit import RateLimit
    from uploader.platform.geopera.credentials import Credentials

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Call:
    """One call as it is sent, but for its token."""

    op: str
    content: bytes
    headers: Mapping[str, str]
    deadline: float
    most: int


T = TypeVar("T")

MOST_MESSAGE = 1000
"""Characters of the message that is sent with `uploads.fail`."""

_PUSHES = frozenset({HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE})
"""With a Retry-After these hold back everybody."""


class GeoperaPlatform:
    """The calls, as `api.Platform` promises them.

    Unreachable means that the operation was not sent, also where it is the token that could not be had.
    """

    def __init__(
        self,
        wire: HttpClient,
        credentials: Credentials,
        rate_limit: RateLimit,
        *,
        timeouts: Timeouts | None = None,
        allow_http: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wire = wire
        self._credentials = credentials
        self._rate_limit = rate_limit
        self._timeouts = timeouts or Timeouts()
        self._allow_http = allow_http
        self._clock = clock
        self.calls: Counter[tuple[str, str]] = Counter()

    @property
    def token_life(self) -> float | None:
        """See `Platform`."""
        return self._credentials.life

    async def initiate(self, body: Mapping[str, object], idempotency_key: str) -> str:
        """See `Platform`."""
        headers = {"Idempotency-Key": idempotency_key}
        return await self._call(
            "uploads.initiate",
            body,
            lambda a: answer_fields.identifier(answer_fields.document(a.body).get("id")),
            headers=headers,
        )

    async def signed_url(self, upload_id: str, file_name: str, content_type: str) -> SignedUrl:
        """See `Platform`."""
        body = {"upload_id": upload_id, "file_name": file_name, "content_type": content_type}
        return await self._call("uploads.signed_url", body, self._read_url)

    async def progress(self, upload_id: str, bytes_uploaded: int) -> None:
        """See `Platform`."""
        body = {"upload_id": upload_id, "status": "uploading", "bytes_uploaded": bytes_uploaded}
        await self._call("uploads.progress", body, lambda a: answer_fields.document(a.body))

    async def complete(self, upload_id: str) -> tuple[str, ...]:
        """See `Platform`."""
        return await self._call(
            "uploads.complete",
            {"upload_id": upload_id},
            lambda a: answer_fields.item_ids(a.body, upload_id),
            deadline=self._timeouts.complete,
        )

    async def fail(self, upload_id: str, message: str, step: str) -> None:
        """See `Platform`."""
        body = {"upload_id": upload_id, "error_message": redact(message)[:MOST_MESSAGE], "error_step": step}
        await self._call("uploads.fail", body, lambda a: answer_fields.document(a.body))

    async def list_items(
        self, project_id: str, *, collection_id: str = "", limit: int = PAGE, offset: int = 0
    ) -> list[dict[str, Any]]:
        """See `Platform`."""
        body: dict[str, object] = {"project_id": project_id, "limit": limit, "offset": offset}
        if collection_id:
            body["collection_id"] = collection_id
        return await self._call(
            "items.list", body, lambda a: answer_fields.listing(a.body, "items", "features"), most=LARGE
        )

    async def get_item(self, item_id: str) -> dict[str, Any]:
        """See `Platform`."""
        return await self._call(
            "items.get", {"item_id": item_id}, lambda a: answer_fields.item(a.body), most=LARGE
        )

    async def update_item(self, item_id: str, changes: Mapping[str, object]) -> None:
        """See `Platform`."""
        await self._call(
            "items.update",
            {"item_id": item_id, **changes},
            lambda a: answer_fields.document(a.body),
            most=LARGE,
        )

    async def list_collections(self, project_id: str) -> list[dict[str, Any]]:
        """See `Platform`."""
        return await self._call(
            "collections.list",
            {"project_id": project_id},
            lambda a: answer_fields.listing(a.body, "collections", "items"),
            most=LARGE,
        )

    async def create_collection(self, project_id: str, name: str) -> str:
        """See `Platform`."""
        return await self._call(
            "collections.create",
            {"project_id": project_id, "name": name},
            lambda a: answer_fields.identifier(answer_fields.document(a.body).get("id")),
        )

    async def delete_item(self, item_id: str) -> None:
        """See `Platform`."""
        await self._call("items.delete", {"item_id": item_id}, lambda a: answer_fields.document(a.body))

    async def list_assets(self, item_id: str) -> list[dict[str, Any]]:
        """See `Platform`."""
        return await self._call(
            "items.list_assets",
            {"item_id": item_id},
            lambda a: answer_fields.listing(a.body, "assets", "items"),
            most=LARGE,
        )

    async def list_profiles(self, item_id: str) -> list[dict[str, Any]]:
        """See `Platform`."""
        return await self._call(
            "visualization.profiles.list",
            {"item_id": item_id},
            lambda a: answer_fields.listing(a.body, "profiles", "items"),
            most=LARGE,
        )

    def _read_url(self, answer: HttpAnswer) -> SignedUrl:
        url = answer_fields.document(answer.body).get("upload_url")
        if not isinstance(url, str):
            raise ValueError("it has no upload_url")  # noqa: TRY004 - as all that is unexpected
        return SignedUrl.parse(url, allow_http=self._allow_http)

    async def _call(
        self,
        op: str,
        body: Mapping[str, object],
        read: Callable[[HttpAnswer], T],
        *,
        headers: Mapping[str, str] | None = None,
        deadline: float | None = None,
        most: int = SMALL,
    ) -> T:
        """Make a call and read its answer with `read`, which raises ValueError at what is not as expected."""
        content = json.dumps(body, sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
        call = _Call(op, content, headers or {}, deadline or self._timeouts.call, most)
        answer = await self._authorized(call)
        if not answer.ok:
            raise refusal(answer, op)
        try:
            return read(answer)
        except ValueError as error:
            raise NoAnswer(f"{not_an_answer(answer, op).reason[:-1]}: {error}.") from error

    async def _authorized(self, call: _Call) -> HttpAnswer:
        """The answer to a call with a token that is accepted."""
        token = await self._token(call.op)
        answer = await self._send(call, token)
        if not _token_refused(answer, call.op):
            return answer
        await self._credentials.refused(token)
        token = await self._token(call.op)
        answer = await self._send(call, token)
        if not _token_refused(answer, call.op):
            return answer
        await self._credentials.refused(token, fresh=True)
        raise CredentialRefused(
            f"The platform does not accept the API key: {call.op} answers HTTP 401 to a fresh token.",
            "Check that the key is not revoked and is of this platform; a new key is picked up by itself.",
        )

    async def _token(self, op: str) -> Secret:
        try:
            return await self._credentials.token()
        except NoAnswer as error:
            # Doubtful as an exchange; of the operation it is certain that it was not sent.
            reason = f"{op} was not sent. {error.reason}"
            raise Unreachable(reason, error.way_out, retry_after=error.retry_after) from error

    async def _send(self, call: _Call, token: Secret) -> HttpAnswer:
        """The answer to a call, after a misdirected one that on another connection."""
        answer = await self._send_once(call, token)
        if answer.status != HTTPStatus.MISDIRECTED_REQUEST:
            return answer
        await self._wire.aclose()  # the connections that are kept may all lead there
        return await self._send_once(call, token)

    async def _send_once(self, call: _Call, token: Secret) -> HttpAnswer:
        await self._rate_limit.wait()
        own = {"Content-Type": "application/json", "Authorization": f"Bearer {token.reveal()}"}
        began, status = self._clock(), "-"
        try:
            answer = await self._wire.post(
                f"/v1/op/{call.op}",
                call.content,
                {**call.headers, **own},
                what=call.op,
                deadline=call.deadline,
                most=call.most,
            )
            status = str(answer.status)
        except RemoteError as error:
            status = type(error).__name__
            raise
        finally:
            self.calls[call.op, status] += 1
            logger.debug("op=%s status=%s ms=%d", call.op, status, (self._clock() - began) * 1000)
        if answer.status in _PUSHES and answer.retry_after is not None:
            self._rate_limit.hold_off(answer.retry_after)
        return answer


def _token_refused(answer: HttpAnswer, op: str) -> bool:
    """Whether the platform itself, not something in between, says 401."""
    return answer.status == HTTPStatus.UNAUTHORIZED and isinstance(refusal(answer, op), Refused)
