"""Limits of the machine, and the share of them that stages reach."""

import os
import platform
import subprocess
import sys
import time

import pytest
import torch

from priorscope.preflight.check_cells import check_cells
from priorscope.preflight.speed import (
    BYTES,
    PRODUCTS,
    Limits,
    Stage,
    arm_stages,
    matrix_peak,
    pipeline_stages,
)
from priorscope.runs.environment import _quota, choose_threads
from priorscope.runs.load_cells import cell_loader
from priorscope.study.load import parse_study

CPU = torch.device("cpu")


def test_a_share_is_work_by_time_and_limit():
    limits = Limits({"fp32": 4e9, "bf16": 1e10}, 2e9)
    products = Stage("cnn", "forward", 50, 0.5, 1e9, PRODUCTS)
    assert products.images_per_second == 100
    assert products.share(limits, "fp32") == pytest.approx(0.5)
    assert products.share(limits, "bf16") == pytest.approx(0.2)
    assert Stage("", "gather", 1, 0.25, 1e8, BYTES).share(limits, "bf16") == pytest.approx(0.2)


def test_the_matrix_peak_is_what_products_timed_by_hand_reach():
    a, b = torch.randn(2, 512, 512)

    def by_hand(seconds):
        times, started = [], time.perf_counter()
        while not times or time.perf_counter() - started < seconds:
            begun = time.perf_counter()
            torch.mm(a, b)
            times.append(time.perf_counter() - begun)
        return 2 * 512**3 / min(times)

    # Other processes slow both down, but not at the same moments: in turns, and the best of each.
    peaks, hands = [], []
    for _ in range(50):
        peaks.append(matrix_peak(CPU, 512, torch.float32, seconds=0.05))
        hands.append(by_hand(0.05))
        if 0.4 < max(peaks) / max(hands) < 2.5:
            return
    raise AssertionError(f"matrix_peak gives {max(peaks):.3g}, by hand it is {max(hands):.3g}")


def test_the_matrix_peak_is_the_work_of_a_product_by_its_shortest_time(monkeypatch):
    monkeypatch.setattr("priorscope.preflight.speed._rounds", lambda *_: [0.5, 0.25, 4.0])
    assert matrix_peak(CPU, 8, torch.float32) == 2 * 8**3 / 0.25


def test_stages_of_a_study_do_the_work_that_its_layers_need(tiny, tmp_path, monkeypatch):
    monkeypatch.setattr("priorscope.preflight.speed.SECONDS", 0.01)
    study = parse_study(
        tiny.replace("vit: {name: vit_nano", "vit: {name: linear} #"), base=tmp_path
    )
    load = cell_loader(study, tmp_path)
    cell = load(())
    sizes = check_cells(study, load).sizes[()]
    shared = pipeline_stages(study, cell.data, CPU)
    names = ["gather", "random_crop", "horizontal_flip", "normalise", "input pipeline"]
    assert [stage.name for stage in shared] == names
    assert shared[-1].work == sum(stage.work for stage in shared[:-1])
    stages = {
        stage.name: stage
        for stage in arm_stages("vit", study, cell.data, cell.probes, sizes["vit"], CPU)
    }
    weights = 10 * 3 * 32 * 32
    assert stages["forward"].work == 2 * weights * 50  # a batch of 50
    assert stages["backward"].work == 2 * stages["forward"].work
    # Adam reads weights, gradients and two moments, and writes all but the gradients.
    assert stages["optimizer"].work == 7 * 4 * (weights + 10)
    assert stages["evaluation"].num_images == 100
    assert stages["probe combined"].num_images == 60
    assert all(stage.seconds > 0 for stage in stages.values())


@pytest.mark.parametrize(("text", "cores"), [("150000 100000\n", [2]), ("max 100000\n", [])])
def test_a_quota_of_a_control_group_counts_as_processors(tmp_path, text, cores):
    (tmp_path / "cpu.max").write_text(text)
    assert _quota(tmp_path / "cpu.max") == cores
    assert _quota(tmp_path / "absent") == []


def test_threads_are_as_many_as_processors_granted_unless_the_user_says(monkeypatch):
    chosen = []
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    monkeypatch.setattr(torch, "set_num_threads", chosen.append)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 3}, raising=False)
    monkeypatch.setattr("priorscope.runs.environment._quota", lambda _: [])
    for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    assert choose_threads() == 2
    monkeypatch.setattr("priorscope.runs.environment._quota", lambda _: [1])
    assert choose_threads() == 1
    assert chosen == [2, 1]
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    assert choose_threads() == 8
    assert chosen == [2, 1]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a setting of glibc")
@pytest.mark.parametrize("given", [{}, {"MALLOC_TOP_PAD_": "0"}])
def test_freed_memory_is_used_again_unless_the_user_says(given):
    program = """
import resource, torch
from priorscope.runs.environment import give_back_freed_memory, keep_freed_memory
keep_freed_memory()
def num_faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    torch.zeros(16, 2**20)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
num_pages = 16 * 2**22 // resource.getpagesize()
print(min(num_faults() for _ in range(9)) < num_pages / 10)
give_back_freed_memory()
print(num_faults() < num_pages / 10)
"""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MALLOC_")}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, env=clean | given, capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(not given), "False"]
