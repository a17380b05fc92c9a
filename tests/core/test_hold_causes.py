"""The table of causes: what stands there of each."""

from __future__ import annotations

import pytest

from uploader.core.hold_causes import CAUSES
from uploader.core.holds import USUAL
from uploader.core.model import HoldCause, Scope

pytestmark = pytest.mark.unit


def test_every_cause_has_its_facts() -> None:
    """In sentences that end, of scopes that exist; together the causes cover all scopes."""
    assert set(CAUSES) == set(HoldCause)
    for facts in CAUSES.values():
        assert facts.scopes
        assert facts.happened.endswith(".")
        assert facts.way_out.endswith(".")
    known = [facts.scopes for cause, facts in CAUSES.items() if cause is not HoldCause.UNKNOWN]
    assert {scope for scopes in known for scope in scopes} == set(Scope)


@pytest.mark.parametrize(("scope", "cause"), USUAL.items())
def test_the_usual_cause_of_a_scope_is_one_of_its_causes(scope: Scope, cause: HoldCause) -> None:
    """Or a hold of an earlier version would be told twice."""
    assert scope in CAUSES[cause].scopes
