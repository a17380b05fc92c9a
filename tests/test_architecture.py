"""The arrows and the doors: who may import whom, and which library has which door."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Collection
from functools import cache
from pathlib import Path

import pytest

import uploader
from uploader.core.model import FileState, SessionState

pytestmark = pytest.mark.unit

PACKAGE = Path(uploader.__file__).parent

LEVELS = (
    {"core"},
    {"system"},
    {"activity", "net", "convert", "journal"},
    {"platform", "config", "staging", "thumbnails", "disposal"},
    {"folders", "effects", "report", "service"},
    {"daemon"},
    {"repair", "lookahead"},
    {"python"},
    {"cli"},
    {"start"},
    {"", "__main__"},
)
"""The rooms from the ground up: each imports only from levels below its own."""

CONVERT_LEVELS = (
    {"quicklook", "isolation", "tiff"},
    {"job", "archive_job"},
    {"read"},
    {"pyramid"},
    {"write", "pictures"},
    {"perform", "archives"},
    {"engine"},
)
"""The same within `uploader.convert`; what has no level is `uploader.convert` itself, above them all."""

LEVELS_WITHIN = {
    "journal": (
        # the database as a file: how it is opened, kept and brought up to date
        {
            "sqlite_library",
            "connection",
            "whole_files",
            "high_water_mark",
            "content_hashes",
            "schema",
            "scene_tables",
            "schema_7",
            "earlier_copy",
            "opening",
        },
        # rows as values: what is read, without a transaction
        {
            "rows",
            "hold_rows",
            "row_queries",
            "recovered_items",
            "pending_amounts",
            "queries",
            "intake_queries",
            "view_queries",
            "settling_sums",
        }
        | {"deltas", "stories", "receipt_rows", "audit_rows", "listings", "rejections", "searching"},
        # a transaction: who writes, what a transition asks for, who is told
        {"writer", "apply", "transactions", "stored_rows", "stored_transactions", "subscriptions"},
        # the methods of the journal, each a transaction
        {
            "files",
            "archives",
            "sessions",
            "scenes",
            "holds",
            "retry",
            "pausing",
            "forgetting",
            "followers",
            "pruning",
        },
        # what is told of the whole, and what rebuilds it
        {"ended_sums", "stage_work", "stage_history", "status", "reader", "recovery"},
        {""},
        {"maintenance"},
    ),
    "folders": (
        # a folder, and what is kept of it
        {
            "spec",
            "folder_threads",
            "missed_events",
            "own_places",
            "ownership",
            "archived_files",
            "tiff_extent",
        }
        | {"still_there"},
        # what the file system tells of it
        {"grouping", "scanner", "folder_probes", "inotify", "polling", "events", "hidden_sources"},
        {""},
        # what was found, as the watcher is told it
        {"looking", "ignored_names", "missing_files", "folder_holds", "presence", "first_start", "inbox"}
        | {"retired_folders"},
        # what works for one watcher
        {"scanning", "event_hints", "folder_health", "rejected_files", "watch_warnings", "folder_files"},
        {"watcher"},
        {"intake"},
    ),
}
"""By room: its modules, or packages, from the ground up; the empty name is the room itself, as others import it."""

ALONE = {
    "core": set(),
    "system": {"core"},
    "sandbox": set(),
    "net": {"core", "system"},
    "platform": {"core", "net", "system"},
    "convert": {"core", "system"},
    "journal": {"core", "system"},
}
"""Rooms that know even less than their level allows."""

DOORS = {
    "httpx": ("uploader.net",),
    "httpcore": ("uploader.net",),
    "ctypes": ("uploader.system.libc", "uploader.convert.isolation"),
    "sqlite3": ("uploader.journal", "uploader.sandbox"),
    "sqlite_utils": ("uploader.journal.sqlite_library",),
    "rasterio": ("uploader.convert", "uploader.sandbox", "uploader.cli.samples", "uploader.cli.compare"),
    "rio_cogeo": ("uploader.convert",),
    "isal": ("uploader.convert.write.encode_tiles", "uploader.convert.pictures.picture"),
    "prometheus_client": ("uploader.report.metrics",),
    "dask": ("uploader.convert.engine.cluster.client",),
    "distributed": ("uploader.convert.engine.cluster.client", "uploader.convert.engine.cluster.task"),
    "inotify_simple": ("uploader.folders.inotify",),
    "click": ("uploader.cli",),
    "rich": ("uploader.cli", "uploader.report"),
    "pydantic": ("uploader.config", "uploader.sandbox"),
    "starlette": ("uploader.sandbox", "uploader.report.dashboard"),
    "uvicorn": ("uploader.sandbox", "uploader.report.dashboard.server"),
    "jinja2": ("uploader.report.dashboard.templating",),
    "markupsafe": ("uploader.report.dashboard.templating",),
    "pystac": ("uploader.sandbox",),
    "cryptography": ("uploader.sandbox.rsa",),
    "shapely": ("uploader.sandbox",),
    "requests": (),
    "urllib3": (),
    "http.client": (),
    "urllib.request": (),
}
"""By library: the modules, or packages with all below them, that may import it."""

DECODING = {
    "uploader.core.path_text": "names of files",
    "uploader.core.naming": "one byte as one letter, to match patterns",
    "uploader.core.product_files": "one byte as one letter, to match patterns",
    "uploader.config.error_messages": "the configuration",
    "uploader.net": "what came over the wire",
    "uploader.platform.geopera": "what came over the wire, and the key",
    "uploader.convert": "what stands in rasters and their sidecars, and what a child says",
    "uploader.system.inherited_process": "what is printed where nobody listens",
    "uploader.report.dashboard": "what came over the wire",
    "uploader.sandbox": "the platform is another program",
}
"""Who may make text of bytes: of names that is one module alone."""

RECORDS = {"live_rows.py", "verdicts.py", "transitions/records.py", "transitions/repaired.py", "workshops.py"}
"""Modules of `core` that hold rows, names or values, and no rule."""

ODD_BYTES = {"surrogateescape", "backslashreplace"}
SPELLING = ("uploader.core.path_text", "uploader.system.inherited_process", "uploader.sandbox")
"""Who may say how bytes that are no UTF-8 become text."""

IMPURE = {
    "os",
    "time",
    "random",
    "io",
    "socket",
    "subprocess",
    "threading",
    "asyncio",
    "anyio",
    "secrets",
    "uuid",
} | {
    "pathlib",
    "shutil",
    "tempfile",
    "sqlite3",
    "logging",
    "signal",
    "sys",
}
IMPURE_METHODS = {"now", "utcnow", "today", "read_text", "write_text"}
IMPURE_FUNCTIONS = {"open", "print", "input"}


@cache
def modules() -> dict[str, ast.Module]:
    """Every module of the program by its dotted name."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        name = ".".join(("uploader", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(
            ".__init__"
        )
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


