"""Execute one run: build, train, predict, and write down what happened."""

import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_model
from torch import nn

from priorscope.errors import RunFailed
from priorscope.runs.answers import rows_of_few_scenes, trajectory_epochs, write_answers
from priorscope.runs.begun import begun_epochs, keep_epochs
from priorscope.runs.context import Context, answer, logits_on, rehearsed_of
from priorscope.runs.doubts import company_warnings, refuse_other_answers, training_warnings
from priorscope.runs.environment import hardware, versions
from priorscope.runs.failures import failures_of_the_model
from priorscope.runs.finished import Kept, what_is_kept
from priorscope.runs.given import begin_at, given_network, weights_file, weights_record
from priorscope.runs.given_images import as_seen
from priorscope.runs.measure import Bound, asked_of_networks, measure_all
from priorscope.runs.prepare_models import build_model, load_weights
from priorscope.runs.seals import file_digest
from priorscope.runs.store import is_finished, now, on_disk, read_lines, run_folder, write_json
from priorscope.study.cells import study_at
from priorscope.study.measures import State
from priorscope.study.plan import Run
from priorscope.training import distributed
from priorscope.training.checkpoint import Checkpoints
from priorscope.training.loop import Epoch, train
from priorscope.training.memory_format import lay_out
from priorscope.training.streams import seeded_streams

_SEALED = ("model.safetensors", "metrics.jsonl")


def execute(run: Run, context: Context, on_epoch: Callable[[Epoch], None]) -> None:
    """Bring a run to its end: trained, its predictions on every probe stored.

    A finished run is not trained again; only predictions that are missing, or that were made on
    other probe images, are computed from its stored weights. One that is damaged is set aside and
    made anew. A training that was interrupted continues from its last checkpoint. Where several
    processes train together, each of them calls this, and the first one writes.

    Raises
    ------
    RunFailed : the loss or an answer is not finite, or the model fails
    InputError : stored weights are not those of the model
    """
    context = replace(context, study=study_at(context.study, (), run.budget))
    context = replace(context, data=as_seen(context.study, run.model, context.data))
    folder = run_folder(context.out, run)
    finished = is_finished(context.out, run)
    distributed.wait_for_all()  # before the first process writes anything that others look for
    asked = asked_of_networks(context.study)
    if finished and (kept := what_is_kept(folder, context.probes, asked, context.study.base)):
        _complete(run, context, folder, kept, asked)
        return
    if run.is_given:
        _evaluate(run, context, folder, asked)
        return
    study, data, started = context.study, context.data, now()
    checkpoints = Checkpoints(folder / "checkpoint", context.checkpoint_seconds, run.run_id)
    epochs = begun_epochs(folder)
    model = _model(run, context)
    notes = _begin(run, model, context)

    def points() -> list[int]:
        if run.budget != 1:  # compared with whole trainings by their ends alone
            return []
        return trajectory_epochs([e["train_accuracy"] for e in epochs], study.recipe.epochs)

    def record(epoch: Epoch) -> None:
        # What was written after the checkpoint that training continued from is written anew.
        epochs[:] = [*(e for e in epochs if e["epoch"] < epoch.epoch), asdict(epoch)]
        if len(epochs) < epoch.epoch:
            raise RunFailed(f"epochs before {epoch.epoch} are lost: remove {folder} to start anew")
        if epoch.epoch in points():
            for name, probe in context.probes.items():
                rows = rows_of_few_scenes(probe, np.random.default_rng(zlib.crc32(name.encode())))
                path = folder / "trajectory" / f"epoch-{epoch.epoch:04d}" / f"{name}.parquet"
                write_answers(logits_on(model, probe, name, context, rows), name, probe, path, rows)
        if distributed.is_main():
            keep_epochs(epochs, folder)
        on_epoch(epoch)

    curves = {"test_accuracy": data.test, "held_out_accuracy": data.held_out}
    curves = {
        key: part.thinned(study.curve_images, np.random.default_rng(zlib.crc32(key.encode())))
        for key, part in curves.items()
        if part is not None
    }

    def accuracies(model: nn.Module) -> dict[str, float]:
        return {
            key: float((logits_on(model, part, key, context).argmax(1) == part.labels).mean())
            for key, part in curves.items()
        }

    with seeded_streams(run.seed, context.device), failures_of_the_model(folder, "training"):
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
            checkpoints=checkpoints,
        )
    train_seconds = sum(epoch["seconds"] for epoch in epochs)
    about = {
        "recipe": study.as_dict()["recipe"],
        "memory_format": rehearsed_of(run, context).memory_format,
        "num_epochs": len(epochs),
        "trajectory": points(),
        "train_seconds": train_seconds,
        "train_images_per_second": len(data.train) * len(epochs) / train_seconds,
        **_at_once(model, epochs[-1]["micro_batch_size"]),
        **weights_record(run, study, notes),
        "started": started,
    }
    _finish(run, model, context, folder, asked, about, epochs)
    if distributed.is_main():
        checkpoints.remove()


def _evaluate(run: Run, context: Context, folder: Path, asked: Mapping[str, Bound]) -> None:
    """Bring a run whose network is given to its end: nothing is trained."""
    started = now()
    begun_epochs(folder)  # what an interrupted evaluation left is made anew
    given = given_network(run, context.study, context.data, weights_file(run, context.study))
    about = {**weights_record(run, context.study, given.notes), "started": started}
    _finish(run, lay_out(given.network, context.device), context, folder, asked, about, ())


