"""The values that all decisions speak of."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, is_dataclass

import pytest

from uploader.core import model
from uploader.core.model import Destination, Fingerprint, Hold, Scope, SessionKey, Sidecar, Sighting

pytestmark = pytest.mark.unit

FINGERPRINT = Fingerprint(1, 2, 100, 3, 4)


@pytest.mark.parametrize(
    "kind",
    [one for one in vars(model).values() if isinstance(one, type) and is_dataclass(one)],
    ids=lambda kind: kind.__name__,
)
def test_no_value_changes(kind: type) -> None:
    """A plan that changed what it was given would not be the same twice."""
    value = object.__new__(kind)

    with pytest.raises(FrozenInstanceError):
        setattr(value, fields(kind)[0].name, 1)


def test_a_group_is_as_large_as_its_parts() -> None:
    """Sidecars are copied as well."""
    sidecar = Sidecar(b"a.tfw", ".tfw", Fingerprint(1, 3, 20, 3, 4))

    assert Sighting("/d", b"a.tif", FINGERPRINT).size == 100
    assert Sighting("/d", b"a.tif", FINGERPRINT, (sidecar, sidecar)).size == 140


@pytest.mark.parametrize("field", ["device", "inode", "size", "mtime_ns", "ctime_ns"])
def test_any_change_makes_another_fingerprint(field: str) -> None:
    """Also a clock that went back, and a change of rights alone."""
    changed = {one.name: getattr(FINGERPRINT, one.name) for one in fields(Fingerprint)}
    changed[field] -= 1

    assert Fingerprint(**changed) != FINGERPRINT


@pytest.mark.parametrize(
    ("destination", "target", "single"),
    [
        (Destination("p"), "p", False),
        (Destination("p", "c"), "p/c", False),
        (Destination("p", "c", "i"), "p/c/i", True),
        (Destination("p", item_id="i"), "p/i", True),
        (Destination("p", asset_key="a"), "p", True),
    ],
)
def test_a_session_is_known_by_where_it_goes(destination: Destination, target: str, single: bool) -> None:
    """The target as a hold names it, and whether there is room for one file only."""
    key = destination.key(categorical=True)

    assert (key.target, key.single, key.categorical) == (target, single, True)
    assert key != destination.key(categorical=False)
    assert isinstance(key, SessionKey)


def test_a_hold_is_one_line() -> None:
    """With its way out, where there is one."""
    assert Hold(Scope.FILE, "a", "It waits.", "Mend it.").text == "It waits. Mend it."
    assert Hold(Scope.FILE, "a", "It waits.").text == "It waits."
