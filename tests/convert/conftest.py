"""What the tests of conversions share: a pool that ends with each module."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.pool import POOL


@pytest.fixture(scope="module", autouse=True)
def _pool_ends() -> Iterator[None]:
    yield
    POOL.close()
