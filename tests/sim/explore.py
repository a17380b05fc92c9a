"""Every state that one file can come into: all answers of all calls, all local failures, all crashes, turn by turn.

    python -m tests.sim.explore --faults 3

A step is a turn of the daemon in which at most one thing goes wrong; on a way, so many things as are asked for. States
that differ only in counters beyond their limits, or in how far off a time is, count as one: that makes them few enough
to visit all. A state is reached again by repeating the steps that led to it.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import deque
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.sim.expectations import ENDS
from tests.sim.ordered import LOOKS, Ordered, Step
from tests.support.configured import a_folder
from uploader.core import failure_policy
from uploader.core.configuration import Folder

STEPS = 60
"""Turns, waits among them, within which everything ends when nothing goes wrong any more."""


@dataclass
class Node:
    """A state: how it is reached, what follows when all goes well, and what is wrong with it."""

    path: tuple[Step, ...]
    faults: int = 0
    well: Hashable = None
    ended: bool = False
    wrong: list[str] = field(default_factory=list)
    told: str = ""
    """What a person is told, where only a person can go on."""


def explore(destination: Folder, faults: int) -> dict[Hashable, Node]:
    """All states that are reached with so many faults on the way, those with the fewest first."""
    nodes = {Ordered(destination).state(): Node(())}
    waiting = deque(nodes)
    while waiting:
        node = nodes[waiting.popleft()]
        for step, world, going in _steps(destination, node, faults):
            reached = world.state()
            if step is None:
                node.well, node.ended = reached, not going
                node.told = "" if going else told(world)
            node.wrong += [f"{(*node.path, step)}: {line}" for line in world.wrong]
            if world.wrong or reached in nodes:
                continue
            nodes[reached] = Node((*node.path, step), node.faults + (step is not None))
            if step is None:
                waiting.appendleft(reached)
            else:
                waiting.append(reached)
    return nodes


def _steps(destination: Folder, node: Node, faults: int) -> Iterator[tuple[Step, Ordered, bool]]:
    """Each way to go on from a state, and the world after it."""
    world, going = _again(destination, node.path, None)
    could = world.could
    yield None, world, going
    for point, ways in enumerate(could if node.faults < faults else ()):
        for way in ways:
            yield (point, way), *_again(destination, node.path, (point, way))
    if not going and node.faults <= faults:
        for word in ("retry --all", "retry FILE"):
            yield word, *_again(destination, node.path, word)


def _again(destination: Folder, path: tuple[Step, ...], step: Step) -> tuple[Ordered, bool]:
    world = Ordered(destination)
    with world.doors(), patched(failure_policy, LOOKS_FOR_ITEMS=LOOKS):
        for earlier in path:
            world.take(earlier)
        going = world.take(step)
    return world, going


@contextmanager
def patched(module: Any, **values: object) -> Iterator[None]:
    """A module with other numbers."""
    saved = {name: getattr(module, name) for name in values}
    for name, value in values.items():
        setattr(module, name, value)
    try:
        yield
    finally:
        for name, value in saved.items():
            setattr(module, name, value)


def told(world: Ordered) -> str:
    """Where only a person can go on: what the person is told; empty where all has ended; `?` where nothing is."""
    rows = world.journal.table()
    held = [world.journal.upload(i) for i in world.journal.held()]
    if held:
        return "the session is held"
    texts = [hold.way_out for hold in world.look().holds]
    if all(row[3] in ENDS for row in rows):
        return ""
    return " ".join(texts) or "?"


def without_way_out(nodes: dict[Hashable, Node]) -> list[str]:
    """What is wrong with the states: a plan that must not be, no end of turns, or nobody who is told what to do."""
    wrong = [line for node in nodes.values() for line in node.wrong]
    for node in nodes.values():
        at, steps = node, 0
        while not at.ended and not at.wrong and steps <= STEPS:
            at, steps = nodes[at.well], steps + 1
        if steps > STEPS:
            wrong.append(f"{node.path}: it does not end within {STEPS} turns")
        elif at.told == "?":
            wrong.append(f"{node.path}: it waits for ever, and nobody is told why")
    return wrong


def main() -> int:
    """Explore from the command line; 0 where every state has a way out."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--faults", type=int, default=2, help="things that go wrong on a way")
    given = parser.parse_args()
    found = 0
    for after_upload in ("keep", "delete"):
        started = time.monotonic()
        nodes = explore(a_folder("p", after_upload=after_upload), given.faults)
        wrong = without_way_out(nodes)
        found += len(wrong)
        seconds = time.monotonic() - started
        print(
            f"after_upload = {after_upload}: {len(nodes):,} states, {len(wrong)} wrong, {seconds:.0f} s",
            flush=True,
        )
        for line in wrong[:10]:
            print(line[:1000])
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
