"""What a study shows in words, and what it cannot say; every phrase follows from its numbers."""

from dataclasses import dataclass

from priorscope.analysis import Findings
from priorscope.analysis.findings import cell_of, select
from priorscope.claims.inference import MIN_SEEDS
from priorscope.claims.training import FITTED_ACCURACY
from priorscope.metrics import NBSP
from priorscope.report.sections.comparisons import difference_sentences
from priorscope.report.sections.factors import effect_sentences, variance_sentences
from priorscope.report.sections.given import given_sentences
from priorscope.report.sections.glance import score_sentences
from priorscope.report.sections.learning_curves import multiplier_sentences
from priorscope.report.sections.verdicts import verdict_sentences
from priorscope.report.warnings import warnings_of
from priorscope.report.wording import (
    MOST_MODELS,
    capital,
    count,
    counted,
    counted_seeds,
    level_text,
    listed,
    named_models,
    plain,
    spanned,
)
from priorscope.study.given import given_models, initial_models, single_networks


@dataclass(frozen=True)
class Summary:
    """The text at the top of the page: one paragraph, then what limits it, then warnings."""

    paragraph: str
    limits: list[str]
    warnings: list[str]


def summarise(results: Findings) -> Summary:
    """Put a study into words."""
    sentences = [
        _what_was_done(results),
        *verdict_sentences(results),
        *score_sentences(results),
        *difference_sentences(results),
        *effect_sentences(results),
        *multiplier_sentences(results),
        *variance_sentences(results),
    ]
    return Summary(" ".join(sentences), _limits(results), warnings_of(results))


def _what_was_done(results: Findings) -> str:
    data, models = results.record["data"], results.models
    cells = [results.at(cell) for cell in results.cells]
    sizes = {cell.record["data"]["train"]["num_images"] for cell in cells}
    text = _how_trained(results, sizes)
    if results.factors:
        levels = "; ".join(
            f"{plain(name)} {listed(map(level_text, values))}"
            for name, values in results.factors.items()
        )
        text += f" at {counted(len(cells), 'combination')} of levels ({levels})"
    text += f", then tested on {count(data['test']['num_images'])} test images"
    if results.probes:
        text += f" and on {counted(len(results.probes), 'probe')} ({listed(results.probes)})"
    return f"{capital(text) if len(models) > MOST_MODELS else text}."


def _how_trained(results: Findings, sizes: set[int]) -> str:
    """Say which models were trained here, by how much, and which are evaluated as given."""
    title, study = results.record["data"]["title"], results.study
    trained, parts = [name for name in results.models if name not in given_models(study)], []
    cells = [results.at(cell) for cell in results.cells]
    if trained:
        seeds = {len(select(cell.runs, model=model)) for cell in cells for model in trained}
        epochs = sorted({run["num_epochs"] for run in results.runs if "num_epochs" in run})
        one, begun = len(trained) == 1, set(initial_models(study)) & set(trained)
        text = f"{named_models(trained)} {'was' if one else 'were'} trained "
        text += "" if begun else "from scratch "
        text += "" if one else "under one recipe "
        text += f"on {spanned(sizes)} images of {title} for {_epochs(epochs)}"
        text += f" with {counted_seeds(seeds)}{'' if one else ' each'}"
        parts.append(text)
    if given := [name for name in results.models if name not in trained]:
        networks = sum(len(select(cell.runs, model=name)) for cell in cells for name in given)
        text = f"{named_models(given)} {'was' if len(given) == 1 else 'were'} evaluated as given "
        parts.append(f"{text}({counted(networks, 'network')}, trained elsewhere)")
    return " and ".join(parts) if trained else f"{parts[0]} on {title}"


def _epochs(numbers: list[int]) -> str:
    return " to ".join([*map(str, numbers[:-1][:1]), counted(numbers[-1], "epoch")])


def _limits(results: Findings) -> list[str]:
    """Say what the numbers cannot show: few seeds, unfitted models, unequal sizes."""
    limits = [*given_sentences(results), *_few_seeds(results), *_unfitted(results)]
    parts = []
    for what, key in (("parameters", "num_parameters"), ("multiply-accumulates", "macs")):
        found = [run[key] for run in results.runs if run[key]]
        if found and max(found) > 1.1 * min(found):
            parts.append(f"{what} by a factor of {max(found) / min(found):.2g}")
    if parts:
        limits.append(
            f"Models differ in {listed(parts)}, so that size or cost can stand behind a difference."
        )
    if with_controls := [probe for probe in results.probes if len(results.arms(probe)) > 1]:
        limits.append(
            "A low score on a probe alone does not name its cause: read it beside the control arms "
            f"({listed(with_controls)})."
        )
    if results.factors:
        limits.append(
            "Interactions and variance shares speak of the levels that were chosen, and of the "
            "recipe at each of them; a fixed number of epochs gives less training where there are "
            "fewer images."
        )
    return limits


def _few_seeds(results: Findings) -> list[str]:
    single = single_networks(results.study)  # of which more is said
    keys = [(run["model"], cell_of(run)) for run in results.runs if run["model"] not in single]
    num_seeds = min(map(keys.count, keys), default=MIN_SEEDS)
    if num_seeds == 1 and len(results.models) == 1:
        return [
            "With one seed, intervals cover the choice of test images only: they speak of this "
            "trained network, not of its architecture."
        ]
    if num_seeds == 1:
        return [
            "With one seed, intervals and p-values cover the choice of test images only. They "
            "speak of these trained networks, not of their architectures: another seed can change "
            "the order."
        ]
    if num_seeds < MIN_SEEDS:
        return [
            f"{counted(num_seeds, 'seed').capitalize()} a model say little about how much results "
            "vary between trainings; small differences need more."
        ]
    return []


def _unfitted(results: Findings) -> list[str]:
    """Name the models that had not fitted their training images, in any cell."""
    fits: dict[str, list[float]] = {}
    for cell in results.cells:
        epochs = results.at(cell).epochs
        for model in results.models:
            rows = select(epochs, model=model)
            last = [r["train_accuracy"] for r in rows if r["epoch"] == rows[-1]["epoch"]]
            if last:
                fits.setdefault(model, []).append(sum(last) / len(last))
    unfitted = [model for model, found in fits.items() if min(found) < FITTED_ACCURACY]
    if not unfitted:
        return []
    values = [100 * each for m in unfitted for each in fits[m] if each < FITTED_ACCURACY]
    nobody = len(fits) > 1 and unfitted == list(fits)
    who = "No model had" if nobody else f"{named_models(unfitted)} had not"
    span = f"{min(values):.1f}{NBSP}%"
    span += f" to {max(values):.1f}{NBSP}%" if len(values) > 1 else ""
    many = _epochs(sorted({run["num_epochs"] for run in results.runs if "num_epochs" in run}))
    longer = "; a longer training can change the order" if len(fits) > 1 else ""
    return [
        f"{who} fitted the training images when training ended (accuracy on them in the last "
        f"epoch: {span}): the numbers below are about {many} of training, not about what can be "
        f"reached{longer}."
    ]
