"""Misbehaviour on order: which rule strikes which call. Pure but for its counters; `misbehave` carries it out."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

Kind = Literal[
    "status",
    "cut_before",
    "cut_after",
    "delay_before",
    "delay_after",
    "stall",
    "wrong_hash",
    "corrupt",
    "expired_url",
    "lose_session",
]
Body = Literal["native", "problem", "html", "empty", "broken", "truncated", "giant"]


class When(BaseModel):
    """Which of the matching calls are struck; all given conditions must hold, none given strikes every call.

    `nth`: only that call, counted from 1. `every`: each such call. `probability`: by a seeded draw.
    `count`: no more than so many in all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    nth: int | None = Field(default=None, ge=1)
    every: int | None = Field(default=None, ge=1)
    probability: float | None = Field(default=None, ge=0, le=1)
    count: int | None = Field(default=None, ge=1)


class Fault(BaseModel):
    """One rule.

    operation: an operation id, `store.put`, `store.get`, `token`, or `*` for all.
    kind: `status` answers `status` with a `body` (native to the surface, problem, html, empty, broken: half a JSON,
        truncated: cut in the middle of the body, giant: 32 MiB; or exactly this `text`), before the effect or, with
        `commit`, after it;
        `cut_before`, `cut_after` close the connection before or after the effect, a PUT after `after_bytes` of its
        body; `delay_before`, `delay_after` wait `seconds`; `stall` sends nothing for `seconds` (after the effect
        with `commit`); `wrong_hash` and `corrupt` make the store report, or keep, other bytes; `expired_url` mints
        a URL that is already dead, or refuses the PUT as expired; `lose_session` forgets the session, whose calls
        then get `status` 404 or 410.
    retry_after: seconds for a Retry-After header, as a number or (`retry_after_form`) as a date.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    operation: str
    kind: Kind
    when: When = When()
    status: int = Field(default=503, ge=200, le=599)
    body: Body = "native"
    text: str | None = None
    retry_after: float | None = None
    retry_after_form: Literal["seconds", "date"] = "seconds"
    seconds: float = Field(default=3600.0, ge=0)
    after_bytes: int = Field(default=0, ge=0)
    commit: bool = False

    @model_validator(mode="after")
    def _means_something(self) -> Self:
        if self.commit and self.kind not in ("status", "stall"):
            raise ValueError("commit goes with status and stall; cut_before has its twin in cut_after")
        if self.after_bytes and (self.operation != "store.put" or self.kind not in ("cut_before", "stall")):
            raise ValueError("after_bytes goes with cut_before and stall of store.put")
        return self

    @property
    def later(self) -> bool:
        """Whether nothing happens before the effect (or before so much of the body)."""
        return self.commit or self.after_bytes > 0

    @property
    def answered(self) -> bool:
        """Whether the client gets the answer that the operation gave."""
        return self.kind not in ("cut_before", "cut_after", "status", "stall")


@dataclass(slots=True)
class _Rule:
    fault: Fault
    draws: random.Random
    seen: int = 0
    struck: int = field(default=0)

    def strikes(self) -> bool:
        self.seen += 1
        when = self.fault.when
        hit = (
            (when.nth is None or self.seen == when.nth)
            and (when.every is None or self.seen % when.every == 0)
            and (when.probability is None or self.draws.random() < when.probability)
            and (when.count is None or self.struck < when.count)
        )
        self.struck += hit
        return hit


class Faults:
    """The rules in force. Thread-safe; the same seed, rules and order of calls strike the same calls."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._lock = threading.Lock()
        self._rules: list[_Rule] = []

    def add(self, fault: Fault) -> int:
        """Put a rule in force; returns how many there are."""
        with self._lock:
            self._rules.append(_Rule(fault, random.Random(f"{self._seed}/{len(self._rules)}")))  # noqa: S311  repeatable
            return len(self._rules)

    def draw(self, operation: str) -> Fault | None:
        """The first rule that strikes this call; every rule that matches counts the call."""
        with self._lock:
            matching = [rule for rule in self._rules if rule.fault.operation in (operation, "*")]
            struck = [rule.fault for rule in matching if rule.strikes()]
        return struck[0] if struck else None

    def listed(self) -> list[dict[str, object]]:
        """The rules with their counters."""
        with self._lock:
            return [{**one.fault.model_dump(), "seen": one.seen, "struck": one.struck} for one in self._rules]

    def clear(self) -> None:
        """Behave again."""
        with self._lock:
            self._rules.clear()
