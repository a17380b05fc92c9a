"""Which items are which files: read from what the platform lists, never from the order of its answers.

No source fixes the shape of an item's record. A file is recognised by its `file_name` (or its stem) anywhere in the
record, because the name carries the content's hash; a session by `upload_id`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from uploader.core.model import Layout

MAX_DEPTH = 8
MAX_STRINGS = 20_000


@dataclass(frozen=True, slots=True)
class MatchedItems:
    """What the platform shows of a session.

    `item_of` maps file names to item ids; `named` tells whether any record carries our names at all.
    """

    item_of: dict[str, str] = field(default_factory=dict)
    item_ids: tuple[str, ...] = ()
    named: bool = False

    def complete(self, names: Sequence[str]) -> bool:
        """Whether every file is accounted for."""
        if self.named:
            return all(name in self.item_of for name in names)
        return len(self.item_ids) >= len(names)

    def layout(self, names: Sequence[str]) -> Layout:
        """How many items were made of these files; one file tells nothing."""
        if len(names) < 2:  # noqa: PLR2004
            return Layout.UNKNOWN
        if self.named:
            items = {self.item_of[name] for name in names if name in self.item_of}
            if not self.complete(names):
                return Layout.PER_SESSION if len(self.item_ids) == 1 else Layout.UNKNOWN
            return Layout.PER_FILE if len(items) == len(names) else Layout.PER_SESSION
        if len(self.item_ids) == len(names):
            return Layout.PER_FILE
        return Layout.PER_SESSION if len(self.item_ids) == 1 else Layout.UNKNOWN


def match(
    names: Sequence[str],
    records: Iterable[Mapping[str, Any]],
    *,
    upload_id: str,
    item_ids: Sequence[str] = (),
    target_item_id: str = "",
) -> MatchedItems:
    """Find our files in the platform's records (items, or the assets of the target item).

    A record counts when its id was answered by `complete`, when it carries our `upload_id`, or, for the assets of a
    target item, when it carries one of our names.
    """
    answered = set(item_ids)
    wanted = _by_mention(names)
    item_of: dict[str, str] = {}
    ids: list[str] = []
    for record in records:
        strings = list(_strings(record))
        record_id = target_item_id or str(record.get("id", ""))
        ours = bool(target_item_id) or record_id in answered or upload_id in strings
        if not ours or not record_id:
            continue
        mine = [name for mention in _mentions(strings) for name in wanted.get(mention, ())]
        if target_item_id and not mine:
            continue
        if record_id not in ids:
            ids.append(record_id)
        for name in mine:
            item_of.setdefault(name, record_id)
    if len(names) == 1 and len(ids) == 1:
        item_of.setdefault(names[0], ids[0])
    return MatchedItems(item_of, tuple(ids), bool(item_of))


def stem_of(file_name: str) -> str:
    """A file name of ours without its extension."""
    return file_name.rpartition(".")[0] or file_name


def our_stems(record: Mapping[str, Any]) -> frozenset[str]:
    """What in a record looks like a file name of ours, without its extension: it ends with 12 hex digits.

    Without an extension it may be an id as well, so what ends like a UUID does not count.
    """
    found = set()
    for string in _strings(record):
        match = _OURS.fullmatch(string.split("?", 1)[0].rpartition("/")[2])
        if match and (match["extension"] or not _UUID.search(match["stem"])):
            found.add(match["stem"])
    return frozenset(found)


_OURS = re.compile(r"(?P<stem>.+-[0-9a-f]{12})(?P<extension>\.[A-Za-z0-9]{1,16})?", re.DOTALL)
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$")


def _by_mention(names: Sequence[str]) -> dict[str, list[str]]:
    """Our names by what a record may call them: the name, or its stem."""
    found: dict[str, list[str]] = {}
    for name in names:
        for mention in dict.fromkeys((name, stem_of(name))):
            found.setdefault(mention, []).append(name)
    return found


def _mentions(strings: Sequence[str]) -> Iterable[str]:
    """The last parts of all paths and URLs in a record."""
    return dict.fromkeys(string.split("?", 1)[0].rpartition("/")[2] for string in strings)


def _strings(value: object) -> Iterator[str]:
    """All strings in a JSON value, bounded in depth and number: the record comes from outside."""
    stack: list[tuple[object, int]] = [(value, 0)]
    seen = 0
    while stack and seen < MAX_STRINGS:
        current, depth = stack.pop()
        seen += 1
        if isinstance(current, str):
            yield current
        elif depth < MAX_DEPTH and isinstance(current, Mapping):
            stack.extend((v, depth + 1) for v in current.values())
        elif depth < MAX_DEPTH and isinstance(current, list):
            stack.extend((v, depth + 1) for v in current)