@cache
def imports(tree: ast.AST) -> frozenset[str]:
    """Everything that is imported anywhere in it, names of `from uploader import x` resolved."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are written in full"
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(found)


def room(module: str) -> str:
    """The top-level part of the program that a module belongs to."""
    return module.split(".")[1] if "." in module else ""


def is_in(module: str, places: tuple[str, ...]) -> bool:
    """Whether a module is one of these, or below one of them."""
    return any(module == place or module.startswith(f"{place}.") for place in places)


def level(name: str) -> int:
    """How high up a room is."""
    return next(n for n, rooms in enumerate(LEVELS) if name in rooms)


def may(mine: str, other: str) -> bool:
    """Whether one room may import another."""
    if mine in ALONE:
        return other in ALONE[mine]
    return level(other) < level(mine)


def test_every_room_has_its_level():
    """A new room has to be given its place before it can be used."""
    known = set().union(*LEVELS) | {"sandbox", ""}
    assert {room(module) for module in modules()} == known


def convert_level(module: str) -> int:
    """How high up a module of `uploader.convert` is."""
    name = module.split(".")[2] if module.count(".") > 1 else ""
    return next((n for n, rooms in enumerate(CONVERT_LEVELS) if name in rooms), len(CONVERT_LEVELS))


def test_imports_go_down_within_convert():
    """Who writes a result knows rasters and formats, and not the other way round."""
    names = modules()
    arrows = {
        (module, name if name in names else name.rpartition(".")[0])
        for module, tree in names.items()
        if module.startswith("uploader.convert.")
        for name in imports(tree)
        if name.startswith("uploader.convert")
    }
    beside = {
        (module, name)
        for module, name in arrows
        if module.split(".")[2] != (name.split(".") + [""] * 2)[2]
        and convert_level(name) >= convert_level(module)
    }
    assert beside == set()


def unit(module: str) -> str:
    """The module, or package, right below a room that a module is, or belongs to; empty for the room itself."""
    return (module.split(".") + [""] * 2)[2]


@pytest.mark.parametrize("mine", LEVELS_WITHIN)
def test_imports_go_up_nowhere_within_a_room(mine):
    """Each module has its level. Those of one level may know each other, without a knot; none knows what is above."""
    names, place = modules(), f"uploader.{mine}"
    levels = {name: n for n, units in enumerate(LEVELS_WITHIN[mine]) for name in units}
    inside = {module for module in names if is_in(module, (place,))}
    assert {unit(module) for module in inside} == set(levels)

    arrows = {
        (module, name) for module in inside for name in _needed(names[module], names) if is_in(name, (place,))
    }
    assert {(one, other) for one, other in arrows if levels[unit(one)] < levels[unit(other)]} == set()


def test_a_state_changes_in_one_place():
    """Only a transition knows events, and only its `Change` moves a row by one."""
    uses = {"FileEvent": set(), "SessionEvent": set(), "advance_file": set(), "advance_session": set()}
    for module, tree in modules().items():
        for name in imports(tree):
            if name.startswith("uploader.core.lifecycle."):
                uses.get(name.rpartition(".")[2], set()).add(module)

    assert uses["advance_file"] | uses["advance_session"] == {"uploader.core.transitions.change"}
    assert {module.rpartition(".")[0] for module in uses["FileEvent"] | uses["SessionEvent"]} == {
        "uploader.core.transitions"
    }


def test_imports_go_down_only():
    """An arrow that points up, or sideways to a room of the same level, is a knot."""
    arrows = {
        (module, room(module), room(name))
        for module, tree in modules().items()
        for name in imports(tree)
        if name.startswith("uploader.") and room(name) not in {room(module), "__version__", "sandbox"}
    }
    assert [(module, other) for module, mine, other in sorted(arrows) if not may(mine, other)] == []


LISTED = re.compile(rf"IN \((?:'(?:{'|'.join((*FileState, *SessionState))})'(?:, )?)+\)")


def test_no_statement_lists_states_by_hand():
    """Which states are alike says a table of the core. Migrations are of their time, and keep their words."""
    listed = [
        f"{path.name}: {found[0]}"
        for path in (PACKAGE / "journal").rglob("*.py")
        if not path.name.startswith("schema")
        for found in LISTED.finditer(path.read_text())
    ]
    assert not listed, f"name the set in core/lifecycle.py, and write it with in_list: {listed}"


def test_the_queue_of_a_folder_has_one_owner():
    """Scans, looks, events and probes post what they found to the watcher, and know neither it nor its queue."""
    owners = {
        "uploader.core.settle_queue": {"watcher", "folder_files", "watch_warnings"},
        "uploader.folders.folder_files": {"watcher"},
        "uploader.folders.watcher": {"intake"},
    }
    for owned, allowed in owners.items():
        users = {module for module, tree in modules().items() if owned in imports(tree)}
        assert users == {f"uploader.folders.{name}" for name in allowed}


def test_no_module_needs_itself():
    """Whoever follows the arrows from a module, within its room or beyond, never comes back to it.

    The package itself is left out: it only names what is public, and who imports it takes its version or its place.
    """
    names = {name: tree for name, tree in modules().items() if name != "uploader"}
    arrows = {module: _needed(tree, names) for module, tree in names.items()}
    done: set[str] = set()

    def follow(module: str, way: tuple[str, ...]) -> None:
        assert module not in way, " -> ".join((*way[way.index(module) :], module))
        if module not in done:
            for other in sorted(arrows[module]):
                follow(other, (*way, module))
            done.add(module)

    for module in names:
        follow(module, ())


def _needed(tree: ast.AST, names: Collection[str]) -> set[str]:
    """The modules that it imports, or something of; a package is not needed by who takes a module out of it."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in names else str(node.module) for name in whole}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & set(names)


