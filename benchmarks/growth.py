"""How time and memory grow with rows and columns: ``python benchmarks/growth.py``.

Each case runs in a process of its own. Memory is what the fit adds to the peak that the table
itself had reached; ratios are to scikit-learn's LinearRegression on the same table.
"""

from __future__ import annotations

import json
import subprocess
import sys

ROWS = [(n, 20) for n in (1_000, 10_000, 100_000, 1_000_000)]
COLUMNS = [(10_000, p) for p in (10, 100, 300, 1_000, 3_000)]

CASE = """
import json, resource, statistics, sys, time
import numpy as np
from threadpoolctl import threadpool_limits
name, n, p = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
if name == "abline":
    from abline.linear import LinearRegression
else:
    from sklearn.linear_model import LinearRegression
rng = np.random.default_rng(0)
X = rng.standard_normal((n, p))
y = X[:, 0] + rng.standard_normal(n)
LinearRegression().fit(X[:50, :2], y[:50])
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
taken = []
with threadpool_limits(2):
    for _ in range(max(3, min(50, 10_000_000 // (n * p)))):
        start = time.perf_counter()
        model = LinearRegression().fit(X, y)
        taken.append(time.perf_counter() - start)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(json.dumps({
    "seconds": statistics.median(taken), "mib": (after - before) / 1024,
    "engine": getattr(model, "engine_", ""),
}))
"""


def case(name: str, n: int, p: int) -> dict[str, float | str]:
    command = [sys.executable, "-W", "ignore", "-c", CASE, name, str(n), str(p)]
    found: dict[str, float | str] = json.loads(subprocess.check_output(command))
    return found


def main() -> None:
    print(
        "| rows × columns | table MiB | engine | seconds | extra MiB | scikit-learn / abline "
        "| its MiB |"
    )
    print("|---|---|---|---|---|---|---|")
    for n, p in ROWS + COLUMNS:
        ours, theirs = case("abline", n, p), case("scikit-learn", n, p)
        ratio = float(theirs["seconds"]) / float(ours["seconds"])
        print(
            f"| {n:,} × {p:,} | {n * p * 8 / 2**20:,.0f} | {ours['engine']} "
            f"| {ours['seconds']:.2g} | {ours['mib']:,.0f} | {ratio:.1f} | {theirs['mib']:,.0f} |"
        )


if __name__ == "__main__":
    main()
