"""The only place for the rules between the keys of a configuration, where each value alone is fine."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from uploader.core.address_policy import is_proxy, judge_base_url
from uploader.system.overlap import FolderPlace, mounts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from uploader.config.sections import ConvertSection, Folder, PlatformSection
    from uploader.config.toml_lines import Location

KEY_PREFIX = "gpra_"
"""How an API key begins; a configuration that holds one in place of a path is not quoted back."""


@dataclass(frozen=True, slots=True)
class ConfigError:
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
    state_dir: Path | None,
    staging: Path | None,
    folders: Mapping[int, Folder],
    platform: PlatformSection | None,
    convert: ConvertSection | None,
    *,
    look: bool = True,
) -> Iterator[ConfigError]:
    """Every rule between keys that is broken. What could not be read is None, or not in `folders`.

    Without `look` no disk is asked for anything, which one that hangs would not answer.
    """
    if platform is not None:
        yield from _platform(platform)
    if convert is not None and convert.engine == "dask":
        yield from _cluster(convert, state_dir, staging)
    for number, folder in folders.items():
        yield from _folder(number, folder)
        yield from _one_asset(number, folder, folders)
    if look:
        yield from (mistake for _, mistake in overlaps(state_dir, staging, folders, mounted=False))


def _platform(platform: PlatformSection) -> Iterator[ConfigError]:
    verdict = judge_base_url(platform.base_url)
    if verdict == "none":
        yield ConfigError(
            ("platform", "base_url"), "is not the address of a platform.", 'Write "https://" and a host name.'
        )
    elif verdict == "clear":
        yield ConfigError(
            ("platform", "base_url"),
            "would send the key unencrypted.",
            "Write https; http is for this machine only.",
        )
    elif platform.base_url.endswith("/v1"):
        yield ConfigError(
            ("platform", "base_url"), "ends in /v1, which each call adds by itself.", "Leave it out."
        )
    if platform.proxy and not is_proxy(platform.proxy):
        yield ConfigError(
            ("platform", "proxy"),
            "is not the address of a proxy.",
            'Write for example "http://proxy:3128".',
        )
    if platform.api_key_file is not None and platform.api_key_file.name.startswith(KEY_PREFIX):
        yield ConfigError(
            ("platform", "api_key_file"),
            "holds a key, not a path.",
            "Put the key into a file and name that file.",
        )


def _cluster(convert: ConvertSection, state_dir: Path | None, staging: Path | None) -> Iterator[ConfigError]:
    files = {
        key: getattr(convert, key) is not None for key in ("tls_ca_file", "tls_cert_file", "tls_key_file")
    }
    encrypted = convert.scheduler.startswith("tls:")
    if not convert.scheduler:
        yield ConfigError(
            ("convert", "scheduler"),
            'is required with engine = "dask".',
            'Write for example "tls://cluster.example:8786".',
        )
    for key, given in files.items() if encrypted else ():
        if not given:
            yield ConfigError(
                ("convert", key), "is required for a scheduler with tls://.", "Name the PEM file."
            )
    if convert.scheduler and not encrypted and any(files.values()):
        what = "would send everything unencrypted, although certificates are named."
        yield ConfigError(("convert", "scheduler"), what, "Write tls://, or name no certificates.")
    if state_dir is not None and staging is not None and staging.is_relative_to(state_dir):
        what = 'must be set with engine = "dask", to a folder outside of state_dir.'
        way_out = "Workers share it with the daemon, and must not see the journal."
        yield ConfigError(("staging", "dir"), what, way_out)


def _folder(number: int, folder: Folder) -> Iterator[ConfigError]:
    if folder.after_upload == "archive" and folder.archive_dir is None:
        yield ConfigError(
            ("folders", number, "archive_dir"),
            'is required with after_upload = "archive".',
            "Name a folder for it.",
        )
    if folder.receipts and folder.after_upload != "archive":
        yield ConfigError(
            ("folders", number, "receipts"),
            "are laid beside archived sources, and this folder archives none.",
            'Set after_upload = "archive" with an archive_dir; `uploader items` has all receipts anyway.',
        )
    marker = folder.ready_marker
    if "/" in marker or set(re.findall(r"\{.*?\}", marker)) - {"{stem}", "{name}"}:
        yield ConfigError(
            ("folders", number, "ready_marker"),
            "should be a file name, in which {stem} and {name} stand for the raster's.",
            'Write for example "{stem}.done".',
        )
    if folder.scenes and (folder.item_id or folder.asset_key):
        yield ConfigError(
            ("folders", number, "scenes"),
            "make items of their own, and this folder's files go to one item.",
            "Leave out item_id and asset_key, or the scenes.",
        )
    if folder.scenes and folder.duplicates == "skip":
        yield ConfigError(
            ("folders", number, "duplicates"),
            "leaves out rasters that are alike, such as the empty masks of two scenes; scenes need all of theirs.",
            'Write duplicates = "upload": a scene takes each of its rasters once in any case.',
        )
    if not folder.include and not folder.passthrough and not folder.scenes:
        yield ConfigError(
            ("folders", number, "include"), "is empty, so nothing would be taken.", "Name a pattern."
        )


def overlaps(
    state_dir: Path | None, staging: Path | None, folders: Mapping[int, Folder], *, mounted: bool
) -> Iterator[tuple[Folder, ConfigError]]:
    """Each overlap of folders, with the drop folder that would take what is not dropped into it.

    `mounted`: as things are mounted now; else by their names, as they are written and linked.
    """
    places = _Places(mounted=mounted)
    for number, folder in folders.items():
        for name, path in (("state_dir", state_dir), ("the staging folder", staging)):
            if path is not None and places.sees(folder, path):
                what = f"{name} lies inside this drop folder."
                yield folder, ConfigError(("folders", number, "path"), what, "Put it somewhere else.")
        if staging is not None:
            yield from _swept(number, folder, staging, places)
        for other, watched in folders.items():
            yield from _pair(number, folder, other, watched, places)


class _Places:
    """Where folders lie; each is looked at once."""

    def __init__(self, *, mounted: bool) -> None:
        self._mounts = mounts() if mounted else None
        self._places: dict[Path, FolderPlace] = {}

    def of(self, path: Path) -> FolderPlace:
        """Where a folder lies."""
        if path not in self._places:
            table = self._mounts
            self._places[path] = FolderPlace.named(path) if table is None else FolderPlace.of(path, table)
        return self._places[path]

    def sees(self, folder: Folder, path: Path) -> bool:
        """Whether a file dropped into `path` would be taken by `folder`."""
        one, other = self.of(path), self.of(folder.path)
        return one.inside(other) if folder.recursive else one.same(other)


def _swept(
    number: int, folder: Folder, staging: Path, places: _Places
) -> Iterator[tuple[Folder, ConfigError]]:
    for key, path in (("path", folder.path), ("archive_dir", folder.archive_dir)):
        if path is not None and places.of(path).inside(places.of(staging)):
            what = "lies inside the staging folder, which is swept."
            yield folder, ConfigError(("folders", number, key), what, "Name another folder.")


def _pair(
    number: int, folder: Folder, other: int, watched: Folder, places: _Places
) -> Iterator[tuple[Folder, ConfigError]]:
    if other < number and (places.sees(watched, folder.path) or places.sees(folder, watched.path)):
        yield (
            folder,
            ConfigError(
                ("folders", number, "path"),
                f"overlaps [[folders]] #{other + 1} ({watched.path}), so files would be taken twice.",
                "Watch one of them, or give the outer one recursive = false.",
            ),
        )
    if folder.archive_dir is not None and places.sees(watched, folder.archive_dir):
        yield (
            watched,
            ConfigError(
                ("folders", number, "archive_dir"),
                f"lies inside the drop folder {watched.path}, so archived files would be uploaded again.",
                "Put the archive beside it.",
            ),
        )


def _one_asset(number: int, folder: Folder, folders: Mapping[int, Folder]) -> Iterator[ConfigError]:
    mine = (folder.item_id, folder.asset_key)
    for other, earlier in folders.items():
        if other < number and all(mine) and (earlier.item_id, earlier.asset_key) == mine:
            yield ConfigError(
                ("folders", number, "asset_key"),
                f"is that of [[folders]] #{other + 1} for the same item, so one would replace the other.",
                "Give each its own.",
            )
