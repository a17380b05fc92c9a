"""The shape of the sandbox's own code: its modules import each other in one direction."""

from __future__ import annotations

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import uploader

if TYPE_CHECKING:
    from collections.abc import Collection

pytestmark = pytest.mark.unit

ROOT = Path(uploader.__file__).parent


def test_no_module_of_the_sandbox_imports_in_a_circle() -> None:
    """Also not for types alone: who reads one module need not hold another in mind that needs the first."""
    texts = {_name(path): path.read_text() for path in (ROOT / "sandbox").rglob("*.py")}
    graph = {module: _imports(text, texts.keys()) - {module} for module, text in texts.items()}

    assert len(graph) > 50
    try:
        list(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" → ".join(error.args[1]))


def _name(path: Path) -> str:
    return ".".join(("uploader", *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")


def _imports(text: str, known: Collection[str]) -> set[str]:
    """The modules among the known ones that a text imports; of `from package import module` the module."""
    found = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom) and node.module:
            whole = {f"{node.module}.{one.name}" for one in node.names}
            found |= {one if one in known else node.module for one in whole}
    return found & set(known)