def _finish(
    run: Run,
    model: nn.Module,
    context: Context,
    folder: Path,
    asked: Mapping[str, Bound],
    about: Mapping[str, Any],
    epochs: Sequence[Mapping[str, Any]],
) -> None:
    """Store a network, ask it everything, and write the run's record last.

    Parameters
    ----------
    about : what the record says of where the network is from
    epochs : of its training here; none of a network that is given
    """
    evaluation_started = time.perf_counter()
    with failures_of_the_model(folder, "prediction"):
        if distributed.is_main():
            save_model(model, str(folder / "model.safetensors.partial"))
            (folder / "model.safetensors.partial").replace(folder / "model.safetensors")
        made_on = answer(model, list(context.probes), context, folder)
        said = _warnings(run, model, context, epochs)
    if distributed.is_main():
        sealed = [name for name in _SEALED if (folder / name).is_file()]
        for name in sealed:  # after a power cut what `run.json` says of them must be true
            on_disk(folder / name)
        record = {
            "run_id": run.run_id,
            "model": run.model,
            "seed": run.seed,
            **({"levels": dict(run.levels)} if run.levels else {}),
            **({"budget": run.budget} if run.budget != 1 else {}),
            "status": "finished",
            "component": run.component.as_dict(),
            **asdict(context.sizes[run.model]),
            **about,
            "normalization": {
                "mean": context.data.preprocess.mean,
                "std": context.data.preprocess.std,
            },
            "image_px": context.data.preprocess.image_px,
            "evaluate_seconds": time.perf_counter() - evaluation_started,
            "data": context.data.record(),
            "probes": made_on,
            "measurements": {},
            "warnings": said,
            "device": str(context.device),
            "num_devices": distributed.world_size(),
            "num_threads": torch.get_num_threads(),
            "finished": now(),
            "versions": versions(),
            "hardware": hardware(context.device),
            "files": {name: file_digest(folder / name) for name in sealed},
        }
        write_json(record, folder / "run.json", sealed=True)
    _measure(model, asked, run, context, folder)


def _at_once(model: nn.Module, micro_batch_size: int) -> dict[str, int]:
    """Say how many images passed through a model at once, and so through a batch norm, if any."""
    norms = [m for m in model.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm)]
    in_norms = {"num_batch_norm_images": micro_batch_size} if norms else {}
    return {"micro_batch_size": micro_batch_size, **in_norms}


def _complete(
    run: Run, context: Context, folder: Path, kept: Kept, asked: Mapping[str, Bound]
) -> None:
    """Compute the predictions and measurements that a finished run lacks, from its weights."""
    if kept.is_whole:
        return
    record = dict(kept.record)
    made_on = dict(record.get("probes", {}))
    if run.is_given:
        model = given_network(
            run, context.study, context.data, folder / "model.safetensors"
        ).network
    else:
        model = _model(run, context)
        load_weights(model, folder)
    lay_out(model, context.device)
    stale = [*kept.stale_probes, *kept.stale_measures]
    fresh = [name for name in made_on if name in context.probes and name not in kept.stale_probes]
    if stale and fresh:
        name = fresh[0]
        refuse_other_answers(
            lambda rows: logits_on(model, context.probes[name], name, context, rows),
            folder / "predictions" / f"{name}.parquet",
            stale,
        )
    made_on |= answer(model, kept.stale_probes, context, folder)
    epochs = read_lines(folder / "metrics.jsonl")
    record |= {"probes": made_on, "warnings": _warnings(run, model, context, epochs)}
    if distributed.is_main():
        write_json(record, folder / "run.json", sealed=True)
    _measure(model, {name: asked[name] for name in kept.stale_measures}, run, context, folder)


def _measure(
    model: nn.Module, asked: Mapping[str, Bound], run: Run, context: Context, folder: Path
) -> None:
    """Measure the network, and the one that its training began with: built as it was then.

    What a network that is given began with is not known.
    """
    networks: dict[State, nn.Module] = {"trained": model}
    if not run.is_given and any(each.measure.state == "untrained" for each in asked.values()):
        begun = _model(run, context)
        _begin(run, begun, context)
        networks["untrained"] = lay_out(begun, context.device)
    measure_all(
        networks,
        asked,
        context.probes,
        base=context.study.base,
        preprocess=context.data.preprocess,
        device=context.device,
        precision=context.study.recipe.precision,
        folder=folder,
    )


def _model(run: Run, context: Context) -> nn.Module:
    return build_model(
        run.component,
        num_classes=context.data.train.num_classes,
        image_px=context.data.preprocess.image_px,
        seed=run.seed,
        base=context.study.base,
        where=f"models.{run.model}",
        memory_format=rehearsed_of(run, context).memory_format,
    )


def _begin(run: Run, model: nn.Module, context: Context) -> list[str]:
    """Let training begin at initial weights, where the study names any; return the notes."""
    if run.weights is None:
        return []
    return begin_at(
        model,
        context.study.weights[run.model],
        weights_file(run, context.study),
        num_classes=context.data.train.num_classes,
        where=f"models.{run.model}",
    )


def _warnings(
    run: Run, model: nn.Module, context: Context, epochs: Sequence[Mapping[str, Any]]
) -> list[str]:
    """Say what makes a run's numbers mean something else than they seem to, a line each."""
    recipe, data, device = context.study.recipe, context.data, context.device
    of_training = [] if run.is_given else training_warnings(model, recipe, len(data.train), epochs)
    return [
        *rehearsed_of(run, context).warnings,
        *of_training,
        *company_warnings(model, data.test.images, data.preprocess, device, recipe.precision),
    ]
