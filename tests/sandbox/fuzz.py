"""Schemathesis against a sandbox: `python -m tests.sandbox.fuzz`, after `pip install schemathesis`.

Without `--own` by the published schema (found as `tests.support.seeds` tells), with it by the sandbox's own document,
first what is POSTed, then the reads by GET: these without the phase `coverage`, whose thousands of combinations of
parameters only try the same validation again. No answer may be a 5xx, none may break its schema. Exits as
schemathesis does.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.support import seeds
from tests.support.walk import raster, walk
from tests.support.wire import Wire
from uploader.sandbox import Options, Sandbox
from uploader.sandbox.openapi import document

CHECKS = "not_a_server_error,response_schema_conformance"


SPARE = 20
"""How many things there are of what the tool may end: it deletes and fails whatever it finds."""
ENDING = ("delete", "fail", "complete")
"""Parts of the names of inputs that end something."""


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
        options = Options(root=Path(folder) / "root", rate_limit=0, order_rate_limit=0, delivery_after=0.0)
        with Sandbox(options) as box:
            with Wire(box) as wire:
                real, spare = names(wire), spares(wire)
            schema = document(box.base_url) if given.own else seeds.published()
            fill(schema, real, spare)
            runs = [("post", given.phases)] + [("get", "fuzzing")] * given.own
            return max(loose(box, excerpt(schema, method), phases, given) for method, phases in runs)


def loose(box: Sandbox, schema: dict[str, Any], phases: str, given: argparse.Namespace) -> int:
    """Run the tool once."""
    path = box.options.root.parent / "schema.json"
    path.write_text(json.dumps(schema))
    command = [sys.executable, "-m", "schemathesis.cli", "run", str(path), "--url", box.base_url]
    command += ["-H", f"Authorization: Bearer {box.api_key}", "--checks", CHECKS, "--phases", phases]
    command += ["--max-examples", str(given.examples), "--seed", str(given.seed)]
    command += ["--request-timeout", "120"]  # a busy machine is no breach
    begin = time.monotonic()
    code = subprocess.run(
        [*command, "--generation-database", "none"], check=False, cwd=path.parent
    ).returncode
    print(  # noqa: T201  a command's own output
        f"{len(schema['paths'])} paths, {phases}: exit {code} after {time.monotonic() - begin:.0f} s",
        flush=True,
    )
    return code


def names(wire: Wire) -> dict[str, list[str]]:
    """Put something of everything into the sandbox; gives what it is called, by the fields that ask for it."""
    answers = walk(wire)
    collection = answers["collections.get"].json()["collection"]["id"]
    (item_id,) = wire.upload({"b.tif": raster("red", "nir")})[1]
    url = wire.ok("items.list_assets", item_id=item_id)["assets"][0]["href"]
    return {
        "project_id": ["p-1"],
        "projectId": ["p-1"],
        "organization_id": ["org-1"],
        "host_name": ["earthsearch-aws", "harbour-archive"],
        "order_id": [answers["orders.get"].json()["id"]],
        "item_id": [item_id, wire.upload({"c.tif": b"no raster"})[1][0]],
        "upload_id": [wire.initiate(1, file_count=9)],
        "collection_id": [collection],
        "target_collection_id": [collection],
        "url": [url],
        "cog_url": [url],
    }


def spares(wire: Wire) -> dict[str, list[str]]:
    """Things that may be ended: items, and sessions that are half done and whole."""
    whole = [wire.initiate(1) for _ in range(SPARE)]
    for upload_id in whole:
        wire.store(upload_id, "a.bin", b"x")
    files = {f"{number}.bin": b"x" for number in range(SPARE)}
    return {"item_id": wire.upload(files)[1], "upload_id": whole + [wire.initiate(1) for _ in range(SPARE)]}


def fill(schema: dict[str, Any], real: dict[str, list[str]], spare: dict[str, list[str]]) -> None:
    """Narrow the fields that name things to those that exist: made-up names find nothing but 404."""
    for name, component in schema["components"]["schemas"].items():
        if name.endswith(("Input", "Initiate")):
            ends = any(word in name.lower() for word in ENDING)
            _narrow(component.get("properties", {}), {**real, **spare} if ends else real)
    for item in schema["paths"].values():
        for call in item.values():
            _narrow({one["name"]: one.get("schema", {}) for one in call.get("parameters", ())}, real)


def _narrow(fields: dict[str, dict[str, Any]], real: dict[str, list[str]]) -> None:
    for name, field in fields.items():
        if name in real:
            field["enum"] = [*real[name], "nothing"]


def excerpt(schema: dict[str, Any], method: str) -> dict[str, Any]:
    """The document with one of the methods, each operation by one of its paths."""
    found = {
        path: {method: item[method]}
        for path, item in schema["paths"].items()
        if path.startswith("/v1/op/") and method in item
    }
    return {**schema, "paths": found}


if __name__ == "__main__":
    sys.exit(main())
