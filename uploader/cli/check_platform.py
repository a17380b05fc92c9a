"""The probes of `uploader check` that talk to the platform: its address, the key, the projects, the clock."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import anyio

from uploader.cli.check_finding import Finding, fail, ok, warn
from uploader.core.errors import CredentialRefused, Refused, RemoteError, Unreachable, UploaderError
from uploader.daemon.live_profile import WAY_OUT, load
from uploader.daemon.platform_connection import connect
from uploader.platform.geopera import read_key
from uploader.platform.geopera.server_clock import server_time
from uploader.report.terminal_text import duration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from uploader.config import PlatformSection, Settings
    from uploader.platform.api import Platform

MOST_SKEW = 60.0
"""Seconds by which this machine's clock may be off before signed URLs and tokens begin to look expired."""
PATIENCE = 30.0
"""Seconds for one probe."""


def all_findings(settings: Settings) -> list[Finding]:
    """Run every probe of the platform; the later ones only where the earlier ones succeed."""
    try:
        read_key(str(settings.platform.api_key_file or ""), os.environ)
    except CredentialRefused as error:
        return [fail("credentials", error.reason, error.way_out)]
    try:
        return anyio.run(_talk, settings)
    except UploaderError as error:
        hint = (
            _unread_proxy(os.environ)
            if isinstance(error, Unreachable) and not settings.platform.proxy
            else ""
        )
        return [fail("platform", error.reason, f"{error.way_out} {hint}".strip())]


def _unread_proxy(environment: Mapping[str, str]) -> str:
    """What to do with a proxy that only the environment names: a service has another environment than its user."""
    names = [
        name for name in environment if name.lower() in {"https_proxy", "all_proxy"} and environment[name]
    ]
    return (
        f"${names[0]} is not read here: where a proxy is needed, name it as [platform] proxy."
        if names
        else ""
    )


async def _talk(settings: Settings) -> list[Finding]:
    p = settings.platform
    found = await _clock(p)
    async with connect(settings.platform) as (platform, _):
        for project, collection in sorted({(f.project_id, f.collection_id) for f in settings.folders}):
            answer = await _project(platform, project, collection)
            found.append(answer)
            if answer.name in {"credentials", "platform"}:
                return found
    accepted = ok("credentials", f"the key is accepted by {p.base_url}.")
    return [*found[:1], accepted, *found[1:], _profile(settings)]


def _profile(settings: Settings) -> Finding:
    """By which live profile a daemon would go."""
    profile = load(settings)
    if profile.ignored:
        return warn("live profile", profile.ignored, WAY_OUT)
    if not profile.date:
        text = "there is none, so the daemon takes the harshest for granted, and learns; `--live` makes one."
        return ok("live profile", text)
    return ok("live profile", f"that of {profile.date}, made in project {profile.project}, is in use.")


async def _clock(p: PlatformSection) -> list[Finding]:
    """Compare our clock with the far side's Date, which comes with any answer."""
    before = time.time()
    there = await server_time(p.base_url, proxy=p.proxy, ca_file=str(p.ca_file or ""))
    if there is None:
        return [warn("clock", "the platform's answer carries no date to compare with.", "")]
    # A Date has whole seconds and was written somewhere between question and answer.
    skew = there + 0.5 - (before + time.time()) / 2
    if abs(skew) > MOST_SKEW:
        off = f"it is {duration(abs(skew))} {'behind' if skew > 0 else 'ahead of'} the platform's."
        return [warn("clock", off, "Set it, best by NTP: timedatectl set-ntp true.")]
    return [ok("clock", "it agrees with the platform's.")]


async def _project(platform: Platform, project: str, collection: str) -> Finding:
    name = f"project {project}" + (f", collection {collection}" if collection else "")
    try:
        with anyio.fail_after(PATIENCE):
            await platform.list_items(project, collection_id=collection, limit=1)
    except CredentialRefused as error:
        return fail("credentials", error.reason, error.way_out)
    except Refused as error:
        return fail(
            name, error.problem.text, error.way_out or "Check its id, and that the key's user is a member."
        )
    except RemoteError as error:
        return fail("platform", error.reason, error.way_out)
    except TimeoutError:
        return fail("platform", "it does not answer in time.", "Check network and proxy.")
    return ok(name, "it can be read; whether the key may upload shows at the first upload (editor or admin).")
