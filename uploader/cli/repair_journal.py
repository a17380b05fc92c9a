"""What `uploader check --repair-journal` tells."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import anyio

from uploader.cli.common import console, emit, say
from uploader.core.byte_sizes import format_size

if TYPE_CHECKING:
    from rich.table import Table

    from uploader.config import Settings
    from uploader.journal.recovery.rebuild import Outcome
    from uploader.repair import RepairResult


def mend(settings: Settings, *, as_json: bool) -> int:
    """Repair the journal and tell what was found; 1 where files wait for a person, else 0."""
    from uploader.repair import repair

    done = anyio.run(repair, settings)
    if as_json:
        emit(_json(done))
    elif done is None:
        say(console(), "Nothing is wrong with the journal; nothing was changed.", "green")
    else:
        console().print(_table(done))
        for sentence in _next(done):
            say(console(), sentence)
    return 1 if done is not None and done.outcome.unsure else 0


def _json(done: RepairResult | None) -> dict[str, Any]:
    if done is None:
        return {"repaired": False}
    return {
        "repaired": True,
        **done.outcome.to_json(),
        "damaged": str(done.damaged) if done.damaged else None,
        "copies": str(done.copies) if done.copies else None,
        "next": _next(done),
    }


def _table(done: RepairResult) -> Table:
    """The numbers, each with what it means."""
    from rich.table import Table

    from uploader.report.terminal_text import printable

    found = done.outcome
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in (
        ("what was wrong", found.why),
        ("begun from", _begun(found)),
        ("files in it", f"{found.rows:,}"),
        ("listed by the platform", f"{found.listed:,} items"),
        ("recognised", f"{found.recognised:,} files are uploaded already"),
        ("on their way", f"{found.again:,} files are not on the platform and go on"),
        ("new to the journal", f"{found.new:,} files are recognised or uploaded once they are read"),
        ("waiting for you", f"{found.unsure:,} files may have been uploaded"),
        ("upload sessions", _sessions(found)),
        ("possibly leaked", format_size(found.possibly_leaked_bytes)),
        ("the damaged journal", str(done.damaged or "was gone")),
    ):
        table.add_row(name, printable(text))
    return table


def _begun(found: Outcome) -> str:
    if found.base == "nothing":
        return "nothing: no good copy was found"
    then = datetime.fromtimestamp(found.base_time, UTC).astimezone().isoformat(" ", timespec="seconds")
    what = "the journal itself, which is sound" if found.base == "journal" else "its last good copy"
    return f"{what}, up to {then}"


def _sessions(found: Outcome) -> str:
    return (
        f"{found.sessions_completed} completed, {found.sessions_kept} go on, {found.sessions_lost} given up"
    )


def _next(done: RepairResult) -> list[str]:
    """Say what to do now."""
    found, sentences = done.outcome, []
    if found.unsure:
        sentences.append(
            f"The platform does not show the names of its files for {', '.join(found.unsure_targets)}, so "
            f"{found.unsure} files are not uploaded again unasked: `uploader status` lists each as rejected once it is "
            "read. Look on the platform, then `uploader retry FILE` uploads what is missing."
        )
    if done.copies:
        sentences.append(
            f"Private copies that no file of the journal claims lie in {done.copies}. Where their sources are still in "
            "the drop folders they are not needed: remove them once all is uploaded."
        )
    sentences.append(
        "Sessions that were opened after the copy was made are known only as far as the damaged file could be read; an "
        "organization admin can have the storage recalculated (usage.recalculate_storage)."
    )
    sentences.append("Start the daemon again; nothing that the platform has is uploaded a second time.")
    return sentences
