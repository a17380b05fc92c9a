"""Questions come in by stdin, answers go out, one JSON object a line; see `painting.Painters` for the other end.

A hostile raster can crash or stall this process only. `do` names the task, `path` and `driver` the raster; what
else a question carries are the arguments of the task.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import signal
import sys
import warnings
from typing import Any

MEMORY = 4 << 30
PATIENCE = 300
"""Seconds for one question, by an alarm: a child that hangs must end even when its parent is gone."""
GENTLE = 10
MOST_BANDS = 4096
TASKS = {
    "tile": "pictures",
    "preview": "pictures",
    "terrain": "pictures",
    "describe": "figures",
    "statistics": "figures",
    "clip": "products",
    "index": "products",
}
"""Each task and the module of its function, which is imported with its first question."""


def main() -> None:
    """Serve until stdin ends. stdout is moved away from what libraries may print to."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(GENTLE)
    warnings.simplefilter("ignore")
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        signal.alarm(PATIENCE)
        try:
            found = perform(**json.loads(line))
        except Exception as error:  # noqa: BLE001  whatever a raster raises is its answer
            found = {"error": f"{type(error).__name__}: {error}"[:500]}
        signal.alarm(0)
        print(json.dumps(found, allow_nan=False), file=answers, flush=True)


def perform(do: str, path: str = "", driver: str = "", **given: Any) -> dict[str, Any]:
    """Open the raster and do one task with it; `hello` only imports what the tasks will need.

    A TIFF can name another file as its overviews; such a one is refused before any overview is asked for.
    """
    if do == "hello":
        return {name: importlib.import_module(name).__doc__ for name in sorted(set(TASKS.values()))}
    import rasterio  # noqa: PLC0415  late, as the package says

    with rasterio.open(path, driver=driver) as raster:
        if raster.count > MOST_BANDS:
            raise ValueError(f"{raster.count} bands")
        if "OVERVIEW_FILE" in raster.tags(ns="OVERVIEWS"):
            raise ValueError("its overviews lie in another file")
        found: dict[str, Any] = getattr(importlib.import_module(TASKS[do]), do)(raster, **given)
        return found


if __name__ == "__main__":
    main()
