"""Diagrams of the two machines for the documents, drawn from the tables themselves.

python -m tests.support.diagrams     # rewrites the diagrams in docs/design.md
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from uploader.core.lifecycle import FILE_ARROWS, SESSION_ARROWS

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "design.md"
TABLES: dict[str, Mapping[StrEnum, Mapping[StrEnum, StrEnum]]] = {
    "file": FILE_ARROWS,
    "session": SESSION_ARROWS,
}


def diagram(arrows: Mapping[StrEnum, Mapping[StrEnum, StrEnum]]) -> str:
    """One machine as a mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {next(iter(arrows))}"]
    for state, row in arrows.items():
        lines += [f"    {state} --> {target}: {event}" for event, target in row.items()]
        if not row:
            lines.append(f"    {state} --> [*]")
    return "\n".join(lines)


def rendered(text: str) -> str:
    """The document with its diagrams as the tables have them."""
    for name, arrows in TABLES.items():
        block = f"<!-- {name} machine -->\n```mermaid\n{diagram(arrows)}\n```\n<!-- end -->"
        text = re.sub(rf"<!-- {name} machine -->.*?<!-- end -->", lambda _, b=block: b, text, flags=re.DOTALL)
    return text


if __name__ == "__main__":
    DOCUMENT.write_text(rendered(DOCUMENT.read_text()))
