"""Where the key lies, in which order it is looked for, and what is refused."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from uploader.core.errors import CredentialRefused
from uploader.platform.geopera.key_file import check_key, read_key

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.unit


def write(path: Path, content: bytes, mode: int = 0o600) -> str:
    """A file with exactly this mode."""
    path.write_bytes(content)
    path.chmod(mode)
    return str(path)


def test_the_file_wins_over_the_environment_over_systemd(tmp_path: Path) -> None:
    """The three places are looked at in the documented order."""
    file = write(tmp_path / "key", b"from-file\n")
    write(tmp_path / "geopera-api-key", b"from-systemd")
    environ = {"GEOPERA_API_KEY": "from-env", "CREDENTIALS_DIRECTORY": str(tmp_path)}

    assert read_key(file, environ) == "from-file"
    assert read_key("", environ) == "from-env"
    assert read_key("", {"CREDENTIALS_DIRECTORY": str(tmp_path)}) == "from-systemd"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620])
def test_a_file_open_to_others_is_refused(tmp_path: Path, mode: int) -> None:
    """A key that others can read or write is refused with the command that mends it."""
    file = write(tmp_path / "key", b"s3cret", mode)

    with pytest.raises(CredentialRefused, match="chmod 600") as caught:
        read_key(file, {"GEOPERA_API_KEY": "other"})

    assert "s3cret" not in str(caught.value)


def test_systemd_guards_its_own_folder(tmp_path: Path) -> None:
    """A credential of systemd may look group-readable (an ACL), also when named as the key file."""
    file = write(tmp_path / "geopera-api-key", b"k", 0o440)
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}

    assert read_key("", environ) == read_key(file, environ) == "k"


def test_a_missing_file_is_not_passed_over(tmp_path: Path) -> None:
    """A configured file that is missing is an error that names it, whatever the environment holds."""
    with pytest.raises(CredentialRefused, match="nowhere"):
        read_key(str(tmp_path / "nowhere"), {"GEOPERA_API_KEY": "other"})


def test_no_key_at_all_names_the_three_ways() -> None:
    """Without any key the message says where one may be put."""
    with pytest.raises(CredentialRefused, match=r"api_key_file.*GEOPERA_API_KEY.*geopera-api-key"):
        read_key("", {})


def test_a_pipe_does_not_hang(tmp_path: Path) -> None:
    """What is not a regular file is refused at once."""
    os.mkfifo(tmp_path / "key", 0o600)

    with pytest.raises(CredentialRefused, match="regular file"):
        read_key(str(tmp_path / "key"), {})


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "empty"),
        (" \n", "empty"),
        ("can ary", "white space"),
        ("canary\ncanary", "line break"),
        ("can\x00ary", "control"),
        ("can\x7fary", "control"),
        ("canäry", "ASCII"),
        ("canary" * 1000, "too long"),
        ('"canary"', "quotes"),
        ("'canary'", "quotes"),
    ],
)
def test_what_cannot_be_a_key_is_named_but_not_shown(text: str, cause: str) -> None:
    """The message says what is wrong with the key, and never holds a part of it."""
    with pytest.raises(CredentialRefused, match=cause) as caught:
        check_key(text, "here")

    assert "can" not in str(caught.value).replace("cannot", "")


def test_white_space_around_a_key_is_not_part_of_it(tmp_path: Path) -> None:
    """A line end, a byte order mark and spaces around the key are dropped."""
    assert read_key(write(tmp_path / "key", b"\xef\xbb\xbf  gpra_x\r\n"), {}) == "gpra_x"
