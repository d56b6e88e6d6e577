"""Figures of factors and dials, drawn from made-up scores: what their labels say, and where."""

import re
from dataclasses import asdict
from itertools import combinations
from math import log10
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from priorscope.analysis import Findings, Settings, Trajectories
from priorscope.analysis.files import frames
from priorscope.metrics import share
from priorscope.report.figure import specification, to_svg
from priorscope.report.level_curves import panels_without
from priorscope.report.sections.dials import dial_plots, find_dials
from priorscope.report.sections.learning_curves import LABEL_PX, apart, curves_figure

WINDOWS = {"window_3": 3, "window_5": 5, "window_7": 7, "global": 9}
FRACTIONS = [0.125, 0.5, 1.0]
SKILL = {"window_3": 0.12, "window_5": 0.105, "window_7": 0.1, "global": 0.0}


def cell(fraction):
    return {"cell": f"train_fraction={fraction:g}", "train_fraction": fraction}


@pytest.fixture
def results():
    """Return a study of four windows at three sizes, in which the smallest window is best."""
    key = {"probe": "test", "arm": "test", "metric": "top1"}
    estimates, comparisons = [], []
    for fraction in FRACTIONS:
        means = {model: 0.5 + skill + 0.2 * fraction for model, skill in SKILL.items()}
        for model, mean in [*means.items(), ("chance", 0.1)]:
            estimates.append(
                {"model": model, "estimate": mean, "low": mean - 0.01, "high": mean + 0.01}
                | key
                | cell(fraction)
            )
        for a, b in combinations(means, 2):
            difference = means[a] - means[b]
            comparisons.append(
                {"a": a, "b": b, "difference": difference}
                | {"low": difference - 0.02, "high": difference + 0.02}
                | key
                | cell(fraction)
            )
    multipliers = [
        {"kind": "data_multiplier", "a": "window_3", "b": b, "factor": "train_fraction"}
        | key
        | {"num_images": 2000, "first": 0.72, "estimate": estimate, "bound": "exact"}
        for b, estimate in (("window_5", 1.05), ("window_7", 1.10), ("global", 1.9))
    ]
    models = {name: {"name": "skeleton", "window_size": w} for name, w in WINDOWS.items()}
    factors = {"train_fraction": {"keys": ["data.train_fraction"], "values": FRACTIONS}}
    cells = [
        cell(fraction) | {"data": {"train": {"num_images": int(4000 * fraction)}}}
        for fraction in FRACTIONS
    ]
    rows = {"estimates": estimates, "comparisons": comparisons, "effects": multipliers}
    return Findings(
        out=Path("out"),
        record={"study": {"models": models, "factors": factors}, "cells": cells},
        runs=[],
        epochs=pl.DataFrame(),
        **frames(rows, {"train_fraction": FRACTIONS}),
        control_models=[],
        verdicts=[],
        training={},
        trajectories=Trajectories([], [], None),
        scales=[key | {"scale": asdict(share("Top-1 accuracy"))}],
        ties=[],
        failed={},
        missing=(),
        missing_predictions=(),
        settings=Settings(),
    )


def texts(panel):
    """List what a panel has in words and numbers."""
    return re.findall(r">([^<>]+)</text>", to_svg(specification(panel)))


def test_of_multipliers_that_end_close_together_the_longest_is_marked(results):
    figure = curves_figure(results)
    marks = [text for text in texts(figure.panels[0]) if text.startswith("×")]
    assert sorted(marks) == ["×1.10", "×1.90"]
    rows = [
        row
        for layer in specification(figure.panels[0])["layer"]
        if layer["mark"]["type"] == "point"
        for row in layer["data"]["values"]
    ]
    heads = {row["model"]: row["text"] for row in rows if "to" in row}  # for tooltips
    assert heads == {"window_5": "×1.05", "window_7": "×1.10", "global": "×1.90"}
    assert "only the longest" in figure.caption


def test_marked_arrows_are_apart_and_every_other_is_near_one():
    arrows = [{"x": 100 + 7 * i, "to": 130 + 31 * i % 700, "y": i * 5 % 23} for i in range(40)]
    sizes, scores, panel_px = [100, 1000], [0, 23], (250, 190)
    chosen = apart(arrows, sizes, scores, panel_px)

    def touch(one, other):
        # The panel shows one decade of images on 250 px, and 23 points on 190 px.
        across = 250 * abs(log10(one["to"]) - log10(other["to"]))
        up = abs(one["y"] - other["y"]) * 190 / 23
        return across <= LABEL_PX[0] and up <= LABEL_PX[1]

    assert not any(touch(*pair) for pair in combinations(chosen, 2))
    for arrow in arrows:
        assert arrow in chosen or any(touch(arrow, other) for other in chosen)


def test_the_global_setting_of_a_dial_is_called_global(results):
    (dial,) = find_dials(results.study["models"])
    figure = dial_plots(results, dial)
    scores, differences = (texts(panel) for panel in figure.panels)
    assert scores[:4] == ["3", "5", "7", "global"]
    assert differences[:3] == ["3", "5", "7"]
    assert "Difference from global, pp" in differences
    assert "Global: window size 9, which covers the grid." in figure.caption


def test_panels_keep_the_order_of_levels_of_several_kinds():
    study = SimpleNamespace(factors={"f": ["none", 2, 1.0], "size": [1, 2]})
    rows = [{"f": level, "size": 1} for level in ("2", "1", "none")]  # as tables have them
    assert list(panels_without(study, rows, "size")) == ["f none", "f 2", "f 1"]
