"""The ways on which a document goes out. Each makes one attempt, in bounded time; when to try again others decide."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Protocol
from urllib.parse import urlsplit

import anyio
from anyio.abc import Process

from uploader.core.errors import ConfigurationError, RemoteError
from uploader.core.secrets import Secret
from uploader.net.answer_errors import HttpAnswer
from uploader.net.http_client import HttpClient, hush
from uploader.net.tls import trust
from uploader.report.notify.document import Document

log = logging.getLogger(__name__)

CONNECTED = 10.0
"""Seconds until there is a connection, the look-up of the name included."""

ANSWERED = 20.0
"""Seconds for the answer: a name server that is slow takes nothing from them."""

MOST_ANSWER = 64 << 10
"""Bytes of an answer, of which nothing but the status is used."""

RUN = 30.0
"""Seconds that a command may run."""

PASSED_ON = ("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "LC_CTYPE", "TZ")
"""All that a command sees of the daemon's environment: no key, token or credential's folder."""


class NotDelivered(Exception):
    """What was sent did not arrive, as a sentence without any part of an address but its host.

    `refused`: it arrived, and was not taken, so that another document may fare better.
    """

    def __init__(self, reason: str, *, refused: bool = False) -> None:
        super().__init__(reason)
        self.refused = refused


class Way(Protocol):
    """Somebody who is told."""

    async def send(self, document: Document) -> None:
        """Make one attempt. Raises NotDelivered."""


class LogWay:
    """The daemon's own log."""

    async def send(self, document: Document) -> None:
        """See `Way`."""
        what = f"cause={document['cause']} scope={document['scope']} subject={document['subject']!r}"
        if document["event"] == "clear":
            log.info("all-clear %s", what)
        else:
            log.warning("alarm %s: %s %s", what, document["reason"], document["way_out"])


class Endpoint:
    """One address, by https, or http to this machine; no redirect is followed, no cookie kept."""

    def __init__(self, address: Secret, *, proxy: str = "", ca_file: str = "") -> None:
        """`proxy` and `ca_file` are those of the platform; what is on this machine is asked without a proxy."""
        url = urlsplit(address.reveal())
        self._origin = f"{url.scheme}://{url.netloc}"
        self._path = f"{url.path}?{url.query}" if url.query else url.path
        self._local = url.scheme == "http"
        self._proxy = proxy
        self._ca_file = ca_file
        self._opened: HttpClient | None = None

    async def aclose(self) -> None:
        """Close its connections."""
        if self._opened is not None:
            await self._opened.aclose()

    async def send(self, document: Document) -> None:
        """See `Way`: one POST of JSON, delivered once the answer is a 2xx."""
        content, kind = json.dumps(document).encode(), {"Content-Type": "application/json"}
        what = "The webhook"
        await _taken(
            what,
            lambda: self._client().post(
                self._path, content, kind, what=what, deadline=CONNECTED + ANSWERED, most=MOST_ANSWER
            ),
        )

    async def ping(self) -> None:
        """Make one GET. Raises NotDelivered where the answer is none, or no 2xx."""
        what = "The heartbeat"
        await _taken(
            what,
            lambda: self._client().get(
                self._path, what=what, deadline=CONNECTED + ANSWERED, most=MOST_ANSWER
            ),
        )

    def _client(self) -> HttpClient:
        if self._opened is None:
            hush()
            context = None if self._local else trust(self._ca_file)
            proxy = "" if self._local else self._proxy
            self._opened = HttpClient(self._origin, context=context, proxy=proxy, connect=CONNECTED)
        return self._opened


class NotifyCommand:
    """A program with its arguments, run without a shell in a session of its own; what it prints is thrown away."""

    def __init__(self, argv: Sequence[str], *, seconds: float = RUN) -> None:
        self._argv = list(argv)
        self._seconds = seconds

    async def send(self, document: Document) -> None:
        """See `Way`: the document on its standard input; delivered once it ends with 0."""
        name = self._argv[0]
        try:
            process = await anyio.open_process(
                self._argv,
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                env=environment(os.environ),
                start_new_session=True,
            )
        except OSError as error:
            raise NotDelivered(f"The command {name} cannot be started: {error.strerror}.") from error
        try:
            with anyio.fail_after(self._seconds):
                code = await _fed(process, json.dumps(document).encode())
        except TimeoutError as error:
            raise NotDelivered(f"The command {name} was ended after {self._seconds:.0f} s.") from error
        finally:
            await _ended(process)
        if code:
            raise NotDelivered(f"The command {name} ended with {code}.", refused=True)


def environment(whole: Mapping[str, str]) -> dict[str, str]:
    """What a command sees of an environment."""
    return {name: whole[name] for name in PASSED_ON if name in whole}


async def _fed(process: Process, content: bytes) -> int:
    """Its exit code, once it has read what it wanted to and ended."""
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
        if process.stdin is not None:
            await process.stdin.send(content)
            await process.stdin.aclose()
    return await process.wait()


async def _ended(process: Process) -> None:
    """End it with all that it has started, where it has not ended by itself."""
    with anyio.CancelScope(shield=True):
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        await process.aclose()


async def _taken(what: str, exchange: Callable[[], Awaitable[HttpAnswer]]) -> None:
    """Raises NotDelivered where an exchange comes to nothing, or its answer is no 2xx."""
    try:
        answer = await exchange()
    except (RemoteError, ConfigurationError) as error:
        raise NotDelivered(f"{what} is not reached: {error.reason}") from error
    if not answer.ok:
        raise NotDelivered(f"{what} answers HTTP {answer.status}.", refused=True)
