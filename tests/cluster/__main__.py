"""Conversion on a Dask cluster on this machine, at length. All processes are real and listen on loopback only.

python -m tests.cluster storm --files 200 --every 5    # workers, scheduler and daemon are killed meanwhile
python -m tests.cluster scale --workers 64             # how many one daemon feeds, and what a file costs it
python -m tests.cluster poison                         # a raster with which each worker dies
python -m tests.cluster tls                            # certificates: ours, others, none
python -m tests.cluster throughput                     # two workers of one core each against one
"""

from __future__ import annotations

import argparse
import sys

from tests.cluster import poison, scale, storm, tls


def main() -> int:
    """Do what is asked; 0 where nothing is wrong."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    killing = commands.add_parser("storm")
    killing.add_argument("--files", type=int, default=200)
    killing.add_argument("--every", type=float, default=5.0, help="seconds between two kills of a worker")
    killing.add_argument("--seed", type=int, default=1)
    killing.add_argument("--compare", action="store_true", help="with the same storm in the local engine")
    feeding = commands.add_parser("scale")
    feeding.add_argument("--workers", type=int, default=64)
    feeding.add_argument("--seconds", type=float, default=20.0, help="that a simulated conversion takes")
    feeding.add_argument("--rounds", type=int, default=3, help="conversions of each worker")
    feeding.add_argument("--daemon", action="store_true", help="with all that a daemon does, to a sandbox")
    feeding.add_argument("--known", type=int, default=0, help="completed files of the daemon's journal")
    pair = commands.add_parser("throughput")
    pair.add_argument("--files", type=int, default=12)
    commands.add_parser("tls")
    commands.add_parser("poison")
    given = parser.parse_args()
    match given.command:
        case "storm":
            return storm.main(given.files, given.every, given.seed, compare=given.compare)
        case "poison":
            return poison.main()
        case "tls":
            return tls.main()
        case "scale":
            if given.daemon:
                return scale.fed_by_a_daemon(given.workers, given.seconds, given.rounds, given.known)
            return scale.feeds(given.workers, given.seconds, given.rounds)
        case _:
            return scale.pair(given.files)


if __name__ == "__main__":
    sys.exit(main())
