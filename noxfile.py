"""What a change has to pass: `.venv/bin/nox`, or one session alone with `-s`; `.ci/run` calls these same sessions.

They run in the environment that nox itself is installed in, so that nothing is installed a second time. What stands
after `--` goes to the program of the session: `nox -s tests -- tests/core`.
"""

from __future__ import annotations

import sys

import nox

nox.options.sessions = ["lint", "types", "unit"]
nox.options.error_on_missing_interpreters = True


def run(session: nox.Session, program: str, *arguments: str) -> None:
    """Run a program of this environment."""
    session.run(sys.executable, "-m", program, *arguments, *session.posargs, external=True)


@nox.session(python=False)
def lint(session: nox.Session) -> None:
    """Style: what ruff finds wrong, and whether the code is formatted."""
    run(session, "ruff", "check", ".")
    run(session, "ruff", "format", "--check", ".")


@nox.session(python=False)
def types(session: nox.Session) -> None:
    """Types, strictly."""
    run(session, "mypy", "--strict", "uploader")


@nox.session(python=False)
def unit(session: nox.Session) -> None:
    """The tests that take milliseconds each."""
    run(session, "pytest", "-q", "-m", "unit")


@nox.session(python=False)
def tests(session: nox.Session) -> None:
    """All tests; what needs root or a kernel's feature says why it was skipped."""
    run(session, "pytest")
