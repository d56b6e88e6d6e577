"""`benchmarks/gpu.py` where there is no GPU: its checks can fail, its table says what it should."""

import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from priorscope.study.checked import ModelSize


@pytest.fixture
def benchmark(monkeypatch):
    """Give the two modules of the benchmark, and the function that runs it with arguments."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    import gpu
    import gpu_checks

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["gpu.py", *arguments])
        return gpu.main()

    yield gpu, gpu_checks, run
    for name in ("gpu", "gpu_checks"):
        del sys.modules[name]


def test_without_a_gpu_it_says_so(benchmark, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    *_, run = benchmark
    assert run() == 2
    assert "no CUDA GPU here" in capsys.readouterr().err
    assert run("--device", "cpu") == 2
    assert "--tiny" in capsys.readouterr().err


def test_it_runs_to_its_end_on_a_cpu(benchmark, capsys):
    *_, run = benchmark
    assert run("--device", "cpu", "--tiny", "--only", "cnn_5m", "--modes", "eager") == 0
    printed = capsys.readouterr().out
    assert "0 bytes differ" in printed and "these numbers say nothing" in printed
    (row,) = (line for line in printed.splitlines() if line.startswith("cnn_5m"))
    assert " ok " in row and "%" in row and row.endswith("min")


def test_it_stops_itself(benchmark, capsys):
    *_, run = benchmark
    assert run("--device", "cpu", "--tiny", "--seconds", "0.001") == 1
    printed = capsys.readouterr().out
    assert "time is up" in printed
    assert [line.split()[-1] for line in printed.splitlines() if line.startswith("vit")] == [
        "–"
    ] * 3


class Wobbly(nn.Module):
    """A linear classifier that answers a little otherwise from its third call on."""

    calls = 0

    def __init__(self, wobble):
        super().__init__()
        self.linear, self.wobble = nn.Linear(3 * 64, 10), wobble

    def forward(self, images):
        Wobbly.calls += 1  # of all copies: float64, float32, then the device
        logits = self.linear(images.flatten(1))
        return logits * (1 + self.wobble) if Wobbly.calls == 3 else logits


@pytest.mark.parametrize(("wobble", "holds"), [(0.0, True), (1e-5, True), (1e-3, False)])
def test_a_device_that_computes_otherwise_is_found_out(benchmark, wobble, holds):
    _, checks, _ = benchmark
    Wobbly.calls = 0
    found = checks.agreement(Wobbly(wobble), torch.device("cpu"), 8, 4)
    assert found.holds is holds
    assert found.logits == pytest.approx(max(wobble, found.logits_cpu), rel=0.1)


def test_a_row_extrapolates_and_sets_rates_beside_the_peak(benchmark):
    gpu, checks, _ = benchmark
    (arm,) = (a for a in gpu.list_arms(False, ["vit"]) if a.name == "vit")
    assert (arm.image_px, arm.recipe.batch_size, arm.goal) == (224, 64, 3700)
    arm.size = ModelSize(86_000_000, 17_000_000_000)
    arm.agrees = checks.Agreement(1e-6, 1e-6, 1e-5, 1e-5)
    arm.rates = {"eager": 2000.0, "compiled": 4000.0}
    # 4,000 images/s of 6 x 17 GFLOP are half of 816 TFLOP/s.
    card = gpu.Card(0, 816e12, 3e12)
    row = gpu.row(arm, card, ["eager", "compiled"])
    assert "25.0%" in row and "50.0%" in row
    # At the peak an image takes 125 us, and Adam 86 M x 28 bytes / 3 TB/s / 64 images = 12.54 us.
    assert "7,271" in row
    assert row.endswith("17 min"), "80 epochs of 50,000 images at 4,000 images/s"
    assert gpu.passed([arm], card, "NVIDIA H200")
    arm.rates = {"eager": 3600.0}
    assert gpu.passed([arm], card, "NVIDIA L4") and not gpu.passed([arm], card, "NVIDIA H200")
    card.differing_bytes = 1
    assert not gpu.passed([arm], card, "NVIDIA L4")
