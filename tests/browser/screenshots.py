"""Makes the pictures of docs/dashboard.md anew: `python -m tests.browser.screenshots [FOLDER]`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.browser.driving import browser, enter, served
from tests.browser.scenes import SCENES

DOCS = Path(__file__).parents[2] / "docs" / "dashboard"

DESK = {"viewport": {"width": 1200, "height": 900}, "color_scheme": "light"}
PHONE = {
    "viewport": {"width": 390, "height": 844},
    "color_scheme": "light",
    "is_mobile": True,
    "has_touch": True,
}

PICTURES: dict[str, tuple[str, dict[str, Any]]] = {
    **{name: (name, DESK) for name in SCENES},
    "phone": ("busy", PHONE),
    "dark": ("busy", {**DESK, "color_scheme": "dark"}),
}
"""By name: the scene, and what it is looked at with."""


def photograph(name: str, folder: Path) -> Path:
    """Write one picture."""
    scene, options = PICTURES[name]
    target = folder / f"{name}.png"
    with tempfile.TemporaryDirectory() as root:
        acted = SCENES[scene](Path(root, "state"))
        with served(acted) as address, browser(Path(root, "profile"), **options) as context:
            page = context.new_page()
            enter(page, address, acted)
            page.evaluate("Promise.all([...document.images].map((image) => image.decode()))")
            page.screenshot(path=str(target), full_page=True)
    return target


def main(folder: Path) -> None:
    """Write all of them."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in PICTURES:
        print(photograph(name, folder))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else DOCS)
