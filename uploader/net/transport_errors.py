"""The only place that knows which failures of a connection mean that surely nothing was sent.

httpcore tells by class where a request broke. Some classes say enough (`ConnectError`: there was no connection to
send on). Others do not: a read may time out on the platform's answer or on a proxy's handshake. So each request also
carries a `RequestTrace`, which listens to httpcore's trace events and knows how far it came.
"""

from __future__ import annotations

import errno
import os
import socket
import ssl
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpcore

from uploader.core.errors import NoAnswer, RemoteError, Unreachable
from uploader.net.answer_errors import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

BROKEN: tuple[type[Exception], ...] = (
    *(httpcore.NetworkError, httpcore.TimeoutException, httpcore.ProtocolError),
    *(httpcore.ProxyError, httpcore.UnsupportedProtocol, httpcore.ConnectionNotAvailable),
    # httpcore lets some errors of TLS and of the socket through as they are; TimeoutError is the whole call's.
    OSError,
    # A host that cannot be one, which a resolver refuses.
    UnicodeError,
)
"""All that a request can end with, other than an answer."""

STALLED = "the far side took no more data"

_BREAKS: tuple[tuple[tuple[type[Exception], ...], bool, str], ...] = (
    ((httpcore.ConnectTimeout,), True, "no connection in time"),
    ((httpcore.ConnectError,), True, "no connection"),
    ((httpcore.PoolTimeout,), True, "no free connection in time"),
    ((httpcore.ProxyError,), True, "the proxy refused to connect"),
    ((httpcore.UnsupportedProtocol,), True, "the URL is not one of http or https"),
    ((httpcore.ReadTimeout, TimeoutError), False, "no answer in time"),
    ((httpcore.WriteTimeout,), False, STALLED),
    ((httpcore.RemoteProtocolError,), False, "the answer broke off or is not HTTP"),
    ((ssl.SSLError,), False, "the encrypted connection broke"),
    ((UnicodeError,), False, "it names a host that cannot be one"),
    ((Exception,), False, "the connection broke"),
)
"""(classes, whether the class alone proves that nothing was sent, words). The first row that fits counts."""

_CAUSES: tuple[tuple[type[BaseException], str, str], ...] = (
    (
        ssl.SSLCertVerificationError,
        "its certificate is not trusted",
        "Where a proxy re-signs traffic, name its certificate as ca_file.",
    ),
    (ssl.SSLError, "no encryption could be agreed on", "Check that base_url and proxy name the right port."),
    (socket.gaierror, "its name is not known", "Check base_url, and the name service of this machine."),
    (
        ConnectionRefusedError,
        "it refuses connections",
        "Check base_url, and whether a firewall is in the way.",
    ),
)
"""What lies behind a connection that did not come about, and what to do about it."""

_OF_DATES = (
    "Check the clock of this machine; where it is right, the certificate has to be renewed over there."
)
_OF_NAMES = "Check the host in base_url; something else may answer at its address."
_OF_CERTIFICATES = {9: _OF_DATES, 10: _OF_DATES, 62: _OF_NAMES, 64: _OF_NAMES}
"""What to do about a certificate by OpenSSL's code: not valid yet, expired, and that of another host or address."""


class RequestTrace:
    """How far one request came; passed to httpcore as the `trace` extension. `proxy`: an address, or empty."""

    def __init__(self, proxy: str = "") -> None:
        self._proxy = urlsplit(proxy).hostname or ""
        self._connecting = False
        self._reached = False
        self._sent = False

    async def __call__(self, event: str, info: dict[str, Any]) -> None:
        """Take note of one event, such as `connection.connect_tcp.started`."""
        if event.startswith(("connection.connect_", "connection.start_tls")):
            self._connecting = True
        elif event.endswith(".send_request_headers.started"):
            self._reached = True
            # What is sent to a proxy to open a tunnel is not the request.
            request = info.get("request")
            self._sent = self._sent or getattr(request, "method", b"") != b"CONNECT"

    @property
    def nothing_sent(self) -> bool:
        """Whether the request was seen connecting, and surely did not begin to be sent."""
        return self._connecting and not self._sent

    @property
    def missed_proxy(self) -> str:
        """The host of the proxy, where not even that was reached; else empty."""
        return "" if self._reached else self._proxy


def broken(error: Exception, stage: RequestTrace, what: str, host: str) -> RemoteError:
    """The error for a request that ended without an answer. `what` and `host` are for the reader."""
    proof, words = next((proof, words) for classes, proof, words in _BREAKS if isinstance(error, classes))
    if not proof and not stage.nothing_sent:
        words = STALLED if _given_up(error) else words
        return NoAnswer(f"{what} got no answer from {host}: {words}.")
    if not proof:
        words = "no connection in time" if isinstance(error, TimeoutError) else "no connection"
    cause, way_out = _cause(error)
    if stage.missed_proxy:
        host = f"the proxy {stage.missed_proxy}"
        way_out = way_out.replace("Check base_url", "Check [platform] proxy") or "Check [platform] proxy."
    if isinstance(error, httpcore.ProxyError):
        cause, way_out = clean(str(error), 100), "Check [platform] proxy."
    return Unreachable(f"{what} could not reach {host}: {words}{f' ({cause})' if cause else ''}.", way_out)


def _given_up(error: BaseException) -> bool:
    """Whether the kernel ended the connection because what was sent did not arrive."""
    return any(isinstance(e, OSError) and e.errno == errno.ETIMEDOUT for e in _chain(error))


def _cause(error: BaseException) -> tuple[str, str]:
    # These two say only that TLS waits for the network; every handshake raises them inside.
    chain = [e for e in _chain(error) if not isinstance(e, ssl.SSLWantReadError | ssl.SSLWantWriteError)]
    for kind, words, way_out in _CAUSES:
        found = next((e for e in chain if isinstance(e, kind)), None)
        if found is not None:
            told = getattr(found, "verify_message", "")
            better = _OF_CERTIFICATES.get(getattr(found, "verify_code", 0), way_out)
            return f"{words}: {clean(told, 100)}" if told else words, better
    numbers = (e.errno for e in chain if isinstance(e, OSError))
    code = next((n for n in numbers if n in errno.errorcode), None)
    return (os.strerror(code).lower(), "") if code else ("", "")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error, those within it and those behind it."""
    while error is not None:
        yield error
        if isinstance(error, BaseExceptionGroup):
            for inner in error.exceptions:
                yield from _chain(inner)
        error = error.__cause__ or error.__context__
