"""Schemathesis against a sandbox: `python -m tests.sandbox.fuzz`, after `pip install schemathesis`.

Without `--own` by the published schema (found as `tests.support.seeds` tells), of the operations that the sandbox has;
with it by the sandbox's own document. No answer may be a 5xx, none may break its schema. Exits as schemathesis does.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.support import seeds
from tests.support.walk import walk
from tests.support.wire import Wire
from uploader.sandbox import Options, Sandbox
from uploader.sandbox.openapi import document
from uploader.sandbox.operations import TABLE

CHECKS = "not_a_server_error,response_schema_conformance"


def main() -> int:
    """Start a sandbox with something in it, and let the tool loose on it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--own", action="store_true", help="use the sandbox's own document")
    parser.add_argument("--examples", type=int, default=25, help="how many inputs for each operation")
    parser.add_argument(
        "--phases", default="coverage,fuzzing,stateful", help="what the tool does, see its manual"
    )
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        options = Options(root=root / "root", rate_limit=0, order_rate_limit=0, delivery_after=0.0)
        with Sandbox(options) as box:
            with Wire(box) as wire:
                real = names(wire)
            schema = excerpt(document(box.base_url) if given.own else seeds.published())
            fill(schema, real)
            path = root / "schema.json"
            path.write_text(json.dumps(schema))
            command = [sys.executable, "-m", "schemathesis.cli", "run", str(path), "--url", box.base_url]
            command += ["-H", f"Authorization: Bearer {box.api_key}", "--checks", CHECKS]
            command += [
                "--max-examples",
                str(given.examples),
                "--seed",
                str(given.seed),
                "--generation-database",
                "none",
            ]
            return subprocess.run(command, check=False, cwd=folder).returncode


def names(wire: Wire) -> dict[str, list[str]]:
    """Put something of everything into the sandbox; gives what it is called, by the fields that ask for it."""
    answers = walk(wire, b"not a raster")
    order_id = answers["orders.get"].json()["id"]
    return {
        "project_id": ["p-1"],
        "projectId": ["p-1"],
        "organization_id": ["org-1"],
        "host_name": ["earthsearch-aws", "harbour-archive"],
        "order_id": [order_id],
        "item_id": [wire.upload({"b.tif": b"no raster either"})[1][0]],
        "upload_id": [wire.initiate(1, file_count=9)],
        "collection_id": [answers["collections.get"].json()["collection"]["id"]],
        "target_collection_id": [answers["collections.get"].json()["collection"]["id"]],
    }


def fill(schema: dict[str, Any], real: dict[str, list[str]]) -> None:
    """Narrow the fields that name things to those that exist: made-up names find nothing but 404."""
    for component in schema["components"]["schemas"].values():
        if component.get("title", "").endswith(("Input", "Initiate")):
            for name, field in component.get("properties", {}).items():
                if name in real:
                    field["enum"] = [*real[name], "nothing"]


def excerpt(schema: dict[str, Any]) -> dict[str, Any]:
    """The document with the operations that the sandbox has, each by one of its paths."""
    known = {path: item for path, item in schema["paths"].items() if path.removeprefix("/v1/op/") in TABLE}
    return {**schema, "paths": known}


if __name__ == "__main__":
    sys.exit(main())
