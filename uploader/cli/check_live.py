"""`uploader check --live`: what no document says of the platform, found out by real sessions, told and kept."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from uploader.cli.common import console, emit, say
from uploader.core.errors import UploaderError
from uploader.core.moments import iso
from uploader.report.terminal_text import printable

if TYPE_CHECKING:
    from pathlib import Path

    from uploader.config import Settings
    from uploader.effects.live_facts import LiveFacts

WORDS = {
    "transfer_method": "the transfer_method that uploads.initiate takes",
    "items_per": "what a completed session makes an item of",
    "initiate_repeated": "a repeated uploads.initiate gives",
    "complete_repeated": "a repeated uploads.complete tells",
    "fail_repeated": "a repeated uploads.fail gets",
    "names_in_items": "file names come back in items or assets",
    "visible_after": "seconds until items can be listed",
    "asset_key_twice": "one asset_key twice leaves",
    "box_of_two": "the box of an item that is given an asset elsewhere",
    "items_update": "items.update gets",
    "properties_updated": "properties that items.update does not name are",
    "url_life": "seconds that a signed URL lives",
    "token_life": "seconds that a token lives",
}
"""By fact: how people are told of it."""


def examine(chosen: Settings, project: str, *, as_json: bool) -> int:
    """Ask the platform, keep what it showed, and print it. Returns 1 where it failed, or left something behind."""
    import anyio

    from uploader.daemon.live_profile import keep
    from uploader.daemon.platform_connection import connect
    from uploader.effects.live_check import LiveCheck

    async def ask() -> tuple[LiveFacts, str]:
        async with connect(chosen.platform) as (platform, store):
            check = LiveCheck(platform, store, project, chosen.platform.transfer_method, time.monotonic)
            try:
                return await check.run(), ""
            except UploaderError as error:
                return check.facts, str(error)

    facts, failure = anyio.run(ask)
    found: dict[str, Any] = {
        "date": iso(time.time()),
        "base_url": chosen.platform.base_url,
        "project": project,
    }
    found |= {"facts": facts.to_json()}
    if failure:
        found["error"] = failure
    kept = keep(chosen.state_dir, found)
    if as_json:
        emit(found | {"kept": str(kept)})
    else:
        _print(facts, kept)
        if failure:
            say(console(), f"It came to an end early: {printable(failure)}")
    return 1 if facts.left or failure else 0


def _print(facts: LiveFacts, kept: Path) -> None:
    told = facts.to_json()
    for name, words in WORDS.items():
        value = told[name]
        shown = {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
        say(console(), f"{words}: {'not found out' if value in (None, '') else printable(str(shown))}")
    for left in facts.left:
        say(console(), f"left behind: {printable(left)}. Delete it by hand.")
    say(console(), f"kept in {printable(str(kept))}")
