"""abline on many real tables, through its commands: fit, compare, predict and score.

    python benchmarks/tables.py FOLDER [TABLE …]

FOLDER holds Parquet files, ``tables.json`` (file and target of each) and ``baselines.json``
(R² of each model over five folds). Each model's R² is held against that of its counterpart;
it passes at the counterpart's mean less its standard deviation. Prints a table in Markdown
and writes ``tables-results.json`` as it goes.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

COUNTERPARTS = {"line": "ols", "ridge": "ridge_cv", "network": "sklearn_mlp"}
RESULTS = Path("tables-results.json")


def abline(*arguments: str) -> dict:
    """Run a command; its JSON, or what went wrong."""
    run = subprocess.run(
        [sys.executable, "-m", "abline", *arguments, "--json", "--quiet"],
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode:
        raise RuntimeError(f"abline {' '.join(arguments)}: {run.stderr}")
    return json.loads(run.stdout)


def one_table(path: Path, target: str) -> dict:
    """Compare, fit the line, predict and score one table."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        compared = abline("compare", str(path), "-t", target)
        seconds = time.perf_counter() - start
        model, predictions = f"{folder}/m.model", f"{folder}/p.csv"
        abline("fit", str(path), "-t", target, "--model", "line", "-o", model)
        rows = abline("predict", model, str(path), "-o", predictions)["rows"]
        scored = abline("score", model, str(path))
    return {
        "rows": rows,
        "seconds": seconds,
        "line_on_its_own_rows": scored["scores"]["r2"],
        "chosen": compared["verdict"]["chosen"],
        "peak_gib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20,
        "models": {m["name"]: [m["scores"]["r2"], m["spread"]["r2"]] for m in compared["models"]},
    }


def cell(ours: list[float], theirs: dict) -> str:
    """``ours ± spread (theirs ± spread)``, marked where it falls short."""
    short = ours[0] < theirs["r2"] - theirs["r2_sd"]
    text = f"{ours[0]:.3f} ± {ours[1]:.3f} ({theirs['r2']:.3f} ± {theirs['r2_sd']:.3f})"
    return f"**short** {text}" if short else text


def main(folder: str, *names: str) -> None:
    root = Path(folder)
    tables = json.loads((root / "tables.json").read_text())
    baselines = json.loads((root / "baselines.json").read_text())
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name in names or sorted(tables, key=lambda t: tables[t]["rows"]):
        results[name] = one_table(root / tables[name]["file"], tables[name]["target"])
        RESULTS.write_text(json.dumps(results, indent=1))
        print(f"{name}: {results[name]}", file=sys.stderr, flush=True)
    print(
        "| table | rows | line (OLS) | ridge (RidgeCV) | network (sklearn MLP) | chosen "
        "| peak GiB so far |"
    )
    print("|---|---|---|---|---|---|---|")
    for name, result in results.items():
        cells = [
            cell(result["models"][ours], baselines[name][theirs])
            for ours, theirs in COUNTERPARTS.items()
        ]
        print(
            f"| {name} | {result['rows']:,} | {' | '.join(cells)} | {result['chosen']} "
            f"| {result['peak_gib']:.1f} |"
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
