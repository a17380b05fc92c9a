"""Histories of scenes: rasters that become the assets of one item, in any order, with all that can go wrong.

The judgement asks the platform: each issue of a scene is one item, which has each of its rasters once.
"""

from __future__ import annotations

import random
from collections import Counter
from functools import partial
from typing import Any

from tests.sim.disk import FOLDER
from tests.sim.history import PATIENCE, History
from tests.sim.world import START
from tests.support.configured import a_folder
from uploader.core.planner_view import PlannerView
from uploader.core.planning_pass import Plan

RULE = {
    "pattern": r"(?P<scene>s\d)_(?P<date>\d{8})_(?P<asset>[a-d])\.tif",
    "properties": {"platform": "drone"},
}
WAIT = 60.0
"""Seconds that a scene waits for its marker, or its primary."""


class SceneHistory(History):
    """A folder of scenes of one to four rasters."""

    def __init__(self, seed: int, *, memory: bool = True) -> None:
        self.more = random.Random(seed ^ 0x5CE7E)
        self.contents_made = 0
        self.markers: set[str] = set()
        self.undescribed: set[str] = set()
        """Items that could not be described, for they were deleted."""
        super().__init__(seed, memory=memory)
        self.distinct = False  # what lies there twice is one raster of its scene

    # -- what happens ----------------------------------------------------------------------------------------

    def _script(self) -> None:
        draw = self.more
        self.primary = draw.choice(["", "a", "a"])
        self.named = draw.choice(["", "col"])
        self.policy = {
            "primary": self.primary,
            "complete": draw.choice(["", "", "{scene}.done"]),
            "complete_wait": f"{WAIT:.0f}s",
            "on_new_version": "new_item",
            "collection": self.named,
            "create_collections": bool(self.named),
        }
        self.destination = a_folder(
            "p",
            after_upload=self.destination.after_upload,
            path=FOLDER,
            scenes=[{"rules": [RULE], **self.policy}],
        )
        self.platform.items_per_file = True
        self.platform.describes = True
        self.platform.read_only = draw.random() < 0.2
        super()._script()
        if draw.random() < 0.15:
            self.later(START + draw.random() * 150, self._delete)

    def _drop(self, path: bytes, at: float) -> None:
        """In place of one file a scene: of each raster the fate, and what becomes of its source."""
        scene = path[:1].decode()
        assets = self.more.sample("abcd", self.more.randint(1, 4))
        for asset in assets:
            super()._drop(f"s{scene}_20240102_{asset}.tif".encode(), at + self.more.random() * 30)
        if self.more.random() < 0.7:
            self.later(at + self.more.random() * 60, partial(self.markers.add, f"s{scene}.done"))
        if self.more.random() < 0.2:  # a late arrival, or the same raster once more
            late = f"s{scene}_20240102_{self.more.choice('abcd')}.tif".encode()
            self.later(at + 300 + self.more.random() * 300, partial(self._write, late, "c"))

    def _write(self, path: bytes, content: str) -> None:
        """No two rasters are alike, but for the one that was dropped before."""
        if content.startswith("c") and self.more.random() < 0.8:
            self.contents_made += 1
            content = f"c{self.contents_made + 100}"
        super()._write(path, content)

    def marked(self, folder: str, directory: bytes, name: str) -> bool:
        """Whether the name lies there that says that a scene is complete."""
        return name in self.markers

    def _delete(self) -> None:
        """A person deletes an item that its scene may still need."""
        ours = sorted(self.platform.items)
        if ours:
            item_id = self.more.choice(ours)
            self.platform.delete(item_id)
            self.undescribed.add(item_id)

    # -- a person ----------------------------------------------------------------------------------------------

    def waits_for(self, view: PlannerView, turn: Plan) -> bool:
        """What a scene needs as a whole is waited for like a hold that ends by itself."""
        if turn.wake_at is None or not view.scenes:
            return super().waits_for(view, turn)
        if self.patience is None:
            self.patience = self.now + PATIENCE
        return bool(self.mended) or self.now < self.patience

    def _mend(self) -> bool:
        """Bring deleted items back, and drop a good primary where files wait for one."""
        mended = bool(self.platform.deleted)
        self.platform.restore()
        for kept in self.look().kept_back:
            # Whose primary was rejected looks for no collection; any other scene finds its own by itself.
            if not kept.making and (kept.scene.hold or kept.scene.collection_id is not None):
                self._calm()
                path = f"{kept.scene.name}_20240102_{self.primary}.tif".encode()
                self.contents_made += 1
                History._write(self, path, f"c{self.contents_made + 100}")
                mended = True
        return super()._mend() or mended

    # -- the judgement -----------------------------------------------------------------------------------------

    def _judge(self) -> None:
        super()._judge()
        if not self.wrong:
            self._judge_items()

    def _judge_items(self) -> None:
        """Each item is of one scene, has each asset once, its date and properties, and is the item of one issue."""
        if self.platform.read_only:
            self.undescribed.update(self.platform.items)
        for item_id, item in self.platform.items.items():
            of = {name.partition("_")[0] for name in item["assets"]}
            keys = Counter(asset.get("key") for asset in item["assets"].values())
            if len(of) > 1 or max(keys.values()) > 1 or None in keys:
                self.wrong.append(f"{item_id} is of {sorted(of)} and has {dict(keys)}")
            told = item.get("properties", {})
            if item_id not in self.undescribed and (told.get("platform"), "start_datetime" in told) != (
                "drone",
                True,
            ):
                self.wrong.append(f"{item_id} was not told what its scene is: {told}")
        issues = self.journal.scene_items()
        known = [item_id for _, _, item_id in issues if item_id is not None]
        if sorted(known) != sorted(self.platform.items):
            self.wrong.append(
                f"issues have the items {sorted(known)}, there are {sorted(self.platform.items)}"
            )
        for name, issue, item_id in issues if not self.wrong else ():
            if item_id is not None:
                self._judge_issue(name, issue, self.platform.items[item_id]["assets"])

    def _judge_issue(self, name: str, issue: int, assets: Any) -> None:
        """The primary made the first one; a later one has nothing that was written once only."""
        leader = next(iter(assets.values()))["key"]
        if self.primary and issue == 1 and leader != self.primary:
            self.wrong.append(f"{leader} made the item of {name}, and not {self.primary}")
        for asset in assets.values():
            written = sum(n for one, n in self.written.items() if _is_of(one, name, asset["key"]))
            if written < issue:
                self.wrong.append(f"issue {issue} of {name} has {asset['key']}, written {written} times")


def _is_of(file_name: str, scene: str, asset: str) -> bool:
    return file_name.startswith(f"{scene}_") and file_name.partition("-")[0].endswith(f"_{asset}")


def simulate(seed: int, *, memory: bool = True) -> tuple[int, str, list[str]]:
    """Run one history: (turns, hash, all that is wrong)."""
    history = SceneHistory(seed, memory=memory)
    history.run()
    return history.turns, history.journal.digest(), history.wrong
