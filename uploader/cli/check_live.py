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
    "default_view": "the asset that an item shows by default once it has two is its",
    "items_update": "items.update gets",
    "properties_updated": "properties that items.update does not name are",
    "url_life": "seconds that a signed URL lives",
    "token_life": "seconds that a token lives",
}
"""By fact: how people are told of it."""


def examine(chosen: Settings, project: str, *, as_json: bool) -> int:
    """Ask the platform, keep what it showed, and print it. Returns 1 where it failed, or left something behind."""
    facts, failure = _asked(chosen, project)
    found: dict[str, Any] = {
        "date": iso(time.time()),
        "base_url": chosen.platform.base_url,
        "project": project,
    }
    found |= {"facts": facts.to_json()}
    if failure:
        found["error"] = failure
    kept, stays = _kept(chosen, found, facts)
    if as_json:
        emit(found | {"kept": None if kept is None else str(kept), "profile_in_use": stays or None})
    else:
        _print(facts, kept, stays)
        if failure:
            say(console(), f"It came to an end early: {printable(failure)}")
    return 1 if facts.left or failure else 0


def _asked(chosen: Settings, project: str) -> tuple[LiveFacts, str]:
    """What was found out, and why it came to an end early, if it did."""
    import anyio

    from uploader.daemon.platform_connection import connect
    from uploader.effects.live_check import LiveCheck
    from uploader.effects.live_facts import LiveFacts

    facts = LiveFacts()

    async def ask() -> None:
        async with connect(chosen.platform) as (platform, store):
            method = chosen.platform.transfer_method
            await LiveCheck(platform, store, project, method, facts=facts, clock=time.monotonic).run()

    try:
        anyio.run(ask)
    except UploaderError as error:
        return facts, str(error)
    except KeyboardInterrupt:
        return facts, "Interrupted."
    return facts, ""


def _kept(chosen: Settings, found: dict[str, Any], facts: LiveFacts) -> tuple[Path | None, str]:
    """Where this profile lies now, and the date of the one that stays in its place where this one knows less."""
    from uploader.daemon.live_profile import keep, load

    stays = load(chosen).date if "error" in found else ""
    if stays or not facts.any_found():
        return None, stays
    return keep(chosen.state_dir, found), ""


def _print(facts: LiveFacts, kept: Path | None, stays: str) -> None:
    told = facts.to_json()
    for name, words in WORDS.items():
        value = told[name]
        shown = {True: "yes", False: "no"}.get(value, value) if isinstance(value, bool) else value
        say(console(), f"{words}: {'not found out' if value in (None, '') else printable(str(shown))}")
    for left in facts.left:
        say(console(), f"left behind: {printable(left)}. Delete it by hand.")
    if kept is not None:
        say(console(), f"kept in {printable(str(kept))}")
    elif stays:
        say(console(), f"not kept: the profile of {stays} knows more, and stays in use")
    else:
        say(console(), "not kept, for nothing was found out")
