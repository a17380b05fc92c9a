"""Tests of the keys that decisions read: one name from the file to its use, one default."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

import uploader
from uploader.config import Folder, Settings
from uploader.convert import Job
from uploader.core import configuration
from uploader.core.configuration import Settings as Read

pytestmark = pytest.mark.unit

PACKAGE = Path(uploader.__file__).parent

SECTIONS = {
    name: type(getattr(Settings(), name))
    for name in Settings.model_fields
    if isinstance(getattr(Settings(), name), BaseModel)
}
"""By name of the section: what reads it."""

OTHER_MEANINGS = {
    ("convert/job.py", "Job"): "has the defaults that the sections take over, as another test holds",
    ("python/push.py", "push"): "has the default of the section, as another test holds",
    ("python/push.py", "push_async"): "likewise",
    ("cli/samples.py", "_write"): "the reference system of a sample",
    ("convert/pyramid/overview_writer.py", "Pyramid"): "the order of bytes",
    (
        "convert/engine/cluster/worker_check.py",
        "ClusterFinding",
    ): "the workers of a cluster, not their number",
    ("core/working_set.py", "Delta"): "scenes as rows, and not the rules for them",
    ("core/transitions/change.py", "Change"): "likewise",
    ("journal/deltas.py", "Touched"): "likewise",
    ("folders/tiff_extent.py", "_File"): "the order of bytes",
    ("cli/common.py", "set_up_logs"): "the level of a log",
    ("convert/engine/started_process.py", "receive"): "the bytes that are read from a pipe at once",
    ("report/logs.py", "set_up"): "the level of a log",
}
"""Who has a default for something that is called like a key."""


def members(protocol: type) -> list[str]:
    """What a protocol asks for."""
    return [name for name, value in vars(protocol).items() if isinstance(value, property)]


@pytest.mark.parametrize("section", members(Read))
def test_decisions_read_keys_by_their_names(section: str) -> None:
    """Each key that a plan may read is a key of the section in the file, under the same name."""
    protocol = getattr(configuration, f"{section.capitalize()}Settings")

    assert members(protocol)
    assert set(members(protocol)) <= set(SECTIONS[section].model_fields)


def test_decisions_read_folders_by_their_names() -> None:
    """The same of drop folders."""
    assert set(members(configuration.Folder)) <= set(Folder.model_fields)


def test_a_conversion_has_the_defaults_of_the_configuration() -> None:
    """Whoever converts without a configuration gets what a configuration that says nothing means."""
    keys: dict[str, Any] = {}
    for section in (Folder, SECTIONS["convert"], SECTIONS["limits"]):
        keys |= {name: field.default for name, field in section.model_fields.items()}
    job = {field.name: field.default for field in fields(Job) if field.default is not MISSING}
    shared = {name: default for name, default in job.items() if name in keys}

    assert len(shared) >= 12
    assert shared == {name: keys[name] for name in shared}
    assert set(_defaults_of_sections()) & set(shared) == set()


def test_each_default_stands_once() -> None:
    """Nobody but the sections has a default for what is called like a key."""
    found = {
        (str(path.relative_to(PACKAGE)), owner, name)
        for path in PACKAGE.rglob("*.py")
        if not path.is_relative_to(PACKAGE / "config") and not path.is_relative_to(PACKAGE / "sandbox")
        for owner, name in _defaults(ast.parse(path.read_text(encoding="utf-8")))
        if name in KEYS
    }

    assert {one for one in found if one[:2] not in OTHER_MEANINGS} == set()


KEYS = {key for section in (Folder, *SECTIONS.values()) for key in section.model_fields}


def _defaults(tree: ast.AST) -> Iterator[tuple[str, str]]:
    """Fields of classes and parameters of functions that have a default which is a value of its own."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            for line in node.body:
                if (
                    isinstance(line, ast.AnnAssign)
                    and isinstance(line.target, ast.Name)
                    and _says(line.value)
                ):
                    yield node.name, line.target.id
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            given = node.args
            positional = [*given.posonlyargs, *given.args]
            pairs = [
                *zip(positional[len(positional) - len(given.defaults) :], given.defaults, strict=True),
                *zip(given.kwonlyargs, given.kw_defaults, strict=True),
            ]
            yield from ((node.name, argument.arg) for argument, value in pairs if _says(value))


def _says(value: ast.expr | None) -> bool:
    """Whether a default says something; empty ones say that nothing was said."""
    if value is None:
        return False
    return not (isinstance(value, ast.Constant) and not value.value) and not (
        isinstance(value, ast.Tuple) and not value.elts
    )


def _defaults_of_sections() -> Iterator[str]:
    """The keys whose default is written in the sections themselves, and not taken from a conversion's job."""
    tree = ast.parse((PACKAGE / "config/sections.py").read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and node.value is not None:
            taken = isinstance(node.value, ast.Attribute) and ast.unparse(node.value).startswith("JOB.")
            if not taken and node.target.id in KEYS:
                yield node.target.id
