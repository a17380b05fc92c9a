"""The only place that says which scene a file is of, and what it is in it: by its path below the drop folder alone.

The rules are tried in order; the first whose pattern fits the whole path decides. A path fits in either case, scenes
and assets are called as the path spells them. A rule that fits and makes an empty scene or asset is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import tzinfo

from uploader.core import pattern_cost, scene_dates
from uploader.core.path_text import shown
from uploader.core.scene_dates import Interval
from uploader.core.scene_templates import Groups, Value, filled, names, value


@dataclass(frozen=True, slots=True)
class Rule:
    """What a path that `pattern` fits says. `scene`, `version` and `asset` are texts with groups in braces.

    `categorical` is `yes` or `no`, or empty: what the folder says holds. A rule with `skip` leaves the file out.
    """

    pattern: str
    asset: str = "{asset}"
    scene: str = "{scene}"
    version: str = "{version}"
    categorical: str = ""
    skip: bool = False
    properties: Mapping[str, Value] = field(default_factory=dict)

    def match(self, path: str) -> re.Match[str] | None:
        """How the pattern fits the whole path."""
        return re.compile(self.pattern, pattern_cost.FLAGS).fullmatch(path)


@dataclass(frozen=True, slots=True)
class Policy:
    """How a scene comes about.

    `primary` is the asset that makes the item; empty: whichever comes first. `complete` is a name beside its files, or
    in a folder above them, which says that all are there; they wait for it `complete_wait` seconds at most. Of
    `newest_only` scenes versions are left out that are older than one that is there. A collection that is not there is
    made with `create_collections`.
    """

    primary: str = ""
    complete: str = ""
    complete_wait: float = 0.0
    newest_only: bool = False
    create_collections: bool = False


@dataclass(frozen=True, slots=True)
class SceneRules:
    """A `[[folders.scenes]]`: rules in order, and what holds for every scene that they find."""

    rules: tuple[Rule, ...]
    zone: tzinfo
    date_format: str = ""
    collection: str = ""
    properties: Mapping[str, Value] = field(default_factory=dict)
    policy: Policy = Policy()


@dataclass(frozen=True, slots=True)
class Placement:
    """What a file is.

    `categorical` is as in the rule. `tile` is that of a mosaic, which is an item of its own; else empty. `when` is None
    where the path tells no time. `complaints` are sentences about what the path says and cannot mean. Of `policy` the
    texts are filled in. `spelled` is a part of the file's own name that tells the item; empty where the folders above
    it have a say in that.
    """

    scene: str
    asset: str
    version: str = ""
    tile: str = ""
    when: Interval | None = None
    categorical: str = ""
    collection: str = ""
    properties: Mapping[str, Value] = field(default_factory=dict)
    complaints: tuple[str, ...] = ()
    policy: Policy = Policy()
    spelled: str = field(default="", compare=False)

    @property
    def item(self) -> tuple[str, str, str]:
        """What has an item of its own: the scene, its version, and the tile of a mosaic."""
        return self.scene, self.version, self.tile


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file that the rules do not take, and the sentence that says why. `by_rule`: one of them says so."""

    reason: str
    by_rule: bool = False


SKIPPED = LeftOut("A rule of its scenes leaves it out.", by_rule=True)
UNMATCHED = LeftOut("No rule of its scenes fits it.")
_EMPTY = LeftOut("The rule that fits it gives no name to its scene or its asset.")


def place(sections: Iterable[SceneRules], path: bytes) -> Placement | LeftOut:
    """What the file at this path, relative to its folder, is; by the first rule of the first section that fits."""
    text, left = shown(path), UNMATCHED
    for section in sections:
        for rule in section.rules:
            longest = pattern_cost.longest_path(rule.pattern)
            if len(text) > longest:
                left = LeftOut(
                    f"Its path has {len(text)} letters, more than the {longest} for which a pattern is sure to end. "
                    "Write what ends each repeat of the pattern, such as [^_/]+ before _ in place of .+"
                )
                continue
            found = rule.match(text)
            if found is None:
                continue
            if rule.skip:
                return SKIPPED
            placed = _placed(section, rule, found)
            if placed is not None:
                return placed
            left = _EMPTY
    return left


def _placed(section: SceneRules, rule: Rule, found: re.Match[str]) -> Placement | None:
    groups: Groups = found.groupdict()
    scene, asset = filled(rule.scene, groups), filled(rule.asset, groups)
    if not scene or not asset:
        return None
    given = {**section.properties, **rule.properties}
    made = {name: value(each, groups) for name, each in given.items()}
    told, tile = groups.get("date") or "", groups.get("tile") or ""
    when = scene_dates.read(told, section.date_format, section.zone) if told else None
    lost = [name for name in made if made[name] is None]
    return Placement(
        scene=scene,
        asset=asset,
        version=filled(rule.version, groups),
        tile=tile,
        when=when,
        categorical=rule.categorical,
        collection=filled(section.collection, groups),
        properties={name: each for name, each in made.items() if each is not None}
        | ({"scene": scene} if tile else {}),
        complaints=tuple(_complaints(told if when is None else "", lost)),
        policy=replace(section.policy, complete=filled(section.policy.complete, groups)),
        spelled=_spelled(section, rule, found),
    )


def _spelled(section: SceneRules, rule: Rule, found: re.Match[str]) -> str:
    """The longest of the groups that tell the item, where all of them lie in the file's name."""
    asked = names(rule.scene) | names(rule.version) | names(section.collection) | {"tile"}
    told = [name for name, text in found.groupdict().items() if name in asked and text]
    if any(found.start(name) <= found.string.rfind("/") for name in told):
        return ""
    return max((found[name] for name in told), key=len, default="")


def _complaints(date: str, lost: Iterable[str]) -> Iterable[str]:
    if date:
        yield f'"{date}" is no date in the format of its scenes, so it has none.'
    for name in lost:
        yield f"Its path does not say what the property {name} asks for."