def test_one_place_knows_which_platform_it_is():
    """Everybody else works with the protocol: a second platform touches its own package and this place."""
    users = {
        module
        for module, tree in modules().items()
        if any(is_in(name, ("uploader.platform.geopera",)) for name in imports(tree))
    }
    allowed = (
        "uploader.platform.geopera",
        "uploader.daemon.platform_connection",
        "uploader.cli",
        "uploader.python",
    )
    assert {module for module in users if not is_in(module, allowed)} == set()


@pytest.mark.parametrize("library", DOORS)
def test_each_library_has_its_door(library):
    """What a library can do is wrapped in one place, which the rest of the program calls."""
    users = {
        module
        for module, tree in modules().items()
        if any(name == library or name.startswith(f"{library}.") for name in imports(tree))
    }
    assert {module for module in users if not is_in(module, DOORS[library])} == set()


def test_threads_have_their_door():
    """Whoever asks anyio itself for a thread ends the daemon where the machine has none to give."""
    wrong = [
        f"{module}:{node.lineno}"
        for module, tree in modules().items()
        if not is_in(module, ("uploader.system.threads", "uploader.sandbox"))
        for node in ast.walk(tree)
        if getattr(node, "attr", getattr(node, "id", "")) in {"to_thread", "run_in_executor"}
    ]
    assert wrong == []


