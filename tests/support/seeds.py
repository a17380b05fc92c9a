"""The platform's public guides, where somebody has them: the requests they print, and the answers printed behind.

The folder comes from `UPLOADER_SEEDS`, else it is `shared/seeds` beside the checkout; the published schema
lies beside that folder as `platform-openapi.json`.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_BESIDE = Path(__file__).resolve().parents[3] / "shared" / "seeds"


@dataclass(frozen=True)
class Printed:
    """One request as it stands in a guide, and the JSON that follows it (None: no answer is shown)."""

    command: str
    answer: Any

    def names(self, text: str) -> bool:
        """Whether the request is to that operation or path."""
        return text in self.command


def folder() -> Path:
    """The folder of the guides; skips the calling test with the reason when there is none."""
    path = Path(os.environ.get("UPLOADER_SEEDS") or _BESIDE)
    if not path.is_dir():
        pytest.skip("no guides: set UPLOADER_SEEDS to their folder")
    return path


def published() -> dict[str, Any]:
    """The published OpenAPI document; skips as `folder`."""
    path = folder().parent / "platform-openapi.json"
    if not path.is_file():
        pytest.skip("no published schema beside the folder that UPLOADER_SEEDS names")
    return json.loads(path.read_text())


def guide(mark: str) -> list[Printed]:
    """Every request of the guide that contains the mark, in order."""
    return list(requests(text(mark)))


def text(mark: str) -> str:
    """The guide that contains the mark."""
    (found,) = (one for path in sorted(folder().glob("*.txt")) if mark in (one := path.read_text()))
    return found


def requests(text: str) -> Iterator[Printed]:
    """Find the curl commands of a text whose code blocks have lost their borders.

    A command ends at a line end that is not escaped, or where something follows a closing quote without a space.
    """
    at = text.find("curl ")
    while at >= 0:
        end = _end(text, at)
        answer, after = None, end
        if text[end : end + 1] == "{":
            answer, after = json.JSONDecoder().raw_decode(text, end)
        yield Printed(text[at:end], answer)
        at = text.find("curl ", after)


def run(command: str, values: Mapping[str, str], *, cwd: Path, env: Mapping[str, str]) -> tuple[int, Any]:
    """Run a printed command in a shell with its placeholders bound; gives the status and the JSON (None: no body)."""
    for name in sorted(values, key=len, reverse=True):
        command = command.replace(name, values[name])
    done = subprocess.run(
        ["sh", "-c", f"{command} -s --noproxy '*' --max-time 20 -w '\\n%{{http_code}}'"],
        capture_output=True,
        text=True,
        check=True,
        cwd=cwd,
        env={"PATH": os.environ["PATH"], **env},
    )
    body, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(body) if body.strip() else None


def differences(printed: Any, got: Any, where: str = "answer") -> list[str]:
    """How the shape of an answer departs from the one printed: members that are missing, values of another kind.

    A member called `...` stands for anything.
    """
    if isinstance(printed, dict) and isinstance(got, dict):
        wanted = {name: value for name, value in printed.items() if name != "..."}
        missing = [f"{where}.{name} is missing" for name in wanted if name not in got]
        return missing + [
            text
            for name, value in wanted.items()
            if name in got
            for text in differences(value, got[name], f"{where}.{name}")
        ]
    if isinstance(printed, list) and isinstance(got, list):
        if printed and not got:
            return [f"{where} is empty"]
        return differences(printed[0], got[0], f"{where}[0]") if printed else []
    kinds = (int, float) if isinstance(printed, float) else type(printed)
    return [] if isinstance(got, kinds) else [f"{where} is {got!r}, printed is {printed!r}"]


def _end(text: str, at: int) -> int:
    quote = ""
    while at < len(text):
        letter = text[at]
        if quote:
            if letter == quote:
                quote = ""
                if text[at + 1 : at + 2] not in (" ", "\n", "\\", ""):
                    return at + 1
        elif letter in "\"'":
            quote = letter
        elif letter == "\\":
            at += 1
        elif letter in "\n{":
            return at
        at += 1
    return at
