"""Run abline and its peers side by side and print ratios.

Every contender does the same job on the same data in the same process, several times, in turn;
the median counts. Each may be tried at several thread counts and stands with its best. Times
are printed for orientation only: machines differ, ratios travel better.
"""

from __future__ import annotations

import json
import platform
import statistics
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


#: seconds before each job: a library's idle threads spin for some time, and would take a processor
#: from the next one's
_PAUSE = 0.1


@dataclass
class Contender:
    """One way to do a job.

    Attributes
    ----------
    name : str
    job : callable without arguments
        Its result is handed to `quality`, if any.
    quality : callable, optional
        From the job's result to a number that shows the jobs are equals (a loss, say).
    """

    name: str
    job: Callable[[], object]
    quality: Callable[[object], float] | None = None


@dataclass
class Timing:
    """The median seconds of a contender at its best thread count."""

    name: str
    seconds: float
    threads: int
    runs: list[float] = field(repr=False)
    quality: float | None


def race(
    contenders: Sequence[Contender], *, runs: int = 5, threads: Sequence[int] = (1, 2)
) -> list[Timing]:
    """Time contenders in turn, one warm-up first."""
    taken: dict[tuple[str, int], list[float]] = {}
    qualities: dict[str, float | None] = {}
    for count in threads:
        with threadpool_limits(count):
            for turn in range(runs + 1):
                for contender in contenders:
                    time.sleep(_PAUSE)
                    start = time.perf_counter()
                    result = contender.job()
                    seconds = time.perf_counter() - start
                    if turn:
                        taken.setdefault((contender.name, count), []).append(seconds)
                    elif contender.quality is not None:
                        qualities[contender.name] = contender.quality(result)
    best = []
    for contender in contenders:
        per_count = {count: taken[contender.name, count] for count in threads}
        count = min(per_count, key=lambda c: statistics.median(per_count[c]))
        best.append(
            Timing(
                contender.name,
                statistics.median(per_count[count]),
                count,
                per_count[count],
                qualities.get(contender.name),
            )
        )
    return best


def report(title: str, timings: Sequence[Timing], path: Path | None = None) -> None:
    """Print ratios to the first contender, and write JSON where a path is given."""
    first = timings[0]
    print(f"{title}\n{machine()}")
    print(f"{'':<28}{'ratio':>8}{'seconds':>12}{'threads':>9}{'quality':>14}")
    for timing in timings:
        quality = "" if timing.quality is None else f"{timing.quality:.6g}"
        print(
            f"{timing.name:<28}{timing.seconds / first.seconds:>8.2f}{timing.seconds:>12.4g}"
            f"{timing.threads:>9}{quality:>14}"
        )
    if path is not None:
        content = {"title": title, "machine": machine(), "timings": [asdict(t) for t in timings]}
        path.write_text(json.dumps(content, indent=2))


def machine() -> str:
    """Say what this machine is."""
    import os

    model = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}"