def test_only_two_commands_know_the_sandbox_and_only_when_they_run():
    """It is an extra: the daemon installs and starts without it."""
    users = {
        module
        for module, tree in modules().items()
        if not is_in(module, ("uploader.sandbox",))
        and any(is_in(name, ("uploader.sandbox",)) for name in imports(tree))
    }
    assert users == {"uploader.cli.demo", "uploader.cli.sandbox"}


def test_no_two_classes_come_to_share_a_name():
    """Whoever searches for one finds the other. These mean the same: what is configured, and what core asks of it."""
    known = {"Folder", "Settings"}
    classes = Counter(
        node.name
        for module, tree in modules().items()
        if not is_in(module, ("uploader.sandbox",))
        for node in tree.body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    )
    assert {name for name, times in classes.items() if times > 1} == known


def test_the_core_is_pure():
    """No clock, no disk, no chance: they are passed in, so that a decision can be tried a million times."""
    wrong = []
    for module, tree in modules().items():
        if room(module) != "core":
            continue
        wrong += [f"{module} imports {name}" for name in imports(tree) if name.split(".")[0] in IMPURE]
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            if (
                getattr(node.func, "attr", "") in IMPURE_METHODS
                or getattr(node.func, "id", "") in IMPURE_FUNCTIONS
            ):
                wrong.append(f"{module}:{node.lineno} calls {ast.unparse(node.func)}")
    assert not wrong


def test_what_is_public_is_found_and_comes_from_where_it_lies():
    """Every name of the package can be had, and the table has no other; a function outlives a package of its name."""
    listed = {name for names in uploader._PLACES.values() for name in names} | {"convert"}
    assert listed == set(uploader.__all__) == {name for name in uploader.__all__ if hasattr(uploader, name)}
    assert set(uploader.__all__) <= set(dir(uploader))
    importlib.import_module("uploader.convert")
    assert uploader.convert.__module__ == "uploader.python.convert"


