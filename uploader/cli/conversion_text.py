"""What `uploader convert` tells of a conversion: while it runs, in a line, and with all that can be said of it."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from uploader.cli.common import console, say
from uploader.core.plurals import count_of
from uploader.report.terminal_text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from uploader.convert import Job, Report


@contextmanager
def shown_progress(job: Job, source: Path) -> Iterator[None]:
    """On a terminal: a line that tells how long it takes and how much is written."""
    screen, started = console(as_json=True), time.monotonic()
    if not screen.is_terminal:
        yield
        return
    from rich.live import Live

    from uploader.core.byte_sizes import format_size
    from uploader.report.terminal_text import duration

    def line() -> str:
        written = sum(path.stat().st_size for path in job.target.parent.rglob("*") if path.is_file())
        written -= sum(path.stat().st_size for path in job.source.parent.iterdir())
        spent = duration(round(time.monotonic() - started))
        return f"converting {printable(source.name)}: {spent}, {format_size(max(0, written))} written"

    def careful() -> str:
        with suppress(OSError):  # files come and go meanwhile
            return line()
        return ""

    with Live(get_renderable=careful, console=screen, refresh_per_second=2, transient=True):
        yield


def say_line(report: Report, source: Path, target: Path) -> None:
    """One line: the method, the sizes in bytes before and after, and the speed."""
    from uploader.core.byte_sizes import format_size

    sizes = f"{format_size(source.stat().st_size)} → {format_size(target.stat().st_size)}"
    kind = "categorical" if report.categorical else "continuous"
    say(console(), f"{printable(target.name)}: {report.method}, {kind}, {sizes}, {_speed(report)}")


def show(report: Report, source: Path, target: Path) -> None:
    """That line, what the source says of itself, a table of the bands' statistics, and every warning."""
    from rich.table import Table

    screen = console()
    say_line(report, source, target)
    say(screen, f"from {_described(report.facts)}")
    table = Table("band", "min", "max", "mean", "std", "valid", box=None, pad_edge=False)
    for number, band in enumerate(report.bands, start=1):
        values = (band.min, band.max, band.mean, band.std)
        shown = ("-" if value is None else f"{value:.6g}" for value in values)
        table.add_row(str(number), *shown, f"{band.valid_percent:.4g} %")
    if report.bands:
        screen.print(table)
    for key, value in sorted(report.declared.items()):
        say(screen, f"declared, not in the source: {key} = {printable(value)}")
    for warning in report.warnings:
        say(screen, f"warning ({warning.code}): {printable(warning.text)}", style="yellow")


def _speed(report: Report) -> str:
    """How long it took, and how many bytes of pixels a second that is."""
    from uploader.core.byte_sizes import format_size
    from uploader.report.terminal_text import duration

    raw = int(report.facts.get("raw_bytes", 0))
    rate = f" ({format_size(int(raw / report.seconds))}/s of pixels)" if raw and report.seconds else ""
    return duration(report.seconds) + rate


def _described(facts: dict[str, Any]) -> str:
    """What the source says of itself, in one line."""
    beside = int(facts.get("sidecars", 0))
    parts = (
        f"{facts.get('format')}{' (' + facts['compression'] + ')' if facts.get('compression') else ''}",
        f"{facts.get('width'):,} x {facts.get('height'):,} pixels",
        f"{facts.get('bands')} x {facts.get('dtype')}",
        str(facts.get("crs") or "no coordinate reference system"),
        f"{count_of(beside, 'file')} beside it" if beside else "",
    )
    return printable(", ".join(part for part in parts if part))
