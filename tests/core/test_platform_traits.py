"""A profile is read as if it were wrong, and what it does not tell is taken in its harshest reading."""

from __future__ import annotations

from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

import pytest

from uploader.core.platform_traits import OLDEST, LiveProfile, Repeated, Traits, profile_of

pytestmark = pytest.mark.unit

NOW = 1_800_000_000.0
HERE = "https://api.example.com"
KIND = {
    "transfer_method": "signed_url",
    "items_per": "file",
    "initiate_repeated": "same",
    "complete_repeated": "ids",
    "names_in_items": True,
    "visible_after": 0.0,
    "url_life": None,
    "items_update": "ok",
}
"""The facts of the kindest platform."""


def profile(facts: Any = None, *, age: float = 60.0, **other: Any) -> dict[str, Any]:
    """A profile as a check writes it."""
    date = datetime.fromtimestamp(NOW - age, UTC).isoformat(timespec="milliseconds")
    return {
        "date": date,
        "base_url": HERE,
        "project": "p-2",
        "facts": KIND if facts is None else facts,
        **other,
    }


def traits(**facts: Any) -> Traits:
    """What follows from some facts beside the kindest."""
    return profile_of(profile({**KIND, **facts}), HERE, NOW).traits


@pytest.mark.parametrize(
    ("fact", "value", "trait", "expected"),
    [
        ("items_per", "session", "merges", True),
        ("transfer_method", "cli", "transfer_method", "cli"),
        ("initiate_repeated", "another", "initiate_repeated", Repeated.ANOTHER),
        ("initiate_repeated", "HTTP 409", "initiate_repeated", Repeated.REFUSED),
        ("initiate_repeated", "", "initiate_repeated", Repeated.UNKNOWN),
        ("complete_repeated", "none", "silent_complete", True),
        ("complete_repeated", "HTTP 409", "silent_complete", True),
        ("names_in_items", False, "names_hidden", True),
        ("visible_after", 2.5, "visible_after", 2.5),
        ("visible_after", 0.3, "visible_after", 0.0),
        ("url_life", 77, "url_life", 77.0),
        ("items_update", "HTTP 404", "no_updates", True),
        ("items_update", "HTTP 403", "no_updates", False),
    ],
)
def test_each_fact_shows_one_trait(fact: str, value: Any, trait: str, expected: Any) -> None:
    """And no other: a key without a scope says nothing of the platform."""
    kindest, found = traits(), traits(**{fact: value})

    assert getattr(found, trait) == expected
    assert {
        each.name for each in fields(Traits) if getattr(found, each.name) != getattr(kindest, each.name)
    } <= {trait}


def test_what_was_not_found_out_is_as_without_a_profile() -> None:
    """A check that came to an end early tells little."""
    assert profile_of(profile({}), HERE, NOW).traits == Traits()
    assert profile_of(profile({"names_in_items": None, "items_per": ""}), HERE, NOW).traits == Traits()


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ([], "holds no facts"),
        ({"facts": []}, "holds no facts"),
        (profile(date="today"), "no date"),
        (profile(date="2027-01-01T00:00:00"), "no date in UTC"),
        (profile(date=7), "no text"),
        (profile(project=""), "no project"),
        (profile(base_url="https://other.example.com"), "another platform"),
        (profile(age=OLDEST + 1), "older than 90 days"),
        (profile(age=-200_000), "future"),
        (profile({"items_per": "scene"}), "items_per"),
        (profile({"items_per": "HTTP 404"}), "items_per"),
        (profile({"transfer_method": "a b\n"}), "transfer_method"),
        (profile({"names_in_items": "no"}), "names_in_items"),
        (profile({"visible_after": True}), "visible_after"),
        (profile({"visible_after": float("nan")}), "visible_after"),
        (profile({"url_life": -1}), "url_life"),
        (profile({"url_life": 10**400}), "url_life"),
    ],
)
def test_a_profile_that_cannot_be_used_says_why(found: Any, why: str) -> None:
    """Nothing of it is taken over."""
    with pytest.raises(ValueError, match=why):
        profile_of(found, HERE, NOW)


def test_a_status_tells_the_profile_or_why_it_is_not_used() -> None:
    """Where there is none, nothing is told."""
    used = profile_of(profile(), f"{HERE}/", NOW)

    assert used.to_json() == {"date": used.date, "project": "p-2", "ignored": None}
    assert LiveProfile(ignored="Why.").to_json() == {"date": None, "project": None, "ignored": "Why."}
    assert LiveProfile().to_json() is None
