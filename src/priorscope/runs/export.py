"""Write a probe set as plain files for other tools."""

from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from priorscope.probes import ProbeSet


def export(probe: ProbeSet, out: Path) -> None:
    """Write images, and labels in the forms that tools read.

    - `images/<arm>/<id>.png`
    - `examples.csv`: file, id, arm and the other conditions, cluster, label (class names)
    - `labels/<arm>.csv`: one row an example of that arm in the order of `examples.csv`: its class
      id, or one 0/1 column a class; `priorscope score --labels` reads it
    - `classes.txt`: one class name a line
    """
    files = [
        f"images/{arm}/{scene:06d}.png"
        for arm, scene in zip(probe.conditions["arm"], probe.ids, strict=True)
    ]
    for arm in probe.arms:
        (out / "images" / arm).mkdir(parents=True, exist_ok=True)
    for file, image in zip(files, probe.images, strict=True):
        Image.fromarray(image).save(out / file)
    multi_hot = probe.targets.ndim == 2
    present = [np.flatnonzero(row) if multi_hot else [row] for row in probe.targets]
    columns = {
        "file": files,
        "id": probe.ids,
        **probe.conditions,
        **({} if probe.clusters is None else {"cluster": probe.clusters}),
        "label": ["|".join(probe.class_names[label] for label in row) for row in present],
    }
    pl.DataFrame(columns).write_csv(out / "examples.csv")
    (out / "labels").mkdir()
    for arm in probe.arms:
        rows = probe.targets[probe.conditions["arm"] == arm].astype(np.int64)
        np.savetxt(out / "labels" / f"{arm}.csv", rows, fmt="%d", delimiter=",")
    (out / "classes.txt").write_text("\n".join(probe.class_names) + "\n", encoding="utf-8")
