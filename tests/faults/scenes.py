"""Scenes in a storm: their rasters arrive in random order while the daemon is killed and calls fail.

    python -m tests.faults.scenes --scenes 40 --kills 60 --seed 1

A real daemon, the sandbox, SIGKILL at random moments, and three per cent of all calls failing in every way of
`tests.faults.ways`. The rasters of a scene lie in two folders, and of some scenes most come in an archive, a zip or a
tar. Afterwards the sandbox's folder is read by itself: one item a scene, made by its primary, each asset once and equal
to its source, date, properties and collection as the names say.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.storm import Outcome, Weather, live_and_die, settle
from tests.faults.ways import misbehave
from tests.support.archives import tarred, zipped
from tests.support.compare import differences
from tests.support.live import amiss
from tests.support.rasters import make
from tests.support.world import World, world

PATTERN = r"(?:.*/)?(?P<scene>S\d{3})_(?P<date>\d{8}T\d{6}Z)_o(?P<orbit>\d)_(?P<asset>B\d\d)\.tif"
PRIMARY = "B01"
FEWEST, MOST = 4, 13
"""Rasters of a scene."""

ARCHIVED = 0.3
"""Share of the scenes that come in archives."""

LOOSE = 0.15
"""Share of the rasters of such a scene that come beside its archive."""

ORBITS = 3
FOLDERS = ("one", "two")
LATENCY = 0.05


@dataclass(frozen=True)
class Plot:
    """A scene that is to be: its name, the text of its time, its orbit, and its assets."""

    name: str
    date: str
    orbit: int
    assets: tuple[str, ...]

    def file(self, asset: str) -> str:
        """The name of a raster of it."""
        return f"{self.name}_{self.date}_o{self.orbit}_{asset}.tif"

    @property
    def moment(self) -> str:
        """Its time, as STAC has it."""
        day, clock = self.date[:8], self.date[9:15]
        return f"{day[:4]}-{day[4:6]}-{day[6:]}T{clock[:2]}:{clock[2:4]}:{clock[4:]}Z"


@dataclass
class Scenes:
    """What a storm was made of."""

    plots: list[Plot]
    masters: Path
    outcome: Outcome = field(default_factory=lambda: Outcome(0))


def plots(count: int, rng: random.Random) -> list[Plot]:
    """Scenes of four to thirteen rasters, the primary among them."""
    return [
        Plot(
            f"S{number:03d}",
            f"202401{rng.randint(1, 28):02d}T{rng.randint(0, 23):02d}{rng.randint(0, 59):02d}07Z",
            rng.randrange(ORBITS),
            tuple(f"B{band:02d}" for band in range(1, rng.randint(FEWEST, MOST) + 1)),
        )
        for number in range(count)
    ]


def folders(root: Path) -> list[dict[str, Any]]:
    """Two folders with the same rules; the sources of one go."""
    rules = {
        "rules": [{"pattern": PATTERN, "properties": {"sat:relative_orbit": "{orbit:int}"}}],
        "primary": PRIMARY,
        "collection": "orbit {orbit}",
        "create_collections": True,
    }
    common = {"project_id": "p-1", "include": ["*.tif", "*.zip", "*.tar"], "scenes": [rules]}
    return [
        {"path": str(root / name), "after_upload": policy, **common}
        for name, policy in zip(FOLDERS, ("keep", "delete"), strict=True)
    ]


def storm(
    root: Path,
    *,
    scenes: int,
    kills: int,
    seed: int,
    percent: float,
    archived: float = ARCHIVED,
    longest: float = 2.5,
) -> Scenes:
    """Raise one below `root`; `longest` is the longest life of a daemon in seconds."""
    rng, started = random.Random(seed), time.monotonic()
    made = Scenes(plots(scenes, rng), root / "masters")
    made.outcome = Outcome(sum(len(plot.assets) for plot in made.plots))
    options = {**Weather(percent=percent).options(seed), "latency": LATENCY}
    settings = {"transfer": {"drain_seconds": 2}}
    with world(root, options=options, settings=settings, folders=folders(root)) as w:
        if percent:
            misbehave(w, percent)
        deliveries = delivered(made.plots, archived, random.Random(seed + 2))
        dropper = threading.Thread(
            target=_drop, args=(made, deliveries, root, random.Random(seed + 1), kills * longest / 3)
        )
        dropper.start()
        for _ in range(kills):
            live_and_die(w, rng, longest, made.outcome)
        dropper.join()
        settle(w, made.outcome)
        judge(w, made)
    made.outcome.seconds = time.monotonic() - started
    return made


def delivered(plots: list[Plot], archived: float, rng: random.Random) -> dict[str, list[str]]:
    """By the name of what is dropped: the rasters in it, or the raster that it is. So large a share is archived."""
    found: dict[str, list[str]] = {}
    for plot in plots:
        archive = f"{plot.name}{rng.choice(('.zip', '.tar'))}" if rng.random() < archived else ""
        for asset in plot.assets:
            name = plot.file(asset)
            found.setdefault(archive if archive and rng.random() > LOOSE else name, []).append(name)
    return found


def _drop(
    made: Scenes, deliveries: dict[str, list[str]], root: Path, rng: random.Random, seconds: float
) -> None:
    """Let all arrive in random order, by rename, each in one of the two folders."""
    numbers = {name: n for n, name in enumerate(name for names in deliveries.values() for name in names)}
    for delivery, names in rng.sample(sorted(deliveries.items()), len(deliveries)):
        masters = [make("dem_nodata", made.masters / name, size=64, seed=numbers[name]) for name in names]
        hidden = root / rng.choice(FOLDERS) / f".{delivery}.part"
        hidden.write_bytes(_packed(delivery, masters))
        hidden.rename(hidden.with_name(delivery))
        time.sleep(rng.random() * 2 * seconds / len(deliveries))


def _packed(name: str, masters: list[Path]) -> bytes:
    """The raster itself, or an archive of them, each in a folder."""
    files = {f"{path.stem}/{path.name}": path.read_bytes() for path in masters}
    if name.endswith(".zip"):
        return zipped(files)
    return tarred(files) if name.endswith(".tar") else masters[0].read_bytes()


# -- the judgement -------------------------------------------------------------------------------------------


def judge(w: World, made: Scenes) -> None:
    """Enter all that is wrong."""
    outcome, status, found = made.outcome, w.status(), w.audit()
    items = _items(w)
    outcome.items, outcome.calls = len(items), len(found.calls())
    outcome.reserved, outcome.possibly_leaked = found.reserved_bytes, status["possibly_leaked_bytes"]
    by_scene: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        names = {name.partition("_")[0] for name in item["assets"].values()}
        outcome.wrong += [f"an item is of {sorted(names)}"] if len(names) != 1 else []
        by_scene.setdefault(min(names), []).append(item)
    for plot in made.plots:
        ours = by_scene.pop(plot.name, [])
        outcome.wrong += (
            [f"{plot.name} has {len(ours)} items"] if len(ours) != 1 else _unlike(w, made, plot, ours[0])
        )
    outcome.wrong += [f"{name}: an item of nothing that was dropped" for name in by_scene]
    outcome.wrong += [
        line for line in amiss(w, outcome.possibly_leaked) if "uploads.progress on the" not in line
    ]
    outcome.wrong += [f"pending: {status['files']}"] if status["pending"] else []
    outcome.wrong += [f"held: {hold['reason']}" for hold in status["holds"]]
    outcome.wrong += [f"still there: {path.name}" for path in (w.root / FOLDERS[1]).glob("S*")]
    log = w.root / "daemon.log"
    if log.exists() and b"Traceback" in log.read_bytes():
        outcome.wrong.append("the log has a traceback")


def _unlike(w: World, made: Scenes, plot: Plot, item: dict[str, Any]) -> list[str]:
    """How the one item of a scene is another than its files' names say."""
    wrong = []
    said = {
        "assets": (sorted(item["assets"]), sorted(plot.assets)),
        "the maker": (item["first"], PRIMARY),
        "datetime": (item["datetime"], plot.moment),
        "orbit": (item["properties"].get("sat:relative_orbit"), plot.orbit),
        "collection": (item["collection"], f"orbit {plot.orbit}"),
    }
    wrong += [
        f"{plot.name}: {what} is {is_} and not {ought}" for what, (is_, ought) in said.items() if is_ != ought
    ]
    for asset, name in item["assets"].items():
        master = made.masters / f"{name.rpartition('-')[0]}.tif"
        wrong += [f"{plot.name} {asset}: made of {name}"] if master.name != plot.file(asset) else []
        wrong += [f"{plot.name} {asset}: {text}" for text in differences(master, w.object(name))]
    return wrong


