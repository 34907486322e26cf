#!/usr/bin/env python3
"""Plays the cases against a binary of the bot: one line each, PASS, FAIL (a promise broken), WORLD (this suite failed) or SKIP."""

from __future__ import annotations

import argparse
import asyncio
import fnmatch
import importlib
import os
import pkgutil
import subprocess
import sys
import tempfile
from pathlib import Path

import cases
from world import harness

CHECKOUT = Path(__file__).resolve().parents[2]


def load() -> list[harness.Case]:
    for module in sorted(m.name for m in pkgutil.iter_modules(cases.__path__)):
        importlib.import_module(f"cases.{module}")
    return harness.CASES


def chosen(known: list[harness.Case], patterns: list[str], quick: bool) -> list[harness.Case]:
    def fits(case: harness.Case) -> bool:
        named = not patterns or any(fnmatch.fnmatch(case.name.lower(), f"*{p.lower()}*") for p in patterns)
        return named and (case.quick or not quick)

    return [case for case in known if fits(case)]


async def play(played: list[harness.Case], binary: Path, lanes: int, keep: Path) -> list[harness.Result]:
    keep.mkdir(parents=True, exist_ok=True)
    shared = harness.Shared(binary, keep)
    room = asyncio.Semaphore(lanes)

    async def one(case: harness.Case) -> harness.Result:
        async with room:
            result = await harness.play(case, shared, keep)
        print(f"{result.verdict:5} {case.name} ({result.seconds:.0f}s) {result.seen}".replace("\n", " ⏎ "), flush=True)
        return result

    return await asyncio.gather(*(one(case) for case in played))


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, default=CHECKOUT / "target" / "debug" / "snapshot-bot")
    parser.add_argument("--lanes", type=int, default=4, help="how many cases are played at once")
    parser.add_argument("--keep", type=Path, help="where each case's journal stays; else in a new temporary directory")
    parser.add_argument("--quick", action="store_true", help="only the cases that take some five seconds each")
    parser.add_argument("--list", action="store_true", help="name the cases and play none")
    parser.add_argument(
        "--metadata",
        action="store_true",
        help="in a network namespace of its own, where 169.254.169.254 can be played (root)",
    )
    parser.add_argument("patterns", nargs="*", help="names, or parts of them, with * and ?")
    return parser.parse_args()


def in_a_namespace() -> int:
    inside = [argument for argument in sys.argv if argument != "--metadata"]
    prepare = 'ip link set lo up && ip addr add 169.254.169.254/32 dev lo && exec "$@"'
    return subprocess.run(["unshare", "-n", "sh", "-c", prepare, "sh", sys.executable, *inside], check=False).returncode


def main() -> int:
    asked = options()
    if asked.metadata:
        return in_a_namespace()
    played = chosen(load(), asked.patterns, asked.quick)
    if asked.list:
        print("\n".join(case.name for case in played))
        return 0
    if not played:
        print("no case has such a name")
        return 1
    keep = asked.keep or Path(tempfile.mkdtemp(prefix="snapshot-bot-foreign-"))
    results = asyncio.run(play(played, asked.binary.resolve(), asked.lanes, keep.resolve()))
    passed, skipped = (sum(result.verdict == verdict for result in results) for verdict in ("PASS", "SKIP"))
    failed = len(results) - passed - skipped
    print(f"{passed} passed, {failed} failed, {skipped} skipped; journals in {keep}")
    if skipped and os.environ.get("REQUIRE_ALL"):
        print("REQUIRE_ALL is set, so no case may be skipped")
        return 1
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
