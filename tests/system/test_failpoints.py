"""The list of failpoints is the truth: every one that is passed is listed, and every listed one is passed somewhere."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import uploader
from uploader.system.failpoints import COMMITS, EFFECTS, FAILPOINTS, REPAIR, UPGRADE

pytestmark = pytest.mark.unit


def literals(function: str) -> set[str]:
    """The first arguments of all calls of a function or method of this name in the program."""
    found = set()
    for path in Path(uploader.__file__).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                if name == function and node.args and isinstance(node.args[0], ast.Constant):
                    found.add(node.args[0].value)
    return found


def test_every_effect_is_listed() -> None:
    """A failpoint that is not listed would never be tried."""
    assert literals("failpoint") == {*EFFECTS, *REPAIR, *UPGRADE}


def test_every_commit_is_listed() -> None:
    """Each transaction of the journal has a failpoint on both sides."""
    assert {*literals("_transact"), *literals("transact"), *literals("_change")} - {""} == set(COMMITS)


def test_no_name_stands_twice() -> None:
    """Each name is one place."""
    assert len(set(FAILPOINTS)) == len(FAILPOINTS)
