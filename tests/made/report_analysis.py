"""The analysis and the samples of a study that never was, with values that only look right."""

import io
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image
from scipy.stats import hypergeom

from priorscope.analysis.files import SCHEMAS
from priorscope.metrics import Scale, share

ARMS = {
    "mosaic": ("mosaic", "single_tile", "enlarged_tile"),
    "large_background": ("background", "grey", "enlarged"),
    "test": ("test",),
}
SIZES = {"mosaic": (64, 64, 64), "large_background": (128, 128, 128)}


def write_analysis(out, rng, finished, skill, num_classes, probes):
    """Write the four tables of an analysis, with values that only look right."""
    scores, estimates, comparisons, histograms = [], [], [], []
    models = list(dict.fromkeys(run["model"] for run in finished))
    for probe, component in {"test": {"name": "test"}, **probes}.items():
        metric = "top_k_matching" if component["name"] == "mosaic" else "top1"
        for position, arm in enumerate(ARMS.get(component["name"], ("treatment", "control"))):
            k = component.get("grid", 2) ** 2 if metric != "top1" and position == 0 else 1
            key = {"probe": probe, "arm": arm, "metric": metric}
            chance = k * k / num_classes
            means = {}
            for model in models:
                drop = {"test": 1.0, "mosaic": 0.75}.get(arm, 0.35 + 0.3 * position)
                mean = chance + (k - chance) * max(skill[model] - 0.1, 0.02) * drop
                values = [mean + rng.normal(0, 0.01) for r in finished if r["model"] == model]
                means[model] = float(np.mean(values))
                seeds = [run["seed"] for run in finished if run["model"] == model]
                scores += [
                    {"model": model, "seed": seed} | key | {"value": value, "n": 2000}
                    for seed, value in zip(seeds, values, strict=True)
                ]
                half = 0.02 * max(k / 2, 1)
                estimates.append(
                    {"model": model}
                    | key
                    | {
                        "estimate": means[model],
                        "low": means[model] - half,
                        "high": means[model] + half,
                        "method": "bootstrap over seeds and images",
                        "num_seeds": len(seeds),
                        "n": 2000,
                    }
                )
                if k > 1:
                    histograms += histogram(model, key, k, means[model], num_classes)
            row = {"estimate": chance, "low": None, "high": None, "method": "exact"}
            estimates.append({"model": "chance"} | key | row | {"num_seeds": None, "n": 2000})
            if k > 1:
                histograms += histogram("chance", key, k, chance, num_classes)
            for i, a in enumerate(models):
                for b in models[i + 1 :]:
                    difference = means[a] - means[b]
                    p = float(np.exp(-abs(difference) * 60 / k))
                    comparisons.append(
                        {"a": a, "b": b}
                        | key
                        | {
                            "difference": difference,
                            "low": difference - 0.03 * k,
                            "high": difference + 0.03 * k,
                            "p_value": p,
                            "p_adjusted": min(1.0, 3 * p),
                            "few_seeds": True,
                            "test": "paired permutation over 2,000 images, given the networks",
                            "num_seeds": 2,
                            "n": 2000,
                        }
                    )
    folder = out / "analysis"
    tables = {"scores": scores, "estimates": estimates}
    tables |= {"comparisons": comparisons, "histograms": histograms}
    tables["controls"] = controls = []
    for row in estimates:  # the first arm minus each other arm, where both are shares of images
        first = next(
            r for r in estimates if (r["model"], r["probe"]) == (row["model"], row["probe"])
        )
        if first is not row and row["model"] != "chance" and row["metric"] == "top1":
            difference = first["estimate"] - row["estimate"]
            controls.append(
                {"model": row["model"], "probe": row["probe"], "metric": "top1"}
                | {"arm": first["arm"], "control": row["arm"], "difference": difference}
                | {"low": difference - 0.02, "high": difference + 0.02, "num_seeds": 2, "n": 2000}
            )
    for name, rows in tables.items():
        pl.DataFrame(rows, schema=SCHEMAS[name]).write_parquet(folder_file(folder, name))


def write_matched(out, finished, probes):
    """Write three checkpoints of each run on each probe, and one pair of models."""
    points, pairs = [], []
    for probe, component in probes.items():
        metric = "top_k_matching" if component["name"] == "mosaic" else "top1"
        about = {"probe": probe, "metric": metric}
        about |= {"arm": ARMS.get(component["name"], ("treatment",))[0]}
        for run in finished:
            points += [
                {key: run[key] for key in ("model", "seed")}
                | about
                | {"epoch": epoch, "clean": 0.2 + 0.05 * epoch, "score": 0.1 + 0.03 * epoch}
                | {"largest": 1, "num_scenes": 500}
                for epoch in (2, 5, 10)
            ]
        names = list(dict.fromkeys(run["model"] for run in finished))
        if len(names) > 1:
            numbers = {"raw": {"estimate": 0.21, "low": 0.2, "high": 0.22}, "raw_n": 2000}
            numbers["matched"] = {"estimate": 0.01, "low": -0.02, "high": 0.04}
            numbers["method"] = "t interval over 2 + 2 seeds x 500 images; at equal clean accuracy"
            pairs.append(
                {"a": names[0], "b": names[1], **about, "n": 500, "num_checkpoints": [3]}
                | numbers
                | {"clean_range": [0.31, 0.65]}
            )
    found = {"points": points, "pairs": pairs, "note": None}
    write_json(out / "analysis" / "matched.json", found)


