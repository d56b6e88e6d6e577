"""Execute one run: build, train, predict, and write down what happened."""

import hashlib
import json
import shutil
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_model, save_model
from torch import nn

from priorscope.errors import InputError, PriorscopeError, RunFailed
from priorscope.evaluation.predict import predict
from priorscope.evaluation.predictions import Predictions, write_predictions
from priorscope.probes import ProbeSet
from priorscope.study.environment import hardware, versions
from priorscope.study.plan import Run
from priorscope.study.prepare import ModelSize, StudyData, build_model
from priorscope.study.spec import Study, digest
from priorscope.study.store import is_finished, now, read_run, run_folder, write_json
from priorscope.training.loop import Epoch, train


@dataclass(frozen=True, eq=False)
class Context:
    """What all runs of a study share."""

    study: Study
    data: StudyData
    probes: Mapping[str, ProbeSet]
    sizes: Mapping[str, ModelSize]
    device: torch.device
    out: Path


def execute(run: Run, context: Context, on_epoch: Callable[[Epoch], None]) -> None:
    """Bring a run to its end: trained, its predictions on every probe stored.

    A finished run is not trained again; only predictions that are missing, or that were made on
    other probe images, are computed from its stored weights.

    Raises
    ------
    RunFailed : the loss or an answer is not finite, or the model fails
    InputError : stored weights cannot be read
    """
    folder = run_folder(context.out, run)
    if is_finished(context.out, run):
        _complete(run, context, folder)
        return
    shutil.rmtree(folder, ignore_errors=True)  # what an interrupted training left
    folder.mkdir(parents=True)
    study, data, started = context.study, context.data, now()

    model = _model(run, context)
    epochs: list[Epoch] = []

    def record(epoch: Epoch) -> None:
        epochs.append(epoch)
        with (folder / "metrics.jsonl").open("a", encoding="utf-8") as lines:
            lines.write(json.dumps(asdict(epoch)) + "\n")
        on_epoch(epoch)

    def accuracies(model: nn.Module) -> dict[str, float]:
        parts = {"test_accuracy": data.test, "held_out_accuracy": data.held_out}
        return {
            name: float((_logits(model, part.images, context).argmax(1) == part.labels).mean())
            for name, part in parts.items()
            if part is not None
        }

    devices = [context.device] if context.device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), _failures_of_the_model(folder):
        torch.manual_seed(run.seed)  # for dropout and the like, which know no other generator
        train(
            model,
            study.recipe,
            data.train.images,
            data.train.labels,
            preprocess=data.preprocess,
            seed=run.seed,
            device=context.device,
            accuracies=accuracies,
            on_epoch=record,
        )
    evaluation_started = time.perf_counter()
    made_on = {}
    with _failures_of_the_model(folder):
        save_model(model, str(folder / "model.safetensors.partial"))
        (folder / "model.safetensors.partial").replace(folder / "model.safetensors")
        for name, probe in context.probes.items():
            _predict(model, name, probe, context, folder)
            made_on[name] = fingerprint_of(probe)
    train_seconds = sum(epoch.seconds for epoch in epochs)
    write_json(
        {
            "run_id": run.run_id,
            "model": run.model,
            "seed": run.seed,
            **({"levels": dict(run.levels)} if run.levels else {}),
            "status": "finished",
            "component": run.component.as_dict(),
            **asdict(context.sizes[run.model]),
            "recipe": study.as_dict()["recipe"],
            "normalization": {"mean": data.preprocess.mean, "std": data.preprocess.std},
            "image_px": data.preprocess.image_px,
            "num_epochs": len(epochs),
            "train_seconds": train_seconds,
            "evaluate_seconds": time.perf_counter() - evaluation_started,
            "train_images_per_second": len(data.train) * len(epochs) / train_seconds,
            "data": data.fingerprints(),
            "probes": made_on,
            "device": str(context.device),
            "num_threads": torch.get_num_threads(),
            "started": started,
            "finished": now(),
            "versions": versions(),
            "hardware": hardware(context.device),
        },
        folder / "run.json",
    )


def fingerprint_of(probe: ProbeSet) -> str:
    """Hash everything of a probe that predictions depend on or carry."""
    parts = hashlib.sha256()
    for start in range(0, len(probe), 4096):
        parts.update(np.ascontiguousarray(probe.images[start : start + 4096]).data)
    columns = {name: column.tolist() for name, column in probe.conditions.items()}
    clusters = None if probe.clusters is None else probe.clusters.tolist()
    rest = [probe.ids.tolist(), columns, probe.targets.tolist(), clusters]
    return digest([parts.hexdigest(), rest, probe.class_names])


@contextmanager
def _failures_of_the_model(folder: Path) -> Iterator[None]:
    """Let what a model raises stop its run only; the traceback is kept beside its metrics."""
    try:
        yield
    except PriorscopeError:
        raise
    except Exception as error:
        path = folder / "error.txt"
        path.write_text(traceback.format_exc(), encoding="utf-8")
        raise RunFailed(f"{type(error).__name__}: {error} (traceback in {path})") from error


def _complete(run: Run, context: Context, folder: Path) -> None:
    """Compute the predictions that a finished run lacks, from its weights."""
    record = read_run(folder)
    made_on = dict(record.get("probes", {}))
    stale = [
        name
        for name, probe in context.probes.items()
        if made_on.get(name) != fingerprint_of(probe)
        or not (folder / "predictions" / f"{name}.parquet").is_file()
    ]
    if not stale:
        return
    model = _model(run, context)
    path = folder / "model.safetensors"
    try:
        load_model(model, path)
    except Exception as error:
        raise InputError(
            "stored weights cannot be read",
            where=path,
            found=f"{type(error).__name__}: {error}",
            hint=f"remove {folder} to train this run again",
        ) from error
    model.to(context.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    for name in stale:
        _predict(model, name, context.probes[name], context, folder)
        made_on[name] = fingerprint_of(context.probes[name])
    write_json({**record, "probes": made_on}, folder / "run.json")


def _model(run: Run, context: Context) -> nn.Module:
    return build_model(
        run.component,
        num_classes=context.data.train.num_classes,
        image_px=context.data.preprocess.image_px,
        seed=run.seed,
        base=context.study.base,
        where=f"models.{run.model}",
    )


def _logits(model: nn.Module, images: np.ndarray, context: Context) -> np.ndarray:
    return predict(
        model,
        images,
        preprocess=context.data.preprocess,
        device=context.device,
        precision=context.study.recipe.precision,
    )


def _predict(model: nn.Module, name: str, probe: ProbeSet, context: Context, folder: Path) -> None:
    logits = _logits(model, probe.images, context)
    if not np.isfinite(logits).all():
        raise RunFailed(f"the model's answers on probe {name} are not finite")
    answers = Predictions(
        logits=logits,
        targets=probe.targets,
        ids=probe.ids,
        conditions=probe.conditions,
        class_names=probe.class_names,
        clusters=probe.clusters,
    )
    write_predictions(answers, folder / "predictions" / f"{name}.parquet")
