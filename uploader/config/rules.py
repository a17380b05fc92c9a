"""The only place for the rules between the keys of a configuration, where each value alone is fine."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from uploader.core.addresses import is_proxy, judge_base_url

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from uploader.config.lines import Location
    from uploader.config.sections import Folder, Platform

KEY_PREFIX = "gpra_"
"""How an API key begins; a configuration that holds one in place of a path is not quoted back."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One thing that a person must mend, and where."""

    location: Location
    what: str
    way_out: str = ""

    @property
    def text(self) -> str:
        """The complaint without file and line."""
        return f"{_spelled(self.location)}: {self.what} {self.way_out}".strip()


def _spelled(location: Location) -> str:
    """A location as a person would say it: `[[folders]] #2 path`, `[batch] max_files`, `state_dir`."""
    match location:
        case (str(section), int(position), *rest):
            head = f"[[{section}]] #{position + 1}"
        case (str(section), str(key), *rest):
            head, rest = f"[{section}]", [key, *rest]
        case _:
            return " ".join(map(str, location))
    words = [f"#{part + 1}" if isinstance(part, int) else part for part in rest]
    return " ".join([head, *words])


def relations(
    state_dir: Path | None, staging: Path | None, folders: Mapping[int, Folder], platform: Platform | None
) -> Iterator[Mistake]:
    """Every rule between keys that is broken. What could not be read is None, or not in `folders`."""
    if platform is not None:
        yield from _platform(platform)
    for number, folder in folders.items():
        yield from _folder(number, folder)
        yield from _private(number, folder, {"state_dir": state_dir, "the staging folder": staging})
        for other, watched in folders.items():
            yield from _pair(number, folder, other, watched)


def _platform(platform: Platform) -> Iterator[Mistake]:
    verdict = judge_base_url(platform.base_url)
    if verdict == "none":
        yield Mistake(
            ("platform", "base_url"), "is not the address of a platform.", 'Write "https://" and a host name.'
        )
    elif verdict == "clear":
        yield Mistake(
            ("platform", "base_url"),
            "would send the key unencrypted.",
            "Write https; http is for this machine only.",
        )
    if platform.proxy and not is_proxy(platform.proxy):
        yield Mistake(
            ("platform", "proxy"),
            "is not the address of a proxy.",
            'Write for example "http://proxy:3128".',
        )
    if platform.api_key_file is not None and platform.api_key_file.name.startswith(KEY_PREFIX):
        yield Mistake(
            ("platform", "api_key_file"),
            "holds a key, not a path.",
            "Put the key into a file and name that file.",
        )


def _folder(number: int, folder: Folder) -> Iterator[Mistake]:
    if folder.after_upload == "archive" and folder.archive_dir is None:
        yield Mistake(
            ("folders", number, "archive_dir"),
            'is required with after_upload = "archive".',
            "Name a folder for it.",
        )
    marker = folder.ready_marker
    if "/" in marker or set(re.findall(r"\{.*?\}", marker)) - {"{stem}", "{name}"}:
        yield Mistake(
            ("folders", number, "ready_marker"),
            "should be a file name, in which {stem} and {name} stand for the raster's.",
            'Write for example "{stem}.done".',
        )
    if not folder.include and not folder.passthrough:
        yield Mistake(
            ("folders", number, "include"), "is empty, so nothing would be taken.", "Name a pattern."
        )


def _private(number: int, folder: Folder, private: Mapping[str, Path | None]) -> Iterator[Mistake]:
    """Keep what is the program's own apart from what people drop."""
    for name, path in private.items():
        if path is not None and sees(folder, path):
            yield Mistake(
                ("folders", number, "path"), f"{name} lies inside this drop folder.", "Put it somewhere else."
            )
    staging = private["the staging folder"]
    if staging is not None and _within(folder.path, staging):
        yield Mistake(
            ("folders", number, "path"),
            "lies inside the staging folder, which is swept.",
            "Name another folder.",
        )
    if staging is not None and folder.archive_dir is not None and _within(folder.archive_dir, staging):
        yield Mistake(
            ("folders", number, "archive_dir"),
            "lies inside the staging folder, which is swept.",
            "Name another folder.",
        )


def _pair(number: int, folder: Folder, other: int, watched: Folder) -> Iterator[Mistake]:
    if other < number and (sees(watched, folder.path) or sees(folder, watched.path)):
        yield Mistake(
            ("folders", number, "path"),
            f"overlaps [[folders]] #{other + 1} ({watched.path}), so files would be taken twice.",
            "Watch one of them, or give the outer one recursive = false.",
        )
    if folder.archive_dir is not None and sees(watched, folder.archive_dir):
        yield Mistake(
            ("folders", number, "archive_dir"),
            f"lies inside the drop folder {watched.path}, so archived files would be uploaded again.",
            "Put the archive beside it.",
        )
    same = (folder.item_id, folder.asset_key) == (watched.item_id, watched.asset_key)
    if other < number and same and folder.item_id and folder.asset_key:
        yield Mistake(
            ("folders", number, "asset_key"),
            f"is that of [[folders]] #{other + 1} for the same item, so one would replace the other.",
            "Give each its own.",
        )


def sees(folder: Folder, path: Path) -> bool:
    """Whether a file dropped into `path` would be taken by `folder`."""
    if folder.recursive:
        return _within(path, folder.path)
    return os.path.realpath(path) == os.path.realpath(folder.path)


def _within(path: Path, parent: Path) -> bool:
    return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(parent))
