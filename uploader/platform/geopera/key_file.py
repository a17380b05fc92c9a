"""The only place that knows where the API key lies and what it may look like."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from uploader.core.errors import CredentialRefused

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "GEOPERA_API_KEY"
CREDENTIAL = "geopera-api-key"
"""Name of the systemd credential (`LoadCredential=geopera-api-key:/path`)."""

MOST = 4096
"""Bytes that a key file may have: a larger one is the wrong file."""

_PICKED_UP = "The new key is picked up by itself."


def read_key(api_key_file: str, environ: Mapping[str, str]) -> str:
    """The API key: from the configured file, else $GEOPERA_API_KEY, else the systemd credential.

    A place that is named but unusable is an error, never a reason to look at the next one. Raises
    CredentialRefused with the cause and the way out; no text of it holds any part of the key.
    """
    credentials = environ.get("CREDENTIALS_DIRECTORY", "")
    if api_key_file:
        # systemd guards its own folder, with an ACL that shows up as a group's right to read.
        own = not credentials or Path(api_key_file).parent != Path(credentials)
        return check_key(_read(Path(api_key_file), private=own), f"the key file {api_key_file}")
    if environ.get(VARIABLE):
        return check_key(environ[VARIABLE], f"${VARIABLE}")
    if credentials and (path := Path(credentials) / CREDENTIAL).exists():
        return check_key(_read(path, private=False), f"the systemd credential {CREDENTIAL}")
    raise CredentialRefused(
        "There is no API key.",
        f"Write it to a file (chmod 600) and name that as [platform] api_key_file, or set ${VARIABLE}, or let "
        f"systemd load the credential {CREDENTIAL}. {_PICKED_UP}",
    )


def check_key(text: str, where: str) -> str:
    """The key without white space around it, or CredentialRefused: what is wrong with it, not what it is."""
    key = text.strip()
    wrong = ""
    if not key:
        wrong = "is empty"
    elif len(key) > MOST:
        wrong = "is far too long"
    elif any(c.isspace() for c in key):
        wrong = "has white space or a line break inside the key"
    elif not all("!" <= c <= "~" for c in key):
        wrong = "has characters that no key has (control characters, or letters beyond ASCII)"
    elif key[0] in "'\"":
        wrong = "has quotes around the key"
    if wrong:
        raise CredentialRefused(
            f"The API key cannot be used: {where} {wrong}.", f"Put the key there alone. {_PICKED_UP}"
        )
    return key


def _read(path: Path, *, private: bool) -> str:
    """Read a small regular file; `private` refuses one that others than its owner can open."""
    try:
        # Non-blocking, so that a pipe of that name cannot hang the program.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            facts = os.fstat(file.fileno())
            _check_file(path, facts, private=private)
            content = file.read(MOST + 1)
    except OSError as error:
        raise CredentialRefused(
            f"The key file {path} cannot be read: {error.strerror}.",
            f"Make it a file that the daemon's user, and nobody else, can read (chmod 600). {_PICKED_UP}",
        ) from error
    return content.decode("utf-8-sig", "replace")


def _check_file(path: Path, facts: os.stat_result, *, private: bool) -> None:
    if not stat.S_ISREG(facts.st_mode):
        raise CredentialRefused(
            f"The key file {path} is not a regular file.", "Name a file that holds the key."
        )
    if private and facts.st_mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise CredentialRefused(
            f"The key file {path} is open to other users (mode {stat.S_IMODE(facts.st_mode):04o}).",
            f'Run "chmod 600 {path}"; consider the key as known to others, and replace it.',
        )
