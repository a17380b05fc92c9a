"""The documents tell what the code does, and what they name exists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.util import find_spec
from itertools import chain
from pathlib import Path

import click
import pytest

import uploader
from tests.support.diagrams import DOCUMENT, TABLES, rendered
from tests.support.receipts import COLUMNS
from uploader.cli import COMMANDS, app
from uploader.config import Settings
from uploader.core.lifecycle import FileEvent, SessionEvent
from uploader.core.model import FileState, Scope, SessionState
from uploader.core.receipt_document import document
from uploader.lookahead.sums import PlanSums

pytestmark = pytest.mark.unit

ROOT = Path(__file__).parents[1]
PACKAGE, TESTS = Path(uploader.__file__).parent, ROOT / "tests"
DOCUMENTS = sorted((*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")))
CURRENT = [path for path in DOCUMENTS if path.name != "CHANGELOG.md"]
"""Those that tell of today; the changelog also names what is gone."""

TERM = re.compile(r"^- \*\*([^*]+)\*\*(?: \(([a-z, ]+)\))?: ([A-Z`](?:(?!\. ).)*\.)$", re.MULTILINE)
"""A line of the glossary: the term, what kind of term in the tables it is, and one sentence."""

KINDS = {
    "state": {*FileState, *SessionState},
    "event": {*FileEvent, *SessionEvent},
    "scope": {*Scope},
}

ELSEWHERE = {"staging/aside": "a folder of the state directory"}
"""What looks like a path of the repository and is none."""


FOREIGN = {"--now", "--protocol", "--nworkers", "--tls-ca-file", "--tls-cert", "--tls-key"}
"""Options of other programs: systemctl, dask."""


def text_of(path: Path) -> str:
    """A document without what is between the lines of a diagram."""
    return re.sub(r"```mermaid.*?```", "", path.read_text(), flags=re.DOTALL)


def spans(path: Path) -> Iterator[str]:
    """What stands between backticks or in an indented block: names, commands, paths."""
    text = text_of(path)
    yield from re.findall(r"`([^`\n]+)`", text)
    yield from re.findall(r"^    (\S.*)$", text, re.MULTILINE)


def command(name: str) -> click.Command:
    """A command of the program."""
    found = app.get_command(click.Context(app), name)
    assert found is not None
    return found


def options_of(command: click.Command) -> set[str]:
    """The options of a command, both ways of a switch."""
    return set(chain.from_iterable((*one.opts, *one.secondary_opts) for one in command.params)) | {"--help"}


def resolves(name: str) -> bool:
    """Whether a path of the repository, or one below the package, is there; a name alone may lie anywhere."""
    plain = name.rstrip("/")
    if "/" not in plain:
        return plain == PACKAGE.name or any(chain(PACKAGE.rglob(plain), TESTS.rglob(plain), ROOT.glob(plain)))
    places = (base / plain for base in (ROOT, PACKAGE, PACKAGE.parent))
    return any(place.exists() or place.with_suffix(".py").exists() for place in places)


def test_the_diagrams_are_those_of_the_tables() -> None:
    """Run `python -m tests.support.diagrams` after a change of the tables."""
    text = DOCUMENT.read_text()

    assert text.count("```mermaid") == len(TABLES)
    assert rendered(text) == text


def test_the_glossary_has_each_term_once_in_one_sentence() -> None:
    """In the order of the alphabet, each with a sentence that ends."""
    text = (ROOT / "docs/glossary.md").read_text()
    terms = [term for term, _, _ in TERM.findall(text)]

    assert len(terms) == text.count("\n- ")
    assert terms == sorted(set(terms), key=lambda term: term.lower().replace("_", " "))


@pytest.mark.parametrize("kind", KINDS)
def test_the_glossary_has_every_term_of_the_tables(kind: str) -> None:
    """States, events and scopes are called there what they are, and nothing else is."""
    found = TERM.findall((ROOT / "docs/glossary.md").read_text())

    assert {term for term, kinds, _ in found if kind in kinds.split(", ")} == KINDS[kind]


@pytest.mark.parametrize("page", ["design", "operations"])
def test_every_scope_is_told_of(page: str) -> None:
    """Why it came about, and what to do."""
    rows = re.findall(r"^\| (`[a-z`, ]+`) \|", (ROOT / f"docs/{page}.md").read_text(), re.MULTILINE)

    assert {name for row in rows for name in re.findall("[a-z]+", row)} >= set(Scope)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_somewhere(path: Path) -> None:
    """Relative links only: what is on the net is not ours."""
    targets = re.findall(r"\]\(([^)#:]+)\)", path.read_text())

    assert [target for target in targets if not (path.parent / target).exists()] == []


@pytest.mark.parametrize("path", CURRENT, ids=lambda path: path.name)
def test_every_command_has_the_options_that_are_named(path: Path) -> None:
    """A command or an option that was renamed is renamed everywhere."""
    wrong = []
    for span in spans(path):
        for name, rest in re.findall(r"(?:^|[/ ;])uploader ([a-z][a-z-]*)((?: [^;&|]*)?)", span):
            if name not in COMMANDS:
                wrong.append(f"uploader {name}")
                continue
            known = options_of(command(name))
            wrong += [
                f"uploader {name} {one}" for one in re.findall(r"--[a-z][a-z-]*", rest) if one not in known
            ]

    assert wrong == []


@pytest.mark.parametrize("path", CURRENT, ids=lambda path: path.name)
def test_every_option_that_is_named_alone_exists(path: Path) -> None:
    """It belongs to some command, or to a program of the tests or benchmarks."""
    ours = {one for name in COMMANDS for one in options_of(command(name))} | options_of(app)
    modules = (*TESTS.rglob("*.py"), *(ROOT / "benchmarks").glob("*.py"))
    programs = {one for module in modules for one in re.findall(r'"(--[a-z-]+)"', module.read_text())}
    named = {
        one for span in spans(path) for one in re.findall(r"^--[a-z][a-z-]*|(?<=[ |]|\[)--[a-z][a-z-]*", span)
    }

    assert named - ours - programs - FOREIGN == set()


@pytest.mark.parametrize("path", CURRENT, ids=lambda path: path.name)
def test_every_module_and_file_that_is_named_exists(path: Path) -> None:
    """Those of this repository, by their path or by their dotted name."""
    rooms = {one.name for one in PACKAGE.iterdir() if one.is_dir()} | {
        "uploader",
        "tests",
        "docs",
        "benchmarks",
        ".ci",
    }
    wrong = []
    for span in spans(path):
        modules = re.findall(r"python3? -m ((?:tests|uploader|benchmarks)[\w.]*)", span)
        wrong += [name for name in modules if find_spec(name) is None]
        if not re.fullmatch(r"[\w./-]+", span):
            continue
        ours = (span.split("/")[0] in rooms and "/" in span) or re.fullmatch(r"[a-z_0-9]+\.py", span)
        if ours and span not in ELSEWHERE and not resolves(span):
            wrong.append(span)

    assert wrong == []


def test_the_packages_of_the_design_have_the_modules_that_are_named() -> None:
    """Each row of the table of packages: what it names in its package is there."""
    rows = re.findall(r"^\| ((?:`[a-z]+/`(?:, )?)+) \| (.*) \|$", DOCUMENT.read_text(), re.MULTILINE)
    wrong = []
    for rooms, told in rows:
        places = [PACKAGE / room for room in re.findall(r"`([a-z]+)/`", rooms)]
        wrong += [
            f"{rooms}: {name}"
            for name in re.findall(r"`([a-z_]+)/?`", told)
            if not any((*place.rglob(name), *place.rglob(f"{name}.py")) for place in places)
        ]

    assert len(rows) > 10
    assert wrong == []


def test_what_contributors_are_told_of_is_in_the_code() -> None:
    """Functions, classes and sessions that CONTRIBUTING.md names."""
    sources = (*PACKAGE.rglob("*.py"), *TESTS.rglob("*.py"), ROOT / "noxfile.py", ROOT / "pyproject.toml")
    words = {word for source in sources for word in re.findall(r"\w+", source.read_text())}
    named = {
        word
        for span in re.findall(r"`([^`\n]+)`", (ROOT / "CONTRIBUTING.md").read_text())
        if re.fullmatch(r"[A-Za-z_]\w*(\(.*\))?", span)
        for word in re.findall(r"[A-Za-z_]\w*", span)
    }

    assert len(named) > 15
    assert named - words - {"max_pixels"} == set()


def test_each_field_of_a_receipt_is_told() -> None:
    """In the table of docs/receipts.md, which people read who keep receipts for ever."""
    table = re.findall(r"^\|(.*?)\|", (ROOT / "docs" / "receipts.md").read_text(), re.MULTILINE)
    told = {name for cell in table for name in re.findall(r"`(\w+)`", cell)}

    assert document(COLUMNS).keys() - told == set()


def test_each_sum_of_a_plan_is_told() -> None:
    """In docs/plan.md, for programs that read what `uploader plan --json` prints."""
    told = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "plan.md").read_text()))

    assert PlanSums(Settings()).to_json().keys() - told == set()


def test_the_sessions_that_are_named_exist() -> None:
    """`.ci/run` and CONTRIBUTING.md call only sessions that `noxfile.py` has."""
    sessions = set(
        re.findall(r"^@nox\.session.*\ndef (\w+)", (ROOT / "noxfile.py").read_text(), re.MULTILINE)
    )
    called = re.findall(
        r'(?:nox\[@\]\}"|nox -s) ((?:\w+ ?)+)',
        (ROOT / ".ci/run").read_text() + (ROOT / "CONTRIBUTING.md").read_text(),
    )

    assert sessions == {"lint", "types", "unit", "tests"}
    assert {name for names in called for name in names.split()} == sessions
