"""All that tells of holds beside a running daemon, read at one moment: who tells what under which revision."""

from __future__ import annotations

import html
import json
import re
import socket
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from tests.support.world import World
from uploader.cli.status import look
from uploader.config import load

Key = tuple[str, str, str]
"""Scope, subject and cause of a hold."""

HELD = re.compile(r'<li class="held" data-scope="([^"]*)" data-subject="([^"]*)" data-cause="([^"]*)">')
BEGIN_OR_END = re.compile(
    r"^\S+ \S+ [A-Z]+ hold (?P<what>begin|end) scope=(?P<scope>\S+) cause=(?P<cause>\S+) "
    r"subject='(?P<subject>[^']*)'",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Told:
    """What one of them tells: the revision of the list, how many holds there are, and which, as far as it says so."""

    revision: int
    number: int
    keys: frozenset[Key] | None = None
    causes: frozenset[tuple[str, str, int]] | None = None
    """Scope and cause, with how many holds there are of both."""

    @classmethod
    def listed(cls, revision: int, keys: Iterable[Key]) -> Told:
        """Of one who tells them one by one."""
        found = tuple(keys)
        return cls(revision, len(found), frozenset(found), by_cause(found))

    def contradicts(self, other: Told) -> bool:
        """Whether both have the same revision, and not the same holds as far as both tell of them."""
        if self.revision != other.revision:
            return False
        facts = ((one.number, one.keys, one.causes) for one in (self, other))
        return any(a != b for a, b in zip(*facts, strict=True) if a is not None and b is not None)


def by_cause(keys: Iterable[Key]) -> frozenset[tuple[str, str, int]]:
    """How many there are of each scope and cause."""
    found = Counter((scope, cause) for scope, _, cause in keys)
    return frozenset((*what, number) for what, number in found.items())


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Unanswered(Exception):
    """A page says that the daemon did not answer it in time, as it does on a machine that is very busy."""


class Views:
    """Everything that tells of holds, beside a daemon whose page is at a port and whose systemd is a socket."""

    def __init__(self, w: World, port: int, notify: socket.socket) -> None:
        self._w = w
        self._port = port
        self._notify = notify
        self._settings = load(w.config, look=False)
        self._asked = 0
        self.status_line = ""

    def get(self, path: str) -> tuple[int, str]:
        """Code and text of what the dashboard answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}{path}", timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def all(self) -> dict[str, Told]:
        """By view, what it tells."""
        return {
            "status": of_status(self._status()),
            "status.json": of_status(json.loads(self._answered("/status.json"))),
            "page": of_page(self._answered("/")),
            "metrics": of_metrics(self._answered("/metrics")),
            "healthz": of_health(*self._heard("/healthz")),
            "systemd": self._systemd(),
        }

    def _status(self) -> dict[str, Any]:
        """What `uploader status --json` prints: in each tenth sample by that command, else by what it prints."""
        self._asked += 1
        return self._w.status() if self._asked % 10 == 1 else look(self._settings)

    def _heard(self, path: str) -> tuple[int, str]:
        code, text = self.get(path)
        if "does not answer" in text and code == 503:
            raise Unanswered(f"{path}: {text}")
        return code, text

    def _answered(self, path: str) -> str:
        code, text = self._heard(path)
        assert code == 200, f"{path}: {code}, {text}"
        return text

    def _systemd(self) -> Told:
        with suppress(BlockingIOError):
            while told := self._notify.recv(65536).decode():
                self.status_line = next(
                    (x for x in told.splitlines() if x.startswith("STATUS=")), self.status_line
                )
        number, revision = found(r"(\d+) holds? \(revision (\d+)\)", self.status_line)
        return Told(revision, number)


def found(pattern: str, text: str) -> tuple[int, int]:
    """The first and the last number of a pattern in a text."""
    match = re.search(pattern, text)
    assert match, text
    numbers = [int(group) for group in match.groups()]
    return numbers[0], numbers[-1]


def of_status(status: dict[str, Any]) -> Told:
    """A status names each hold."""
    keys = ((hold["scope"], hold["subject"], hold["cause"]) for hold in status["holds"])
    return Told.listed(status["revision"], keys)


def of_page(page: str) -> Told:
    """So does the page."""
    keys = (tuple(html.unescape(part) for part in match) for match in HELD.findall(page))
    told = Told.listed(found(r"revision (\d+)", page)[0], keys)  # type: ignore[arg-type]
    assert told.number == page.count('class="held"')
    return told


def of_metrics(text: str) -> Told:
    """Metrics count by scope and cause."""
    families = {family.name: family for family in text_string_to_metric_families(text)}
    causes = frozenset(
        (sample.labels["scope"], sample.labels["cause"], int(sample.value))
        for sample in families["uploader_holds"].samples
    )
    revision = int(families["uploader_hold_revision"].samples[0].value)
    return Told(revision, sum(number for *_, number in causes), causes=causes)


def of_health(code: int, text: str) -> Told:
    """Health counts, and is as well as its first word says."""
    assert text.startswith("ok" if code == 200 else "unwell"), (code, text)
    return Told(*found(r"revision (\d+), (\d+) held", text))


def logged(w: World) -> list[tuple[str, Key]]:
    """Each beginning and end that the log tells, in its order."""
    text = (w.root / "daemon.log").read_text(errors="replace")
    return [(m["what"], (m["scope"], m["subject"], m["cause"])) for m in BEGIN_OR_END.finditer(text)]
