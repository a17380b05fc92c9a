"""What a scan left alone although a person may wait for it, counted by kind, and told once for each change."""

from __future__ import annotations

import logging
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from uploader.core import naming
from uploader.core.log_subject import About
from uploader.core.path_text import lossless, raw, shown
from uploader.folders import Oddity, OddityKind

log = logging.getLogger(__name__)

WORDS = {
    OddityKind.LINK: "links are ignored although their names are those of rasters (put the files there, or hard links)",
    OddityKind.SPECIAL: "pipes, sockets or devices are ignored although their names are those of rasters",
    OddityKind.ARCHIVE: (
        "archives are not opened (list *.zip, *.tar or *.tar.gz in `include`, unpack them, or `exclude` them)"
    ),
    OddityKind.NO_RULE: "rasters are left, for no rule of the folder's scenes fits them (`uploader plan` says which)",
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
            {"path": folder, "code": kind.value, "text": text} for kind in WORDS if (text := self._text(kind))
        ]

    def private(self, folder: str) -> str:
        """Why the folder cannot be watched: it shows what is no drop folder; empty where it does not."""
        first = self.first.get(OddityKind.PRIVATE)
        if first is None:
            return ""
        place = shown(os.path.join(raw(folder), first).rstrip(b"/"))  # noqa: PTH118 - bytes
        return (
            f"The drop folder {folder} shows an archive, a staging or a state directory at {place}, by the file "
            f"{lossless(naming.TOKEN)} in it. Show it elsewhere, or remove that file if it is none of these."
        )

    def tell(self, folder: str, *, before: Oddities) -> None:
        """Log each kind whose number is another one than before."""
        for kind in WORDS:
            if self.count[kind] and self.count[kind] != before.count[kind]:
                log.warning("%s %s", About(folder=folder, code=kind.value), self._text(kind))

    def _text(self, kind: OddityKind) -> str:
        if not self.count[kind]:
            return ""
        return f"{WORDS[kind]}: {self.count[kind]}, the first {shown(self.first[kind][-200:])}"
