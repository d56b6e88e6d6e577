"""A study's output folder with made-up but plausible contents."""

import json
from pathlib import Path

import numpy as np
from report_analysis import (
    scales,
    write_analysis,
    write_json,
    write_matched,
    write_samples,
    write_verdicts,
)

CIFAR10 = ["airplane", "automobile", "bird", "cat", "deer"]
CIFAR10 += ["dog", "frog", "horse", "ship", "truck"]
MODELS = {
    "cnn": {"name": "resnet_nano"},
    "vit": {"name": "vit_nano"},
    "local_vit": {"name": "local_vit_nano", "window_size": 3},
}
PROBES = {
    "combined": {"name": "mosaic", "num_images": 2000, "grid": 2},
    "background": {"name": "large_background", "num_images": 2000, "canvas_px": 128},
}
HYPOTHESES = [
    {
        "id": "H2",
        "statement": "A ViT without a locality bias is worse than a CNN on little data.",
        "contrast": {"a": "vit", "b": "cnn"},
        "probe": "test",
        "metric": "top1",
        "expect": "less",
        "margin": None,
        "condition": None,
    },
    {
        "id": "H3",
        "statement": "Local attention performs like the CNN.",
        "contrast": {"a": "local_vit", "b": "cnn"},
        "probe": "test",
        "metric": "top1",
        "expect": "equivalent",
        "margin": 0.02,
        "condition": None,
    },
]


def fabricate(
    out: Path,
    *,
    models=MODELS,
    seeds=(0, 1),
    class_names=CIFAR10,
    probes=PROBES,
    hypotheses=HYPOTHESES,
    num_epochs=10,
    missing=(),
    samples=True,
    matched=True,
    name="cifar10_nano",
    description="Three small architectures on a fifth of CIFAR-10.",
    title="CIFAR-10 (JPEG re-encoding)",
) -> Path:
    """Write every artefact that a report reads; `missing` are (model, seed) without a run.json."""
    rng = np.random.default_rng(0)
    plan = [
        {"run_id": f"m{m}-s{seed}-1a2b3c4d", "model": model, "seed": seed}
        for m, model in enumerate(models)
        for seed in seeds
    ]
    recipe = {
        "optimizer": "adam",
        "learning_rate": 0.001,
        "schedule": "one_cycle",
        "batch_size": 128,
        "epochs": num_epochs,
        "weight_decay": 0.0005,
        "augment": ["random_crop", "horizontal_flip"],
        "precision": "fp32",
    }
    versions = {"priorscope": "0.1.0", "python": "3.11.9", "torch": "2.11.0", "numpy": "2.1.0"}
    hardware = {
        "cpu": "Some CPU",
        "num_cores": 2,
        "memory_gib": 23.4,
        "gpu": None,
        "platform": "Linux-6.1",
    }
    write_json(
        out / "study.json",
        {
            "name": name,
            "description": description,
            "hash": "0123456789abcdef",
            "created": "2026-11-22T15:30:00+00:00",
            "command": "priorscope run cifar10_nano --data-root data",
            "history": [],
            "study": {
                "data": {"name": "cifar10", "train_fraction": 0.2, "held_out_fraction": 0.0},
                "recipe": recipe,
                "models": models,
                "seeds": list(seeds),
                "probes": probes,
                "hypotheses": hypotheses,
            },
            "plan": plan,
            "data": {
                "title": title,
                "class_names": list(class_names),
                "image_px": 32,
                "train": {"num_images": 10000, "fingerprint": "aaaabbbbccccdddd"},
                "test": {"num_images": 10000, "fingerprint": "eeeeffff00001111"},
            },
            "versions": versions,
            "hardware": hardware,
        },
    )
    skill = {model: 0.66 - 0.5 * (m % 3 == 1) / 3 - 0.02 * m for m, model in enumerate(models)}
    finished = [run for run in plan if (run["model"], run["seed"]) not in set(missing)]
    for run in finished:
        folder = out / "runs" / run["run_id"]
        m = list(models).index(run["model"])
        write_json(
            folder / "run.json",
            run
            | {
                "status": "finished",
                "component": models[run["model"]],
                "num_parameters": 272474 + 5000 * m,
                "macs": 40_800_000 + 1_000_000 * m,
                "recipe": recipe,
                "normalization": {"mean": [0.49, 0.48, 0.45], "std": [0.2, 0.2, 0.2]},
                "num_epochs": num_epochs,
                "train_seconds": 123.4 + m,
                "evaluate_seconds": 12.3,
                "train_images_per_second": 812.0 - m,
                "device": "cpu",
                "num_threads": 2,
                "started": "2026-11-22T15:30:00+00:00",
                "finished": "2026-11-22T15:33:00+00:00",
                "versions": versions,
                "hardware": hardware,
            },
        )
        rise = 1 - np.exp(-3 * np.arange(1, num_epochs + 1) / num_epochs)
        wobble = rng.normal(0, 0.01, num_epochs)
        lines = [
            {
                "epoch": e + 1,
                "step": 79 * (e + 1),
                "train_loss": 2.3 - 1.9 * skill[run["model"]] * rise[e] + wobble[e],
                "train_accuracy": 0.1 + (skill[run["model"]] - 0.1) * rise[e],
                "test_accuracy": 0.1 + (skill[run["model"]] - 0.1) * rise[e] + wobble[e],
                "learning_rate": 0.0004,
                "seconds": 12.1,
                "images_per_second": 826.0,
            }
            for e in range(num_epochs)
        ]
        (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    if samples:
        write_samples(out, rng, class_names, probes)
    write_analysis(out, rng, finished, skill, len(class_names), probes)
    write_verdicts(out, finished, hypotheses)
    write_matched(out, finished, probes if matched else {})
    there = {run["run_id"] for run in finished}
    write_json(
        out / "analysis" / "analysis.json",
        {
            "missing": [run["run_id"] for run in plan if run["run_id"] not in there],
            "missing_predictions": [],
            "scales": scales(len(class_names), probes),
            "ties": [],
            "alpha": 0.05,
            "num_resamples": 2000,
            "rng_seed": 0,
        },
    )
    return out