def test_nothing_is_printed_outside_commands_and_sandbox():
    """The daemon logs; standard output belongs to --json."""
    wrong = [
        f"{module}:{node.lineno}"
        for module, tree in modules().items()
        if room(module) not in {"cli", "sandbox"} and module != "uploader.system.failpoints"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "print"
    ]
    assert not wrong


@pytest.mark.parametrize(
    ("module", "absent"),
    [
        (
            "uploader.daemon.loop",
            {
                "numpy",
                "rasterio",
                "rio_cogeo",
                "starlette",
                "uvicorn",
                "jinja2",
                "uploader.sandbox",
                "dask",
                "distributed",
            },
        ),
        (
            "uploader",
            {"anyio", "asyncio", "click", "logging", "pydantic", "sqlite3", "threading", "uploader.core"},
        ),
        ("uploader.cli.push", {"rasterio", "numpy", "rich", "pydantic", "httpx", "uploader.sandbox"}),
        ("uploader.cli.demo", {"rasterio", "numpy", "rich", "pydantic", "httpx", "uploader.sandbox"}),
        ("uploader.core.planner", {"sqlite3", "pydantic", "anyio"}),
        ("uploader.daemon.loop", {"rasterio", "numpy", "rich", "uploader.sandbox"}),
        ("uploader.report.summary_line", {"rich"}),
        ("uploader.daemon.control_client", {"asyncio", "sqlite3", "pydantic"}),
        (
            "uploader.cli.convert",
            {"rasterio", "numpy", "rich", "pydantic", "httpx", "sqlite3", "asyncio", "uploader.convert"},
        ),
        (
            "uploader.convert.engine.child",
            {"anyio", "asyncio", "pydantic", "pyproj", "morecantile", "urllib.request", "http.client"},
        ),
        ("uploader.convert.engine.cluster.task", {"rasterio", "rio_cogeo", "dask", "distributed"}),
        (
            "uploader.sandbox",
            {"uploader.core", "uploader.config", "rasterio", "numpy", "shapely", "cryptography"},
        ),
    ],
)
def test_what_is_not_needed_is_not_loaded(module, absent):
    """Above all GDAL in the daemon, which opens hostile rasters only in its children."""
    code = f"import sys, {module}; print([m for m in {sorted(absent)!r} if m in sys.modules])"
    home = str(PACKAGE.parent)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=home)
    assert done.stdout.strip() == "[]"


def test_text_of_names_is_made_in_one_place():
    """Names are bytes; two ways to spell an odd one would be two names, and one that SQLite does not take."""
    found = set()
    for module, tree in modules().items():
        for node in ast.walk(tree):
            called = getattr(node.func, "attr", "") if isinstance(node, ast.Call) else ""
            decodes = called in {"decode", "fsdecode"} and not is_in(module, tuple(DECODING))
            spells = (
                isinstance(node, ast.Constant) and node.value in ODD_BYTES and not is_in(module, SPELLING)
            )
            if decodes or spells:
                found.add(f"{module}:{node.lineno}")
    assert found == set()


def test_each_module_of_the_core_has_its_tests():
    """Under its own name: what a rule does is found where the rule is, and not among those of its callers."""
    core = PACKAGE / "core"
    named = {path.relative_to(core) for path in core.rglob("*.py") if path.stem != "__init__"}
    tests = Path(__file__).parent / "core"
    without = {path for path in named if not (tests / path.with_name(f"test_{path.name}")).exists()}
    missing = {str(path) for path in without} - RECORDS
    assert not missing, f"these modules of core have no tests/core/test_<name>.py: {sorted(missing)}"


def test_files_stay_small_enough_to_be_read():
    """A file that outgrows three hundred lines is two rooms; `convert` has some that are only just that."""
    sizes = {path.relative_to(PACKAGE): len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")}
    large = {
        str(path): size for path, size in sizes.items() if size > (340 if path.parts[0] == "convert" else 300)
    }
    assert not large, f"cut these by meaning into two modules: {large}"
