"""Copy what a study found into `results/`: its record, tables and charts, without any photograph.

    python results/collect.py OUT results/NAME

Predictions and weights stay where they are: they are large, and the command in `study.json` makes
them again. A README.md that lies in the folder already is kept.
"""

import argparse
import json
import re
import shutil
from pathlib import Path

import polars as pl

OF_PICTURES = ("classes", "samples-")  # figures that show images of the dataset


def collect(out: Path, folder: Path) -> None:
    """Copy the artefacts of `out` to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(out / "study.yaml", folder)
    record = json.loads((out / "study.json").read_text(encoding="utf-8"))
    # Places are no settings.
    record["command"] = re.sub(r" --(out|data-root) \S+", "", record["command"])
    text = json.dumps(record, indent=1, ensure_ascii=False)
    (folder / "study.json").write_text(text + "\n", encoding="utf-8")
    for path in sorted((out / "analysis").glob("*.parquet")):
        if not (rows := pl.read_parquet(path)).is_empty():
            rows.write_csv(folder / f"{path.stem}.csv")
    for path in sorted((out / "analysis").glob("*.json")):
        shutil.copy(path, folder)
    runs = sorted(path.parent for path in out.glob("runs/*/run.json"))
    curves = [
        pl.read_ndjson(run / "metrics.jsonl").insert_column(0, pl.lit(run.name).alias("run_id"))
        for run in runs
    ]
    pl.concat(curves).drop("held_out_accuracy").write_csv(folder / "epochs.csv")
    for kind, pattern in (("tables", "*.md"), ("figures", "*.svg")):
        shutil.rmtree(folder / kind, ignore_errors=True)
        (folder / kind).mkdir()
        for path in sorted((out / "report" / kind).glob(pattern)):
            if not path.name.startswith(OF_PICTURES):
                shutil.copy(path, folder / kind)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    collect(arguments.out, arguments.folder)
