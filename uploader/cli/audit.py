"""`uploader audit`: whether what was uploaded is still there."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import asdict, fields
from typing import TYPE_CHECKING

import click

from uploader.cli.common import config_option, unfinished
from uploader.cli.service_key import settings_with_key

if TYPE_CHECKING:
    from uploader.config import Settings
    from uploader.core.receipt_audit import Difference


@click.command("audit")
@config_option
@click.option("--json", "form", flag_value="json", help="Print one JSON object and nothing else.")
@click.option("--csv", "form", flag_value="csv", help="A table by RFC 4180, a line for each difference.")
@click.option(
    "--deep", is_flag=True, help="Ask for the assets of each item as well, for sizes and hashes: a call each."
)
def command(*, config: str | None, form: str | None, deep: bool) -> int:
    """Compare the receipts with what the platform has now.

    Tells what is missing, what has changed, and what is there and not ours. What the platform does not say is told as
    unclear, and never as missing. Changes nothing, on either side. Exit code 1 where anything was found.
    """
    import anyio

    return anyio.run(_audit, settings_with_key(config, look=False), form, deep)


async def _audit(given: Settings, form: str | None, deep: bool) -> int:  # noqa: FBT001 - anyio.run passes by position
    from uploader.core.recovery_matching import Target
    from uploader.daemon.platform_connection import connect
    from uploader.journal import Reader
    from uploader.journal.audit_rows import AuditRows
    from uploader.report.receipts.audit import Audit

    with Reader(given.state_dir) as reader:
        rows = AuditRows(reader.db)
        async with connect(given.platform) as (platform, _):
            audit = Audit(rows, platform, deep=deep)
            found = audit.run(Target.of(one) for one in given.destinations().values())
            counted = await _PRINTERS[form or "text"](found)
        sums = {"receipts": rows.count(), "listed": audit.listed, **counted}
    _finish(form, sums)
    return 1 if counted.total() else 0


async def _print_json(found: AsyncIterator[Difference]) -> Counter[str]:
    """The object but for its end."""
    counted: Counter[str] = Counter()
    sys.stdout.write('{"differences": [')
    with unfinished("\n], "):
        async for one in found:
            sys.stdout.write(("," if counted else "") + "\n" + json.dumps(asdict(one)))
            counted[one.kind] += 1
    sys.stdout.write("]")
    return counted


async def _print_csv(found: AsyncIterator[Difference]) -> Counter[str]:
    from uploader.core.receipt_audit import Difference
    from uploader.report.receipts.csv_table import line

    counted: Counter[str] = Counter()
    sys.stdout.write(line([column.name for column in fields(Difference)]))
    async for one in found:
        sys.stdout.write(line(asdict(one).values()))
        counted[one.kind] += 1
    return counted


async def _print_text(found: AsyncIterator[Difference]) -> Counter[str]:
    from uploader.report.terminal_text import printable

    counted: Counter[str] = Counter()
    async for one in found:
        told = [one.kind, one.item_id, one.path, one.field]
        told += [f"ours {one.ours}"] if one.ours else []
        told += [f"theirs {one.theirs}"] if one.theirs else []
        sys.stdout.write("  ".join(printable(word) for word in told if word) + "\n")
        counted[one.kind] += 1
    return counted


_PRINTERS = {"json": _print_json, "csv": _print_csv, "text": _print_text}


def _finish(form: str | None, sums: dict[str, int]) -> None:
    from uploader.core.receipt_audit import Kind

    kinds = {kind.value: sums.get(kind, 0) for kind in Kind}
    told = {"receipts": sums["receipts"], "listed": sums["listed"], **kinds}
    if form == "json":
        sys.stdout.write(f", {json.dumps(told)[1:]}\n")
    elif form is None:
        words = ", ".join(f"{number:,} {name}" for name, number in kinds.items())
        sys.stdout.write(f"{told['receipts']:,} receipts, {told['listed']:,} items listed: {words}\n")
    sys.stdout.flush()
