"""How people are told a plan: a line for each file, and sentences for what it comes to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uploader.core.byte_sizes import format_size
from uploader.core.plurals import count_of
from uploader.lookahead.left_files import WORDS
from uploader.report.terminal_text import duration, printable

if TYPE_CHECKING:
    from uploader.config import Settings
    from uploader.lookahead.planned_file import PlannedFile
    from uploader.lookahead.sums import PlanSums


def line(file: PlannedFile) -> str:
    """One file: what becomes of it, and where it goes or why it does not."""
    head = f"{file.verdict:<8}{printable(file.path)}"
    if file.verdict != "upload":
        return f"{head}: {printable(f'{file.reason} {file.way_out}'.strip())}"
    where = "/".join(part for part in (file.project, file.collection, file.item) if part)
    words = [
        file.method or "method not known",
        f"{format_size(file.bytes)} → about {format_size(file.size)}",
        f"to {printable(where)}",
    ]
    if file.placement is not None:
        placed = file.placement
        names = "/".join(part for part in (placed.scene, placed.version, placed.tile) if part)
        words.append(f"asset {printable(placed.asset)} of {printable(names)}")
        if placed.when is not None:
            words.append(f"taken {' to '.join(each for each in placed.when.properties.values() if each)}")
    elif file.asset:
        words.append(f"asset {printable(file.asset)}")
    complaints = file.placement.complaints if file.placement else ()
    return f"{head}: {', '.join(words)}" + "".join(f". {printable(each)}" for each in complaints)


def sentences(sums: PlanSums, settings: Settings, paths: Sequence[Path] = ()) -> Iterator[str]:
    """What it all comes to. `paths` are those that were asked for; none means all folders."""
    told = sums.to_json()
    if not any(sums.verdicts.values()):
        places = paths or [folder.path for folder in settings.folders]
        yield f"No file was found at or below {', '.join(printable(str(place)) for place in places)}."
    elif not sums.verdicts["upload"]:
        yield "No file would be uploaded."
    else:
        yield from _cost(sums, settings, told)
    if told["no_rule"]["files"]:
        names = ", ".join(printable(path) for path in told["no_rule"]["first"])
        more = " and others" if told["no_rule"]["files"] > len(told["no_rule"]["first"]) else ""
        yield f"No rule of their scenes fits {names}{more}."
    for doubt, number in sums.doubts.items():
        yield f"{count_of(number, 'file')}: {doubt}"
    for code, number in told["reasons"].items():
        yield f"{count_of(number, 'file')}: {WORDS.get(code, code)}"


def _cost(sums: PlanSums, settings: Settings, told: dict[str, Any]) -> Iterator[str]:
    """What is uploaded costs so many bytes, sessions and calls."""
    yield (
        f"{count_of(sums.verdicts['upload'], 'file')} would be uploaded: {format_size(sums.bytes)}, about "
        f"{format_size(told['estimated_bytes'])} as COGs, which is what the quota is asked for."
    )
    levels = ", ".join(
        f"{name} {format_size(each)}" for name, each in told["estimated_bytes_by_level"].items()
    )
    yield f"By convert.level: about {levels}; this configuration means {settings.effort}."
    if told["lossy_sources"]["files"]:
        yield f"Of these the pixels are kept without loss, so they grow: {_growing(told['lossy_sources'])}."
    yield (
        f"That takes {count_of(told['sessions'], 'session')} and {count_of(told['calls'], 'call')}: at least "
        f"{duration(told['call_window_seconds'])} in the platform's window of 600 a minute."
    )
    if told["scene_items"]:
        yield _scenes(told["scenes"])


def _growing(lossy: dict[str, Any]) -> str:
    """How many sources there are of each lossy compression, and what they grow to."""
    return ", ".join(
        f"{count_of(each['files'], 'file')} in {name} from {format_size(each['bytes'])} to about "
        f"{format_size(each['estimated_bytes'])}"
        for name, each in lossy["by_compression"].items()
    )


def _scenes(scenes: dict[str, Any]) -> str:
    """What scenes cost: their rasters cannot share sessions."""
    most = scenes["costliest"]
    return (
        f"Of that, {count_of(scenes['items'], 'item')} of scenes take {count_of(scenes['sessions'], 'session')}, "
        f"one for each raster, and {count_of(scenes['calls'], 'call')}: {duration(scenes['call_window_seconds'])}. The "
        f"costliest, {printable(most['scene'])}, takes {count_of(most['sessions'], 'session')} and "
        f"{count_of(most['calls'], 'call')}: {duration(most['call_window_seconds'])}."
    )
