"""What a scan left alone although a person may wait for it, counted by kind, and told once for each change."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from uploader.intake.standing import shown
from uploader.watch import Oddity, OddityKind

log = logging.getLogger(__name__)

WORDS = {
    OddityKind.LINK: "links are ignored although their names are those of rasters (put the files there, or hard links)",
    OddityKind.SPECIAL: "pipes, sockets or devices are ignored although their names are those of rasters",
    OddityKind.DEEP: "folders lie below a hundred others, which makes each scan longer (lay them out flatter)",
}


@dataclass(slots=True)
class Oddities:
    """Those of one scan of a folder: how many of each kind, and the first."""

    count: Counter[OddityKind] = field(default_factory=Counter)
    first: dict[OddityKind, bytes] = field(default_factory=dict)

    def add(self, found: Iterable[Oddity]) -> None:
        """Count these."""
        for oddity in found:
            self.count[oddity.kind] += 1
            self.first.setdefault(oddity.kind, oddity.path)

    def warnings(self, folder: str) -> list[dict[str, str]]:
        """One for each kind, as a status tells warnings."""
        return [
            {"path": folder, "code": kind.value, "text": text}
            for kind in OddityKind
            if (text := self._text(kind))
        ]

    def tell(self, folder: str, *, before: Oddities) -> None:
        """Log each kind whose number is another one than before."""
        for kind in self.count:
            if self.count[kind] != before.count[kind]:
                log.warning("folder=%s %s", folder, self._text(kind))

    def _text(self, kind: OddityKind) -> str:
        if not self.count[kind]:
            return ""
        return f"{self.count[kind]} {WORDS[kind]}; the first: {shown(self.first[kind][-200:])}"
