"""A cluster for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.cluster import LocalCluster, cluster


@pytest.fixture(scope="session")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """A cluster of one worker that runs two conversions at once."""
    pytest.importorskip("distributed", reason="needs the extra `dask`")
    with cluster(tmp_path_factory.mktemp("cluster"), threads=2) as made:
        yield made