def _items(w: World) -> list[dict[str, Any]]:
    """The sandbox's items with their assets by key, the first of them, and the name of their collection."""
    with closing(sqlite3.connect(w.root / "box" / "sandbox.sqlite")) as database:
        database.row_factory = sqlite3.Row
        names = Counter(row["name"] for row in database.execute("SELECT name FROM collection"))
        assert set(names.values()) <= {1}, f"collections were made twice: {names}"
        found = database.execute(
            "SELECT item.*, collection.name AS collection FROM item LEFT JOIN collection "
            "ON collection.id = item.collection_id ORDER BY item.sequence"
        ).fetchall()
        return [_item(database, row) for row in found]


def _item(database: sqlite3.Connection, row: sqlite3.Row) -> dict[str, Any]:
    query = "SELECT key, file_name FROM asset WHERE item_id = ? ORDER BY sequence"
    assets = [(asset["key"], asset["file_name"]) for asset in database.execute(query, (row["id"],))]
    told = {name: row[name] for name in ("datetime", "collection")}
    return {
        **told,
        "properties": json.loads(row["properties"]),
        "assets": dict(assets),
        "first": assets[0][0],
    }


def main() -> int:
    """Raise storms from the command line; 0 where nothing is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scenes", type=int, default=40)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seeds", type=int, default=1, help="how many, from --seed on")
    parser.add_argument("--faults", type=float, default=3.0, metavar="PERCENT", help="of all calls that fail")
    parser.add_argument(
        "--archived",
        type=float,
        default=ARCHIVED,
        metavar="SHARE",
        help="of the scenes that come in archives",
    )
    parser.add_argument("--keep", type=Path, help="a folder to leave everything in")
    given = parser.parse_args()
    wrong = 0
    for seed in range(given.seed, given.seed + given.seeds):
        with tempfile.TemporaryDirectory(prefix="scenes-") as temporary:
            root = given.keep / str(seed) if given.keep else Path(temporary)
            root.mkdir(parents=True, exist_ok=True)
            size = {"scenes": given.scenes, "kills": given.kills}
            outcome = storm(root, seed=seed, percent=given.faults, archived=given.archived, **size).outcome
        print(f"seed={seed} scenes={given.scenes} {outcome.line()}", flush=True)
        for line in outcome.wrong:
            print("  " + line, flush=True)
        wrong += len(outcome.wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