def write_verdicts(out, finished, hypotheses):
    """Write a verdict for each hypothesis, the kinds in turn."""
    kinds = ("supported", "refuted", "inconclusive")
    verdicts = []
    for number, declared in enumerate(hypotheses):
        contrast = {"level": None, "conditions": None} | declared["contrast"]
        runs = [run for run in finished if run["model"] in (contrast["a"], contrast["b"])]
        files = [f"runs/{run['run_id']}/predictions/{declared['probe']}.parquet" for run in runs]
        for file in files:
            (out / file).parent.mkdir(parents=True, exist_ok=True)
            (out / file).write_bytes(b"PAR1" * 50)
        estimate, spread = -0.137 + 0.1 * number, {"seed": [1e-4, None], "image": 0.2}
        spread |= {"seed_most": [4e-4, None]}
        verdicts.append(
            {"alpha": 0.05, "changed_after_results": None}
            | declared
            | {"contrast": contrast, "arms": [declared["condition"] or "test"], "range": [-1, 1]}
            | {"scale": asdict(share("Top-1 accuracy")), "chance": None}
            | {"seed_scores": {"vit": {"0": 0.5, "1": 0.6}}, "seed_effects": [0.0, 0.1]}
            | {"few_seeds": True, "split": {}, "stability": None}
            | {"confidence": 0.95, "estimate": estimate, "low": estimate - 0.01}
            | {"unadjusted": {"confidence": 0.9, "low": estimate - 0.008, "high": estimate + 0.008}}
            | {"high": estimate + 0.01, "p_value": 0.001, "p_contrary": 0.9, "p_adjusted": 0.002}
            | {"p_contrary_adjusted": 1.0, "method": "t interval", "num_seeds": 2, "n": 2000}
            | {
                "standard_error": 0.006,
                "df": 3.2,
                "detectable": 0.0415,
                "detectable_estimated": 0.0225,
            }
            | {"bootstrap_low": estimate - 0.009, "bootstrap_high": estimate + 0.009}
            | {"components": spread | {"residual": [0.1, None], "images_per_unit": 1}}
            | {"verdict": kinds[number % 3], "reason": f"Because of number {number}."}
            | {"runs": [run["run_id"] for run in runs], "predictions": files}
        )
    ended = {"num_epochs": 10, "num_images": 2000, "train_accuracy": 0.93}
    ended |= {"constant_accuracy": 0.1, "unfinished": {}, "not_learnt": {}, "obstacle": ""}
    write_json(
        out / "analysis" / "verdicts.json",
        {
            "verdicts": verdicts,
            "num_hypotheses": len(verdicts),
            "training": {run["model"]: ended for run in finished},
        },
    )


def scales(num_classes, probes):
    """List range, unit and chance of every arm, as `analysis.json` has them."""
    rows = []
    for probe, component in {"test": {"name": "test"}, **probes}.items():
        metric = "top_k_matching" if component["name"] == "mosaic" else "top1"
        for position, arm in enumerate(ARMS.get(component["name"], ("treatment", "control"))):
            k = component.get("grid", 2) ** 2 if metric != "top1" and position == 0 else 1
            scale = share("Top-1 accuracy")
            if k > 1:
                scale = Scale(f"Top-{k} matching", 0.0, k, f"of {k}", "", 1.0, 2)
            about = {"cell": "", "probe": probe, "arm": arm, "metric": metric}
            rows.append(about | {"scale": asdict(scale), "chance": f"one of {num_classes}"})
    return rows


def histogram(model, key, k, mean, num_classes):
    """Spread scores so that their mean is about right; exact for chance."""
    pmf = hypergeom(num_classes, k, k).pmf(np.arange(k + 1))
    if model != "chance":
        pmf = pmf * np.exp(np.arange(k + 1) * (mean - k * k / num_classes))
        pmf /= pmf.sum()
    return [
        {"model": model}
        | key
        | {"score": score, "fraction": float(pmf[score])}
        | {"low": max(0, pmf[score] - 0.02), "high": pmf[score] + 0.02, "n": 2000}
        for score in range(k + 1)
    ]


def write_samples(out, rng, class_names, probes):
    """Write one image a class, and six scenes of each probe in each arm."""
    train = [
        {"id": i, "arm": "", "label": name, "cluster": None, "png": png(rng, 32)}
        for i, name in enumerate(class_names)
    ]
    pl.DataFrame(train, schema_overrides={"cluster": pl.String}).write_parquet(
        folder_file(out / "samples", "train")
    )
    for probe, component in probes.items():
        arms = ARMS.get(component["name"], ("treatment", "control"))
        rows = []
        for position, arm in enumerate(arms):
            for scene in range(6):
                names = [class_names[(scene + j) % len(class_names)] for j in range(4)]
                many = component["name"] == "mosaic" and position == 0
                rows.append(
                    {
                        "id": scene,
                        "arm": arm,
                        "label": ", ".join(names) if many else names[0],
                        "cluster": None if component["name"] == "mosaic" else f"grass {scene}",
                        "png": png(rng, SIZES.get(component["name"], (32, 32))[0]),
                    }
                )
        pl.DataFrame(rows, schema_overrides={"cluster": pl.String}).write_parquet(
            folder_file(out / "samples", probe)
        )


def png(rng, side: int) -> bytes:
    """Draw a smooth random picture."""
    coarse = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC).save(file, "png")
    return file.getvalue()


def folder_file(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{name}.parquet"


def write_json(path: Path, value) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
