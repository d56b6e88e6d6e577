"""A study's output folder as `run` leaves it, with answers whose accuracy is known."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from priorscope.evaluation import Predictions, write_predictions

CLASSES = tuple(f"class {i}" for i in range(10))


def answers(
    targets: np.ndarray, skill: float, rng: np.random.Generator, difficulty: np.ndarray
) -> np.ndarray:
    """Return logits: noise, raised at the present classes by `skill` minus the row's difficulty."""
    present = targets if targets.ndim == 2 else np.eye(10, dtype=bool)[targets]
    return rng.normal(size=(len(targets), 10)) + (skill - difficulty)[:, None] * present


def test_set(n: int) -> dict:
    return {
        "targets": np.arange(n) % 10,
        "ids": np.arange(n),
        "conditions": {"arm": np.full(n, "test")},
        "clusters": None,
    }


def mosaic_set(n: int) -> dict:
    rng = np.random.default_rng(1)
    chosen = rng.permuted(np.tile(np.arange(10), (n, 1)), axis=1)[:, :4]
    targets = np.zeros((3, n, 10), dtype=bool)
    targets[0, np.arange(n)[:, None], chosen] = True
    targets[1:, np.arange(n), chosen[:, 0]] = True
    arms = ("mosaic", "single_tile", "enlarged_tile")
    return {
        "targets": targets.reshape(-1, 10),
        "ids": np.tile(np.arange(n), 3),
        "conditions": {"arm": np.repeat(arms, n)},
        "clusters": None,
    }


def background_set(n: int) -> dict:
    arms = ("background", "grey", "enlarged")
    return {
        "targets": np.tile(np.arange(n) % 10, 3),
        "ids": np.tile(np.arange(n), 3),
        "conditions": {"arm": np.repeat(arms, n)},
        "clusters": np.tile(np.array([f"picture {i // 10 % 20}" for i in range(n)]), 3),
    }


SETS = {"test": test_set, "combined": mosaic_set, "background": background_set}


@pytest.fixture
def make_out(tmp_path: Path) -> Callable[..., Path]:
    def make(
        models: dict[str, float],
        seeds: tuple[int, ...] = (0, 1),
        num_images: int = 200,
        hypotheses: list[dict] | None = None,
    ) -> Path:
        plan = [
            {"run_id": f"{model}-s{seed}-0000", "model": model, "seed": seed}
            for model in models
            for seed in seeds
        ]
        study = {
            "models": {model: {"name": model} for model in models},
            "seeds": list(seeds),
            "recipe": {"epochs": 10},
            "hypotheses": hypotheses or [],
            "probes": {"combined": {"name": "mosaic"}, "background": {"name": "large_background"}},
        }
        data = {"train": {"num_images": 1000, "class_counts": [100] * 10}}
        record = {"study": study, "plan": plan, "data": data}
        (tmp_path / "study.json").write_text(json.dumps(record))
        for number, run in enumerate(plan):
            folder = tmp_path / "runs" / run["run_id"]
            rng = np.random.default_rng([7, number])
            for probe, make_set in SETS.items():
                made = make_set(num_images)
                difficulty = np.random.default_rng(3).normal(size=num_images)[made["ids"]]
                logits = answers(made["targets"], models[run["model"]], rng, difficulty)
                answer = Predictions(logits.astype(np.float32), class_names=CLASSES, **made)
                write_predictions(answer, folder / "predictions" / f"{probe}.parquet")
            lines = [
                {"epoch": epoch, "train_loss": loss, "train_accuracy": 0.9, "test_accuracy": 0.5}
                for epoch, loss in enumerate((2, *[0.5] * 9), start=1)
            ]
            (folder / "metrics.jsonl").write_text("".join(f"{json.dumps(d)}\n" for d in lines))
            (folder / "run.json").write_text(json.dumps(run | {"status": "finished"}))
        return tmp_path

    return make
