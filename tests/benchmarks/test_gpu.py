"""`benchmarks/gpu.py` where there is no GPU: its checks can fail, its table says what it should."""

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from cuda_on_cpu import CudaOnCpu
from torch import nn

from priorscope.runs.model_size import ModelSize
from priorscope.training.graph import GraphedStep

MODULES = ("gpu", "gpu_arms", "gpu_checks", "gpu_rates", "gpu_table")


@pytest.fixture
def benchmark(monkeypatch):
    """Return the modules of the benchmark, and the function that runs it with arguments."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "benchmarks"))
    modules = SimpleNamespace(**{name: importlib.import_module(name) for name in MODULES})

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["gpu.py", *arguments])
        return modules.gpu.main()

    modules.run = run
    yield modules
    for name in MODULES:
        del sys.modules[name]


def test_without_a_gpu_it_says_so(benchmark, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert benchmark.run() == 2
    assert "no CUDA GPU here; --dry-run" in capsys.readouterr().err


def test_a_dry_run_comes_to_its_end_on_a_cpu(benchmark, capsys, monkeypatch):
    monkeypatch.setitem(benchmark.gpu_rates._SMALL_VIT, "depth", 1)
    modes = ["eager", "graphed", "bare", "timm"]
    options = ["--only", "cnn_5m", "vit_5m", "--modes", *modes, "--kernels"]
    assert benchmark.run("--dry-run", *options) == 0
    printed = capsys.readouterr().out
    assert "0 bytes differ" in printed and "these numbers say nothing" in printed
    assert "eager against eager: 0 weights differ in fp32, 0 after a stop" in printed
    assert "cnn_5m in fp32 against float64" in printed and "vit_5m in fp32" not in printed
    rows = {line.split()[0]: line for line in printed.splitlines() if line.endswith("min")}
    # A rate and an idle share for each mode, and the MFU; timm has no such CNN.
    assert rows["vit_5m"].count("%") == 5 and "–" not in rows["vit_5m"]
    assert rows["cnn_5m"].count("%") == 4 and rows["cnn_5m"].count("–") == 1
    kernels = [line.split() for line in printed.splitlines() if "aten::" in line]
    assert {(line[0], line[1]) for line in kernels} >= {("cnn_5m", "graphed"), ("vit_5m", "timm")}


def test_graphs_are_measured_as_graphs(benchmark, monkeypatch):
    """With a CPU that captures, the graphed mode launches graphs, and the check compares them."""
    cuda = CudaOnCpu().install(monkeypatch)
    found = benchmark.gpu_checks.graph_agreement(torch.device("cpu"))
    assert found.how == ("graphed", "eager")
    assert (found.differing_weights, found.differing_after_stop, found.loss_error) == (0, 0, 0.0)
    assert cuda.log.count("capture on side") >= 4


def test_a_graph_that_computes_otherwise_is_found_out(benchmark, monkeypatch):
    CudaOnCpu().install(monkeypatch)
    plain = GraphedStep._launch

    def wrong(self, captured, pixels, target):
        plain(self, captured, pixels, target)
        self._parameters[0].grad.mul_(1.001)

    monkeypatch.setattr(GraphedStep, "_launch", wrong)
    found = benchmark.gpu_checks.graph_agreement(torch.device("cpu"))
    assert found.differing_weights > 0 and not found.holds


def test_it_stops_itself(benchmark, capsys):
    assert benchmark.run("--dry-run", "--seconds", "0.001") == 1
    printed = capsys.readouterr().out
    assert "time is up" in printed
    ends = [line.split()[-1] for line in printed.splitlines() if line.startswith("vit")]
    assert ends == ["–"] * 3


def test_time_that_several_kernels_share_counts_once(benchmark):
    covered, largest = benchmark.gpu_rates.covered, benchmark.gpu_rates.largest
    assert covered([]) == 0
    assert covered([(30, 40), (0, 10), (5, 20), (6, 7), (40, 41)]) == pytest.approx(31e-9)
    rng = np.random.default_rng(0)
    begins = rng.integers(0, 900, 50)
    ends = begins + rng.integers(1, 40, 50)
    by_hand = {t for a, b in zip(begins, ends, strict=True) for t in range(a, b)}
    assert covered(zip(begins, ends, strict=True)) == pytest.approx(len(by_hand) / 1e9)
    work = [("a", 0, 10), ("b", 5, 35), ("a", 40, 50), ("c", 50, 60)]
    assert largest(work, 2) == (("b", 0.5), ("a", pytest.approx(1 / 3)))


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
    Wobbly.calls = 0
    found = benchmark.gpu_checks.agreement(Wobbly(wobble), torch.device("cpu"), 8, 4)
    assert found.holds is holds
    assert found.logits == pytest.approx(max(wobble, found.logits_cpu), rel=0.1)


@pytest.fixture
def vit(benchmark):
    """Return the arm `vit` as if it had been measured: 2,000 images/s eager, 4,000 graphed."""
    (arm,) = (each for each in benchmark.gpu_arms.list_arms(False, ["vit"]) if each.name == "vit")
    assert (arm.image_px, arm.recipe.batch_size) == (224, 64)
    arm.size = ModelSize(86_000_000, 17_000_000_000)
    arm.agrees = benchmark.gpu_checks.Agreement(1e-6, 1e-6, 1e-5, 1e-5)
    rate = benchmark.gpu_rates.Rate
    # The kernels of an image take 238 us: at 4,000 images/s the card works for 95 % of the time.
    arm.rates = {"eager": rate(2000.0, 238e-6), "graphed": rate(4000.0, 238e-6)}
    return arm


def test_a_row_extrapolates_and_sets_rates_beside_the_peak(benchmark, vit):
    # 4,000 images/s of 6 x 17 GFLOP are half of 816 TFLOP/s.
    card = benchmark.gpu_arms.Card(0, None, 816e12, 3e12)
    row = benchmark.gpu_table.row(vit, card, ["eager", "graphed", "timm"])
    of_modes, rest = row[44:89], row[89:].split(maxsplit=3)
    eager, graphed, timm = (" ".join(of_modes[i : i + 15].split()) for i in (0, 15, 30))
    mfu, limit, goals, run = rest
    assert (eager, graphed, timm) == ("2,000 52%", "4,000 5%", "–")
    assert (mfu, goals, run) == ("50.0%", "ok", "17 min"), "80 epochs of 50,000 images at 4,000/s"
    # At the peak an image takes 125 us, and Adam 86 M x 28 bytes / 3 TB/s / 64 images = 12.54 us.
    assert limit == "7,271"


def test_goals_are_those_of_the_card_and_of_the_kernels(benchmark, vit):
    missed, rate = benchmark.gpu_table.missed, benchmark.gpu_rates.Rate
    assert not missed(vit, "NVIDIA H200") and not missed(vit, "NVIDIA L4")
    vit.rates["graphed"] = rate(3000.0, 310e-6)  # 7 % idle, and below 3,500
    assert not missed(vit, "NVIDIA L4")
    assert not missed(vit, "NVIDIA H200"), "nine tenths of what its kernels allow are 2,903"
    vit.rates["graphed"] = rate(3200.0, 250e-6)
    assert missed(vit, "NVIDIA L4") == ["vit idles for 20% of an epoch"]
    assert missed(vit, "NVIDIA H200")[1:] == ["vit graphed: below 3,500 images/s"]
    vit.rates |= {"graphed": rate(4000.0, 238e-6), "timm": rate(4100.0, 238e-6)}
    assert missed(vit, "NVIDIA L4") == ["vit is behind timm's step"]
    vit.rates.pop("timm")
    vit.name = "local_vit_swin"
    assert not missed(vit, "NVIDIA L4")
    vit.rates = {"eager": rate(700.0, 238e-6), "graphed": rate(2000.0, 460e-6)}
    assert not missed(vit, "NVIDIA H200"), "below three times eager, but as fast as its kernels"
    assert "kernels" in benchmark.gpu_table.row(vit, benchmark.gpu_arms.Card(), ["graphed"])
    vit.rates = {"eager": rate(700.0, 238e-6), "graphed": rate(2000.0, 400e-6)}
    assert missed(vit, "NVIDIA H200")[1:] == ["local_vit_swin graphed: below 2,100 images/s"]


def test_it_passes_only_when_everything_was_checked(benchmark, vit):
    agreement = benchmark.gpu_checks.GraphAgreement
    holds = agreement(0, 0, 1e-4, ("graphed", "graphed"))
    card = benchmark.gpu_arms.Card(0, holds)

    def passed():
        return benchmark.gpu_table.passed([vit], card, "NVIDIA L4", 1)

    assert passed()
    for graphs in (
        None,
        agreement(1, 0, 0.0, holds.how),
        agreement(0, 1, 0.0, holds.how),
        agreement(0, 0, 0.1, holds.how),
        agreement(0, 0, 0.0, ("eager: why", "graphed")),
    ):
        card.graphs = graphs
        assert not passed()
    card.graphs = holds
    card.differing_bytes = 1
    assert not passed()
    card.differing_bytes = 0
    vit.failures.append("out of memory")
    assert not passed()
    vit.failures.clear()
    vit.agrees = None
    assert not passed()
