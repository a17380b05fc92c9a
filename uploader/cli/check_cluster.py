"""The probe of `uploader check` that looks at the cluster which converts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from uploader.cli.check_finding import Finding, fail, ok, warn
from uploader.core.plurals import count_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from uploader.config import Settings
    from uploader.convert.engine.cluster.worker_check import ClusterFinding, WorkerFinding

MEND = "Install this version with its extra `dask` there, and mount the staging folder at the same path."


def all_findings(settings: Settings) -> Iterator[Finding]:
    """Look at the cluster, where one is set."""
    if settings.convert.engine == "local":
        return
    import anyio

    from uploader.convert.engine.cluster.link import Cluster
    from uploader.convert.engine.cluster.worker_check import checked

    convert = settings.convert
    cluster = Cluster(convert.scheduler, convert.tls_ca_file, convert.tls_cert_file, convert.tls_key_file)
    if not settings.staging.path.is_dir():
        yield warn(
            "cluster", f"{settings.staging.path} is not there yet.", "Make or mount it, and check again."
        )
        return
    yield from of_cluster(convert.scheduler, anyio.run(checked, cluster, settings.staging.path))


def of_cluster(scheduler: str, found: ClusterFinding) -> Iterator[Finding]:
    """What was found, in words: the whole, each worker that is not fit, and what is odd about the hosts."""
    if found.unavailable is not None:
        yield fail("cluster", found.unavailable.reason, found.unavailable.way_out)
        return
    if not found.workers:
        yield warn("cluster", f"{scheduler} has no workers.", "Start some; conversions wait for them.")
        return
    for one in found.workers:
        if one.why:
            yield fail(f"worker {one.worker}", one.why, MEND)
    fit = [one for one in found.workers if not one.why]
    if fit:
        workers = count_of(len(fit), "worker")
        yield ok("cluster", f"{scheduler}: {workers} fit, {found.slots} conversions at once in all.")
    yield from _hosts(fit)


def _hosts(fit: Sequence[WorkerFinding]) -> Iterator[Finding]:
    """Libraries that differ, and layers of confinement that are missing."""
    libraries = {f"GDAL {one.host.gdal}, rasterio {one.host.rasterio}" for one in fit}
    if len(libraries) > 1:
        text = f"they have different libraries: {'; '.join(sorted(libraries))}."
        yield warn("cluster", text, "Install the same wheels everywhere.")
    for name, ways in sorted({(one.host.name, _missing(one)) for one in fit}):
        if ways:
            yield warn(f"worker host {name}", "its confinement lacks a layer.", ways)


def _missing(one: WorkerFinding) -> str:
    return " ".join(one.host.confinement.missing()) if one.host.confinement else ""
