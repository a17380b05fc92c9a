"""The file by which a live check tells the daemon what the platform does: written whole, read as if it were wrong."""

from __future__ import annotations

import json
import logging
import os
import stat
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from uploader.config import Settings
from uploader.core.platform_traits import LiveProfile, Traits, profile_of
from uploader.system.files import words

log = logging.getLogger(__name__)

NAME = "live-profile.json"
"""Of the file, which keeps what was found last, with its date."""

MOST = 65_536
"""Bytes of a profile; a check writes one or two thousand."""

WAY_OUT = "`uploader check --live` makes a new one."


def keep(folder: Path, found: Mapping[str, Any]) -> Path:
    """Lay a profile into the state directory: whole, or not at all."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / NAME
    fresh = path.with_name(f".{NAME}.{os.getpid()}")
    with fresh.open("w", encoding="utf-8") as file:
        file.write(json.dumps(found, indent=2) + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
    return path


def load(settings: Settings) -> LiveProfile:
    """The profile that holds for the configured platform; one that is empty where there is none, or it says nothing."""
    path = settings.state_dir / NAME
    try:
        text = _read(path)
        if text is None:
            return LiveProfile()
        return profile_of(json.loads(text), settings.platform.base_url, time.time())
    except OSError as error:
        why = f"cannot be read: {words(error)}"
    except RecursionError:
        why = "is damaged: it is nested too deeply"
    except (json.JSONDecodeError, UnicodeDecodeError):
        why = "is damaged: it is no JSON"
    except ValueError as error:
        why = str(error)
    return LiveProfile(ignored=f"The live profile {path} {why}, so it is not used.")


def _read(path: Path) -> bytes | None:
    """What the file holds; None where there is none. Nothing but a plain file is waited for."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise ValueError("is no file")
        text = os.read(fd, MOST + 1)
    finally:
        os.close(fd)
    if len(text) > MOST:
        raise ValueError("is damaged: it is too large")
    return text


def fitted(settings: Settings, traits: Traits) -> Settings:
    """The settings as the platform can take them: where it makes one item of a session, a session holds one file."""
    if not traits.merges:
        return settings
    return settings.model_copy(update={"batch": settings.batch.model_copy(update={"max_files": 1})})


def tell(profile: LiveProfile) -> None:
    """Say in the log by which profile the daemon goes."""
    if profile.ignored:
        log.warning("%s %s", profile.ignored, WAY_OUT)
    elif profile.date:
        log.info("live profile of %s, project=%s: %s", profile.date, profile.project, profile.traits)
