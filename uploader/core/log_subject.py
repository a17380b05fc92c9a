"""The only place for what a line of the log is about: as text for people, and as fields for whoever filters."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from uploader.core.path_text import shown


@dataclass(frozen=True, slots=True)
class About:
    """What a line is about, and empty what it is not about. Given to a log call as an argument, it gives its fields.

    `folder` is a drop folder, `file` a path relative to it, `session` the journal's number of an upload session, `item`
    the platform's id, `code` that of a warning.
    """

    folder: str = ""
    file: bytes | str = ""
    session: int | None = None
    item: str = ""
    code: str = ""

    @property
    def fields(self) -> Mapping[str, str]:
        """By name, what is not empty."""
        found = {
            "folder": self.folder,
            "file": shown(self.file),
            "session": "" if self.session is None else str(self.session),
            "item": self.item,
            "code": self.code,
        }
        return {name: text for name, text in found.items() if text}

    def __str__(self) -> str:
        """As a person reads it; a file's name may have blanks in it."""
        quoted = {"file": "{}={!r}"}
        return " ".join(quoted.get(name, "{}={}").format(name, text) for name, text in self.fields.items())


def fields_of(arguments: object) -> dict[str, str]:
    """The fields of all that a log call was about, from its arguments."""
    found: dict[str, str] = {}
    for argument in arguments if isinstance(arguments, tuple) else ():
        if isinstance(argument, About):
            found |= argument.fields
    return found
