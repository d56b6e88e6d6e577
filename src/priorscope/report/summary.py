"""What a study shows in words, and what it cannot say; every phrase follows from its numbers."""

from dataclasses import dataclass

from priorscope.claims.training import FITTED_ACCURACY
from priorscope.report.artefacts import CHANCE, Artefacts, Row, select
from priorscope.report.figures_intervals import select_arm
from priorscope.report.late import late_changes
from priorscope.report.tables_control_models import control_warnings
from priorscope.report.tables_results import Column
from priorscope.report.tables_study import differing_environment
from priorscope.report.wording import count, counted, listed, plain

_MOST_PAIRS = 9  # named in words
_MOST_MODELS = 6  # named in words


@dataclass(frozen=True)
class Summary:
    """The text at the top of the page: one paragraph, then what limits it, then warnings."""

    paragraph: str
    limits: tuple[str, ...]
    warnings: tuple[str, ...]


def summarise(artefacts: Artefacts, columns: list[Column]) -> Summary:
    """Put a study into words; `columns` are the test images and what each probe is about."""
    sentences = [
        _what_was_done(artefacts),
        *judged_sentences(artefacts),
        *_leaders(artefacts, columns),
    ]
    sentences += _differences(artefacts, columns)
    return Summary(
        " ".join(sentences), tuple(limits_of(artefacts, columns)), warnings_of(artefacts)
    )


def _what_was_done(artefacts: Artefacts) -> str:
    data, recipe = artefacts.record["data"], artefacts.study["recipe"]
    models = artefacts.models
    seeds = {model: _num_seeds(artefacts, model) for model in models}
    per_model = sorted(set(seeds.values()))
    one = len(models) == 1
    text = f"{named_models(models)} {'was' if one else 'were'} trained from scratch "
    text = f"{text[0].upper()}{text[1:]}" if len(models) > _MOST_MODELS else text
    text += "" if one else "under one recipe "
    text += f"on {count(data['train']['num_images'])} images of {data['title']}"
    text += f" for {counted(recipe['epochs'], 'epoch')}"
    if len(per_model) == 1:
        text += f" with {counted(per_model[0], 'seed')}"
    else:
        text += f" with {per_model[0]} to {per_model[-1]} seeds"
    text += "" if one else " each"
    text += f", then tested on {count(data['test']['num_images'])} test images"
    if artefacts.probes:
        text += f" and on {counted(len(artefacts.probes), 'probe')} ({listed(artefacts.probes)})"
    return f"{text}."


def judged_sentences(artefacts: Artefacts) -> list[str]:
    """Count the verdicts and name the hypotheses of each."""
    by_verdict: dict[str, list[str]] = {}
    for row in artefacts.verdicts:
        by_verdict.setdefault(row["verdict"], []).append(row["id"])
    if not by_verdict:
        return []
    parts = [
        f"{len(names)} {verdict} ({listed(names)})"
        for verdict in ("supported", "refuted", "inconclusive")
        if (names := by_verdict.get(verdict))
    ]
    declared = len(artefacts.verdicts)
    return [
        f"Of {declared} declared {'hypothesis' if declared == 1 else 'hypotheses'}, "
        f"{listed(parts)}."
    ]


def _leaders(artefacts: Artefacts, columns: list[Column]) -> list[str]:
    """Say who scored highest and lowest on each column, with intervals, and what chance is."""
    sentences = []
    for probe, arm, metric, _ in columns:
        rows = sorted(select_arm(artefacts, probe, arm, metric), key=lambda r: -r["estimate"])
        if not rows:
            continue
        scale = artefacts.scale(probe, arm, metric)
        chance = artefacts.estimate(CHANCE, probe, arm, metric)
        where = "On the test images" if probe == "test" else f"On {probe}"
        text = f"{where}, {scale.phrase} "
        if len(rows) == 1:
            text += f"was {with_unit(scale.estimate(rows[0]), scale.symbol)}"
        elif len({scale.value(row["estimate"]) for row in rows}) == 1:
            value = with_unit(scale.value(rows[0]["estimate"]), scale.symbol)
            text += f"was {value} for every model"
        else:
            scores = [with_unit(scale.estimate(row), scale.symbol) for row in (rows[-1], rows[0])]
            text += f"ran from {scores[0]} ({rows[-1]['model']}) to {scores[1]} "
            text += f"({rows[0]['model']})"
        if chance:
            value = with_unit(scale.value(chance["estimate"]), scale.symbol)
            text += f"; chance is {value}"
            if near := _indistinct_from(rows, chance["estimate"]):
                ends = ("s", "") if len(near) > 1 else ("", "s")
                text += (
                    f", which the {artefacts.confidence} interval{ends[0]} of {named_models(near)} "
                )
                text += f"include{ends[1]}"
        sentences.append(f"{text}.")
    return sentences


