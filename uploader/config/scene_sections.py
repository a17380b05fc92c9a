"""`[[folders.scenes]]`: which files of a drop folder are one scene, and what each is in it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, tzinfo
from functools import lru_cache
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, model_validator

from uploader.config.section import Section
from uploader.config.value_types import Flag, Name, Span
from uploader.core import scene_dates, scene_templates
from uploader.core.pattern_cost import longest_path
from uploader.core.scene_recipes import RECIPES
from uploader.core.scene_rules import LeftOut, Placement, Policy, Rule, SceneRules, place

UTC_NAME = "UTC"
"""Needs no table of zones, which a bare machine may lack."""

NO_VERSION = "{version}"
"""Asks for a group that a pattern need not have."""

STAC_OWN = frozenset({"datetime", "start_datetime", "end_datetime", "scene"})
"""Properties that follow from the groups `date` and `tile`, and from nothing else."""


def _pattern(value: str) -> str:
    longest_path(value)  # PatternRefused is a ValueError with words of its own
    return value


def _template(value: str) -> str:
    if mistake := scene_templates.mistake(value):
        raise ValueError(mistake)
    return value


def _recipe(value: str) -> str:
    if value and value not in RECIPES:
        raise ValueError(f'"{value}" is no recipe; known are {", ".join(RECIPES)}')
    return value


def _date_format(value: str) -> str:
    if value and (mistake := scene_dates.format_mistake(value)):
        raise ValueError(f'{mistake}; write for example "%Y%m%d" or "%Y-%m-%dT%H%M%S"')
    return value


def _one_name(value: str) -> str:
    if "/" in value:
        raise ValueError('should be a name without a slash; write for example "{scene}.done"')
    return value


def _zone(value: str) -> str:
    zone_of(value)
    return value


def zone_of(name: str) -> tzinfo:
    """The zone of this name. Raises ValueError where this machine knows none."""
    if name == UTC_NAME:
        return UTC
    with suppress(ValueError, OSError, KeyError):  # what it does not find is a KeyError
        return ZoneInfo(name)
    raise ValueError(f'"{name}" is no time zone that this machine knows; write for example "Europe/Berlin"')


def _properties(value: object) -> object:
    if not isinstance(value, dict):
        return value
    for name, each in value.items():
        if name in STAC_OWN:
            raise ValueError(
                f"the property {name} comes from the groups date and tile of a pattern; leave it out"
            )
        if not isinstance(each, str | int | float) or (isinstance(each, float) and not math.isfinite(each)):
            raise ValueError(f"the property {name} should be text, a finite number, true or false")
        if isinstance(each, str) and (mistake := scene_templates.mistake(each)):
            raise ValueError(f"the property {name} {mistake}")
    return tuple(value.items())


Pattern = Annotated[Name, AfterValidator(_pattern)]
Template = Annotated[str, AfterValidator(_template)]
Properties = Annotated[tuple[tuple[str, str | bool | int | float], ...], BeforeValidator(_properties)]
"""A table in the file; pairs in here, so that a folder can be compared and hashed as ever."""


class SceneRule(Section):
    """One line of `rules`: a pattern, and what a path says that fits it."""

    pattern: Pattern
    asset: Template = "{asset}"
    scene: Template = "{scene}"
    version: Template = NO_VERSION
    categorical: Literal["auto", "yes", "no"] = "auto"
    skip: Flag = False
    properties: Properties = ()

    @model_validator(mode="after")
    def _groups(self) -> SceneRule:
        known = set(re.compile(self.pattern).groupindex)
        texts = () if self.skip else (self.asset, self.scene, *_texts(self.properties))
        texts = (*texts, *([self.version] if self.version != NO_VERSION else []))
        for name in sorted(set().union(*map(scene_templates.names, texts)) - known):
            raise ValueError(
                f'asks for the group "{name}", which its pattern lacks; write (?P<{name}>…) into the pattern, or the '
                f"text itself in place of {{{name}}}"
            )
        return self

    @property
    def rule(self) -> Rule:
        """As the decision takes it."""
        said = "" if self.categorical == "auto" else self.categorical
        return Rule(**(self.model_dump() | {"categorical": said, "properties": dict(self.properties)}))


class ScenesSection(Section):
    """Rules for one kind of delivery, and what holds for all of its scenes."""

    recipe: Annotated[str, AfterValidator(_recipe)] = ""
    rules: tuple[SceneRule, ...] = ()
    date_format: Annotated[str, AfterValidator(_date_format)] = ""
    timezone: Annotated[Name, AfterValidator(_zone)] = UTC_NAME
    primary: str = ""
    complete: Annotated[Template, AfterValidator(_one_name)] = ""
    complete_wait: Span = 3600.0
    on_new_version: Literal["new_item", "ignore_older"] = "new_item"
    collection: Template = ""
    create_collections: Flag = False
    properties: Properties = ()

    @model_validator(mode="after")
    def _one_kind(self) -> ScenesSection:
        if bool(self.recipe) == bool(self.rules):
            raise ValueError(
                "has to have either a recipe or rules; write a [[folders.scenes]] for each of both"
            )
        if self.recipe and (self.date_format or self.timezone != UTC_NAME):
            raise ValueError(
                "has a recipe, which knows how its dates are written; leave out date_format and timezone"
            )
        if self.create_collections and not self.collection:
            raise ValueError('creates collections and names none; write for example collection = "{scene}"')
        return self

    @property
    def scene_rules(self) -> SceneRules:
        """As the decision takes them."""
        recipe = RECIPES.get(self.recipe)
        return SceneRules(
            rules=recipe.rules if recipe else tuple(each.rule for each in self.rules),
            zone=zone_of(self.timezone),
            policy=Policy(
                primary=self.primary,
                complete=self.complete,
                complete_wait=self.complete_wait,
                newest_only=self.on_new_version == "ignore_older",
                create_collections=self.create_collections,
            ),
            date_format=recipe.date_format if recipe else self.date_format,
            collection=self.collection,
            properties=dict(self.properties),
        )


def placed(scenes: tuple[ScenesSection, ...], path: bytes) -> Placement | LeftOut | None:
    """What a file at this path below its folder is in its scene, or why it is left; None where there are no scenes."""
    return place(_rules(scenes), path) if scenes else None


@lru_cache(maxsize=64)
def _rules(scenes: tuple[ScenesSection, ...]) -> tuple[SceneRules, ...]:
    return tuple(each.scene_rules for each in scenes)


def _texts(properties: tuple[tuple[str, object], ...]) -> Iterator[str]:
    return (each for _, each in properties if isinstance(each, str))
