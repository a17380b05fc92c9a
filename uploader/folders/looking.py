"""A look at files that settle: how they lie there, and where they seem untouched, whether they are whole. Blocking."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from uploader.core.model import Sighting
from uploader.core.settle_rules import Checked, state_of
from uploader.folders import FolderSpec, LookProblem, extent, fault_of_folder, held_by_writer, look_all


@dataclass(frozen=True, slots=True)
class Look:
    """What a look at a path brought; all empty where nothing lies there. `checked` only where it is as it was."""

    path: bytes
    sighting: Sighting | None = None
    checked: Checked | None = None
    trouble: str = ""
    """Why the file could not be looked at."""
    fault: str = ""
    """Why that is the fault of its folder; empty where it is not."""


def look_closely(
    spec: FolderSpec, wanted: Mapping[bytes, int | None], faults: Mapping[bytes, str], stop: threading.Event
) -> list[Look]:
    """Look at paths, each with its state at the last look. `faults` are the parts that are known to be at fault."""
    return list(_looks(spec, wanted, dict(faults), stop))


def _looks(
    spec: FolderSpec, wanted: Mapping[bytes, int | None], faults: dict[bytes, str], stop: threading.Event
) -> Iterator[Look]:
    for path, found in look_all(spec, sorted(wanted), stop):
        look = _look(spec, path, found, wanted[path])
        if not look.trouble:
            yield look
            continue
        directory = path.rpartition(b"/")[0]
        if directory not in faults:
            faults[directory] = fault_of_folder(spec, path)
        yield replace(look, fault=faults[directory])


def _look(spec: FolderSpec, path: bytes, found: Sighting | LookProblem | None, state: int | None) -> Look:
    if isinstance(found, LookProblem):
        return Look(path, trouble=found.reason)
    if found is None or state_of(found) != state:
        return Look(path, found)
    full = spec.root + b"/" + path
    try:
        return Look(path, found, Checked(held_by_writer(full), extent(full)))
    except OSError as error:
        return Look(path, trouble=error.strerror or str(error))
