"""`uploader init`: the first configuration and its key, written to where they belong, and checked."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from uploader.cli.common import console, say
from uploader.cli.service_key import of_the_service
from uploader.core.errors import ConfigurationError, UploaderError

if TYPE_CHECKING:
    from rich.console import Console

    from uploader.config.first_file import Answers
    from uploader.service.steps import InstallStep


@click.command("init")
@click.option(
    "-c",
    "--config",
    metavar="FILE",
    help="Where to write it; else /etc/uploader/config.toml as root, ~/.config/uploader/config.toml as anybody else.",
)
@click.option("--project", metavar="ID", help="The project that the rasters go to; else it is asked for.")
@click.option("--folder", metavar="DIR", help="The drop folder; else it is asked for.")
@click.option("--archive", metavar="DIR", help="Move uploaded sources there; without it they stay.")
@click.option(
    "--base-url", metavar="URL", default="", help="The platform, if it is not https://api.geopera.com."
)
@click.option(
    "--key-file",
    metavar="FILE",
    help="Take the API key from this file; else from $GEOPERA_API_KEY, else it is asked for, unseen.",
)
@click.option(
    "--replace", is_flag=True, help="Put an existing configuration aside as FILE.old, and write a new one."
)
@click.option("--dry-run", is_flag=True, help="Print what would be done, as lines for a shell; do nothing.")
def command(
    *,
    config: str | None,
    project: str | None,
    folder: str | None,
    archive: str | None,
    base_url: str,
    key_file: str | None,
    replace: bool,
    dry_run: bool,
) -> int:
    """Write a first configuration and the key beside it, and check both.

    Asks for what no option says. What is there already is never replaced unasked; run again, it does only what is
    still missing. The code is that of `uploader check`.
    """
    screen = console()
    path = _place(config)
    if path.exists() and not (project or folder or archive or base_url or replace):
        say(screen, f"{path} exists already, and stays as it is.")
        return _check(path, screen)
    from uploader.config.first_file import Answers

    system = of_the_service(path)
    answers = Answers(
        folder=_absolute(folder or _asked("Drop folder", "--folder", "/srv/drop" if system else "~/drop")),
        project_id=project or _asked("Project id", "--project"),
        archive_dir=_absolute(archive) if archive else None,
        base_url=base_url,
        state_dir=None if system else _state_dir(),
        api_key_file=None if system else path.parent / "api-key",
    )
    steps = list(_steps(path, answers, key_file, replace=replace, dry_run=dry_run))
    from uploader.cli.step_runner import run_steps

    run_steps(steps, screen, dry_run=dry_run)
    return 0 if dry_run else _check(path, screen)


def _asked(question: str, option: str, default: str | None = None) -> str:
    """What a person answers. Raises UploaderError where there is nobody, as in a script."""
    try:
        return str(click.prompt(question, default=default))
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise UploaderError(f"There is nobody to ask for: {question}.", f"Say {option}.") from None


def _steps(
    path: Path, answers: Answers, key_file: str | None, *, replace: bool, dry_run: bool
) -> list[InstallStep]:
    """What is to be done. Raises UploaderError where another configuration lies there, or there is no key."""
    from uploader.config.first_file import first_file
    from uploader.service.steps import MakeFolder, RunCommand, WriteFile
    from uploader.service.unit_files import KEY

    text = first_file(answers)
    steps: list[InstallStep] = [
        MakeFolder(each, 0o755) for each in (answers.folder, answers.archive_dir) if each
    ]
    if path.exists() and path.read_text(encoding="utf-8", errors="replace") != text:
        if not replace:
            raise UploaderError(
                f"{path} exists already and says something else.",
                "Edit it, or say --replace, which keeps the old one as .old.",
            )
        steps.append(RunCommand(("cp", "-p", str(path), f"{path}.old"), lambda _: True))
    if of_the_service(path):
        steps.append(MakeFolder(path.parent, 0o755))  # the service's user reads the configuration there
    steps.append(WriteFile(path, text, 0o644))
    own = answers.api_key_file or KEY
    key = "" if dry_run else _key(key_file, own)
    if key or dry_run:
        steps.append(WriteFile(own, key, 0o600, secret=True))
    return steps


def _key(key_file: str | None, own: Path) -> str:
    """The key, checked for its form. Empty where one lies at its place already and no other is given."""
    from uploader.platform.geopera.key_file import VARIABLE, check_key
    from uploader.system.files import words

    if key_file:
        try:
            return check_key(Path(key_file).read_text(encoding="utf-8"), f"the key file {key_file}") + "\n"
        except (OSError, UnicodeDecodeError) as error:
            why = words(error) if isinstance(error, OSError) else "it is not text"
            raise UploaderError(f"The key file {key_file} cannot be read: {why}.", "Name another.") from None
    if os.environ.get(VARIABLE):
        return check_key(os.environ[VARIABLE], f"${VARIABLE}") + "\n"
    if own.exists():
        return ""
    if not sys.stdin.isatty():
        raise UploaderError("There is no API key.", f"Say --key-file FILE, or set ${VARIABLE}.")
    return check_key(click.prompt("API key (it is not shown)", hide_input=True), "what was typed") + "\n"


def _check(path: Path, screen: Console) -> int:
    """Look whether all is well, with the key that the service will be given."""
    from uploader.cli.check import examine
    from uploader.config import load
    from uploader.service.unit_files import KEY

    try:
        chosen = load(path)
    except ConfigurationError:
        return examine(str(path))
    own = chosen.platform.api_key_file or (KEY if of_the_service(path) and KEY.exists() else None)
    platform = chosen.platform.model_copy(update={"api_key_file": own})
    code = examine(str(path), chosen.model_copy(update={"platform": platform}))
    if of_the_service(path):
        following = f"sudo uploader install-service -c {path}"
        say(screen, f"Next: {following}", "bold")
    elif code == 0:
        say(screen, f"Next: uploader run -c {path}", "bold")
    return code


def _place(config: str | None) -> Path:
    from uploader.config.locations import SYSTEM_FILE

    named = config or os.environ.get("UPLOADER_CONFIG")
    if named:
        return _absolute(named)
    home = Path(os.environ.get("XDG_CONFIG_HOME") or Path("~/.config").expanduser())
    return SYSTEM_FILE if os.geteuid() == 0 else home / "uploader" / "config.toml"


def _state_dir() -> Path:
    home = Path(os.environ.get("XDG_STATE_HOME") or Path("~/.local/state").expanduser())
    return home / "uploader"


def _absolute(text: str) -> Path:
    return Path(text).expanduser().absolute()
