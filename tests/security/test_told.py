"""How the confinement of a host is told: in `uploader check`, and what the unit must allow for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from uploader.cli import check_machine
from uploader.convert.isolation.syscalls import SETUP
from uploader.convert.isolation.verdict import TRIED, Confinement

pytestmark = pytest.mark.unit

_UNIT = Path(__file__).resolve().parents[2] / "systemd" / "uploader.service"


def test_a_confined_host_is_well():
    """Each layer is named, and there is nothing to do."""
    finding = check_machine._confinement(Confinement(namespace=True, landlock=7, seccomp=True))

    assert (finding.verdict, finding.way_out) == ("ok", "")
    assert finding.text == ("network: own namespace and seccomp; files: Landlock (ABI 7); syscalls: seccomp.")


def test_the_units_own_walls_are_no_weakness():
    """Without the namespace, which the unit forbids, seccomp holds the network: that is well too."""
    assert check_machine._confinement(Confinement(landlock=4, seccomp=True)).verdict == "ok"


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (Confinement(namespace=True, seccomp=True, reached=TRIED[:2]), ("files: none", "lsm=")),
        (Confinement(namespace=True, landlock=7, reached=TRIED[3:4]), ("syscalls: none", "x86_64")),
        (Confinement(reached=TRIED), ("network: none", "open a socket", "user namespaces")),
    ],
)
def test_a_weak_host_is_warned_of_with_the_way_out(found: Confinement, words: tuple[str, ...]):
    """What is missing, what a child could do therefore, and what to do about it."""
    finding = check_machine._confinement(found)

    assert finding.verdict == "warn"
    assert all(word in f"{finding.text} {finding.way_out}" for word in words)
    assert all(what in finding.text for what in found.reached)


def test_what_was_possible_in_spite_of_every_layer_is_a_warning():
    """A layer that says it holds and does not is not believed."""
    found = Confinement(namespace=True, landlock=7, seccomp=True, reached=TRIED[:1])

    assert check_machine._confinement(found).verdict == "warn"


def test_it_travels_as_json():
    """What the child tells is what the parent reads."""
    found = Confinement(namespace=True, landlock=7, seccomp=True, reached=TRIED[:1])

    assert Confinement.from_json(found.to_json()) == found


def test_the_unit_allows_what_confinement_needs():
    """Landlock's calls are in no group that every systemd knows, so the unit names them."""
    allowed = _UNIT.read_text().split()

    assert {name for name in SETUP if name.startswith("landlock")} <= {
        word.removeprefix("SystemCallFilter=") for word in allowed
    }
