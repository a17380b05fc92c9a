"""The first configuration of a machine, as text: what must be said, and where all else is explained."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from uploader.config.sections import PlatformSection
from uploader.config.settings import DEFAULT_STATE_DIR


@dataclass(frozen=True, slots=True)
class Answers:
    """What a person says of a new installation. Empty or None where the default holds."""

    folder: Path
    project_id: str
    archive_dir: Path | None = None
    base_url: str = ""
    state_dir: Path | None = None
    api_key_file: Path | None = None
    """None where systemd hands the key over."""


def first_file(answers: Answers) -> str:
    """The configuration as TOML."""
    platform = {"base_url": answers.base_url, "api_key_file": answers.api_key_file}
    defaults = {"base_url": PlatformSection().base_url}
    folder = {
        "path": answers.folder,
        "project_id": answers.project_id,
        "after_upload": "archive" if answers.archive_dir else "",
        "archive_dir": answers.archive_dir,
    }
    lines = ["# Written by `uploader init`. config.example.toml explains every key."]
    if answers.state_dir not in {None, DEFAULT_STATE_DIR}:
        lines.append(_line("state_dir", answers.state_dir))
    said = [_line(key, value) for key, value in platform.items() if value and value != defaults.get(key)]
    if said:
        lines += ["", "[platform]", *said]
    lines += ["", "[[folders]]", *(_line(key, value) for key, value in folder.items() if value)]
    return "\n".join(lines) + "\n"


def _line(key: str, value: object) -> str:
    """JSON spells a text as TOML does, but for one character."""
    return f"{key} = {json.dumps(str(value), ensure_ascii=False)}".replace("\x7f", "\\u007f")