def _differences(artefacts: Artefacts, columns: list[Column]) -> list[str]:
    """Count the differences that are clear, and name a few."""
    sentences, num_pairs, num_clear = [], 0, 0
    for probe, arm, metric, _ in columns:
        rows = select(artefacts.comparisons, probe=probe, arm=arm, metric=metric)
        clear = [row for row in rows if artefacts.is_clear(row)]
        num_pairs += len(rows)
        num_clear += len(clear)
        if not clear:
            continue
        scale = artefacts.scale(probe, arm, metric)
        largest = sorted(clear, key=lambda row: -abs(row["difference"]))
        largest = largest[: max(1, _MOST_PAIRS // len(columns))]
        named = [_clear_difference(row, scale) for row in largest]
        where = "On the test images" if probe == "test" else f"On {probe}"
        more = len(clear) - len(largest)
        named += [f"{more} more"] if more else []
        sentences.append(f"{where}, {listed(named)}.")
    unclear = num_pairs - num_clear
    if not num_pairs:
        return []
    level = f"p\N{NO-BREAK SPACE}<\N{NO-BREAK SPACE}{artefacts.analysis['alpha']:g}"
    opening = (
        f"Of {counted(num_pairs, 'difference')} between models on the test images and on what the "
        f"probes are about, {num_clear or 'none'} "
        f"{'are' if num_clear > 1 else 'is'} clear ({level} after Holm"
        "\N{RIGHT SINGLE QUOTATION MARK}s correction, and an interval without zero)"
    )
    closing = f"The other {unclear} are not" if unclear != 1 else "The other one is not"
    closing += " clear in either direction, which is no evidence that models are equal."
    tail = [closing] if unclear and sentences else []
    if unclear and not sentences:
        tail = ["That is no evidence that models are equal."]
    return [f"{opening}{':' if sentences else '.'}", *_run_on(sentences), *tail]


def _run_on(sentences: list[str]) -> list[str]:
    """Join sentences into one after a colon, without their capitals."""
    if not sentences:
        return []
    return ["; ".join(f"{text[0].lower()}{text[1:-1]}" for text in sentences) + "."]


def _clear_difference(row: Row, scale) -> str:
    a, b, low, high = row["a"], row["b"], row["low"], row["high"]
    difference = row["difference"]
    if difference < 0:
        a, b, difference = b, a, -difference
        low, high = (
            (None if row["high"] is None else -row["high"]),
            (None if row["low"] is None else -row["low"]),
        )
    text = f"{scale.value(difference, signed=True)} {scale.interval(low, high, signed=True)}"
    return f"{a} above {b} ({with_unit(text.strip(), scale.difference_symbol)})"


def limits_of(artefacts: Artefacts, columns: list[Column]) -> list[str]:
    """Say what the numbers cannot show: few seeds, unfitted models, unequal sizes."""
    limits = []
    num_seeds = min(_num_seeds(artefacts, run["model"]) for run in artefacts.runs)
    if num_seeds == 1:
        one = len(artefacts.models) == 1
        limits.append(
            "With one seed, intervals cover the choice of test images only: they speak of this "
            "trained network, not of its architecture."
            if one
            else "With one seed, intervals and p-values cover the choice of test images only. They "
            "speak of these trained networks, not of their architectures: another seed can change "
            "the order."
        )
    elif num_seeds < 5:
        limits.append(
            f"{counted(num_seeds, 'seed').capitalize()} a model say little about how much results "
            "vary between trainings; small differences need more."
        )
    fits = _training_accuracy(artefacts)
    unfitted = [model for model, accuracy in fits.items() if accuracy < FITTED_ACCURACY]
    if unfitted:
        values = [100 * fits[model] for model in unfitted]
        nobody = len(fits) > 1 and unfitted == list(fits)
        who = "No model had" if nobody else f"{named_models(unfitted)} had not"
        span = f"{min(values):.1f}\N{NO-BREAK SPACE}%"
        span += f" to {max(values):.1f}\N{NO-BREAK SPACE}%" if len(values) > 1 else ""
        lengths = sorted({run["num_epochs"] for run in artefacts.runs})
        many = " to ".join([*map(str, lengths[:-1][:1]), counted(lengths[-1], "epoch")])
        limits.append(
            f"{who} fitted the training images when training ended (accuracy "
            f"on them in the last epoch: {span}): the numbers below are "
            f"about {many} of training, not about "
            "what can be reached"
            f"{'; a longer training can change the order' if len(fits) > 1 else ''}."
        )
    sizes = {run["model"]: run["num_parameters"] for run in artefacts.runs}
    costs = {run["model"]: run["macs"] for run in artefacts.runs if run["macs"]}
    parts = [
        f"{what} by a factor of {max(found.values()) / min(found.values()):.2g}"
        for what, found in (("parameters", sizes), ("multiply-accumulates", costs))
        if found and max(found.values()) > 1.1 * min(found.values())
    ]
    if parts:
        limits.append(
            f"Models differ in {listed(parts)}, so that size or cost can stand behind a difference."
        )
    with_controls = [probe for probe, *_ in columns if len(artefacts.arms(probe)) > 1]
    if with_controls:
        limits.append(
            "A low score on a probe alone does not name its cause: read it beside the control arms "
            f"({listed(with_controls)})."
        )
    return limits


def warnings_of(artefacts: Artefacts) -> tuple[str, ...]:
    """Say what went wrong, or was changed, while the study ran."""
    warnings = control_warnings(artefacts)
    if missing := artefacts.missing:
        names = [f"{run['model']} seed {run['seed']} ({run['run_id']})" for run in missing]
        warnings.append(
            f"{len(missing)} of {counted(len(artefacts.record['plan']), 'planned run')} "
            f"{'is' if len(missing) == 1 else 'are'} missing from the numbers below, not finished "
            f"or without predictions: {listed(names, most=20)}."
        )
    if places := differing_environment(artefacts):
        warnings.append(
            f"Runs were made in different places: {listed(map(plain, places))} differ; see "
            "\N{LEFT DOUBLE QUOTATION MARK}Hardware and versions\N{RIGHT DOUBLE QUOTATION MARK}."
        )
    warnings += late_changes(artefacts.record.get("history", []))
    warnings += _of_runs(artefacts)
    return tuple(warnings)


def _of_runs(artefacts: Artefacts) -> list[str]:
    """Repeat what runs warn of, and say where answers tie."""
    texts: dict[str, list[str]] = {}
    for run in artefacts.runs:
        for text in run.get("warnings", []):
            texts.setdefault(text, []).append(f"{run['model']} seed {run['seed']}")
    said = [f"{listed(names)}: {text}." for text, names in texts.items()]
    tied: dict[tuple[str, int], Row] = {}
    for row in artefacts.analysis.get("ties", []):
        tied.setdefault((row["model"], row["seed"]), row)
    if tied:
        named = [
            f"{model} seed {seed} on {row['num_tied']:,} of {row['n']:,} ({row['probe']})"
            for (model, seed), row in tied.items()
        ]
        said.append(
            f"Several classes share the largest logit in some answers: {listed(named, most=6)}. "
            "Each of them counts by its share."
        )
    if artefacts.study.get("convergence"):
        said.append(
            "The study sets a convergence criterion, which earlier versions used; it is ignored: "
            "a loss that has come to rest shows that the schedule ended, and nothing more."
        )
    return said


def named_models(models: list[str]) -> str:
    """Name a few models, count many."""
    return listed(models) if len(models) <= _MOST_MODELS else counted(len(models), "model")


def _num_seeds(artefacts: Artefacts, model: str) -> int:
    return len(select(artefacts.runs, model=model))


def _training_accuracy(artefacts: Artefacts) -> dict[str, float]:
    """Average each model's accuracy on its training images in the last epoch over its seeds."""
    fits = {}
    for model in artefacts.models:
        rows = select(artefacts.epochs, model=model)
        last = max((row["epoch"] for row in rows), default=0)
        found = [row["train_accuracy"] for row in rows if row["epoch"] == last]
        if found:
            fits[model] = sum(found) / len(found)
    return fits


def _indistinct_from(rows: list[Row], chance: float) -> list[str]:
    return [
        row["model"]
        for row in rows
        if row["low"] is not None and row["low"] <= chance <= row["high"]
    ]


def with_unit(text: str, symbol: str) -> str:
    """Set a unit behind an estimate's number, before its interval: "2.0 % [1.8, 2.2]"."""
    if not symbol:
        return text
    number, space, interval = text.partition(" ")
    return f"{number}\N{NO-BREAK SPACE}{symbol.replace(' ', chr(160))}{space}{interval}"
