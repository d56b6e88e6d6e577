"""Graphed steps against eager ones, on a CPU that captures as a GPU does (made/cuda_on_cpu)."""

import gc
import itertools
import random
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from cuda_on_cpu import NOT_PERMITTED, CudaOnCpu, Graph
from torch import nn

from priorscope.data._preprocess import Preprocess
from priorscope.training import distributed
from priorscope.training.checkpoint import Checkpoints
from priorscope.training.graph import WARM_UP_STEPS, NotCaptured, renew_generator
from priorscope.training.loop import train
from priorscope.training.memory import SmallerMicroBatch
from priorscope.training.recipe import Recipe

CPU = torch.device("cpu")
PLAIN = Preprocess(8, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
# 4 steps an epoch, the last of another shape, which is captured in the fourth epoch.
RECIPE = Recipe(
    epochs=6, batch_size=16, learning_rate=0.01, augment=("random_crop", "horizontal_flip")
)
RECIPES = {
    "adam": RECIPE,
    "clipped": replace(RECIPE, optimizer="adamw", clip_grad_norm=0.3, label_smoothing=0.1),
    "in_parts": replace(RECIPE, optimizer="sgd", schedule="cosine", micro_batch_size=5),
    "bf16": replace(RECIPE, precision="bf16", clip_grad_norm=0.3, schedule="constant"),
}


class Network(nn.Module):
    """Batch norm, dropout, stochastic depth, and a parameter that is never used."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.conv, self.norm = nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8)
        self.inner, self.dropout = nn.Conv2d(8, 8, 1), nn.Dropout(0.3)
        self.head, self.unused = nn.Linear(8 * 16, 4), nn.Parameter(torch.ones(3))

    def forward(self, images):
        maps = F.relu(self.norm(self.conv(images)))
        if self.training:
            kept = maps.new_empty(len(maps), 1, 1, 1).bernoulli_(0.8)
            maps = maps + self.inner(maps) * kept
        return self.head(self.dropout(F.avg_pool2d(maps, 2).flatten(1)))


@pytest.fixture
def cuda(monkeypatch):
    return CudaOnCpu().install(monkeypatch)


def run(recipe, model=None, *, graphs=True, checkpoints=None, on_epoch=lambda _: None, n=50):
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (n, 8, 8, 3), dtype=np.uint8), rng.integers(0, 4, n)
    model, epochs = Network() if model is None else model, []
    torch.manual_seed(7)
    random.seed(7)
    np.random.seed(7)  # noqa: NPY002

    def record(epoch):
        epochs.append(epoch)
        on_epoch(epoch)

    train(
        model, recipe, images, labels, preprocess=PLAIN, seed=0, device=CPU, graphs=graphs,
        accuracies=lambda _: {"test_accuracy": 0.0}, on_epoch=record, checkpoints=checkpoints,
    )  # fmt: skip
    return model, epochs


def curve(epochs):
    return [(e.epoch, e.step, e.train_loss, e.train_accuracy, e.learning_rate) for e in epochs]


def assert_same(found, expected):
    """Compare the ends of two trainings bit by bit: weights, moments, streams and curves."""
    (model, epochs), (other, expected_epochs) = found, expected
    state, other = model.state_dict(), other.state_dict()
    assert all(torch.equal(state[name], value) for name, value in other.items())
    assert curve(epochs) == curve(expected_epochs)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)
def test_graphed_and_eager_trainings_end_in_the_same_bits(recipe, cuda):
    expected = run(recipe, graphs=False)
    drawn = torch.get_rng_state()
    assert not cuda.log and expected[1][-1].how == "eager"
    found = run(recipe)
    assert_same(found, expected)
    assert torch.equal(torch.get_rng_state(), drawn), "a launch draws as a step does"
    assert not torch.equal(found[0].head.weight, Network().head.weight)
    assert [epoch.how for epoch in found[1]] == ["eager: too few steps to capture one"] + [
        "graphed"
    ] * 5
    assert (found[0].unused == 1).all(), "no gradient, no decay"
    assert cuda.log.count("capture on side") == 2, "one graph for each shape"


def test_a_graph_is_captured_after_steps_on_its_own_stream_and_launched_from_then_on(cuda):
    launches = []
    run(
        replace(RECIPE, epochs=5),
        on_epoch=lambda _: launches.append([each.num_launches for each in Graph.alive]),
        n=64,
    )
    warmed = ["side waits for main", "main waits for side"] * WARM_UP_STEPS
    assert cuda.log == [*warmed, "capture on side"]
    assert launches == [[4 * epoch - WARM_UP_STEPS] for epoch in range(1, 6)]
    assert cuda.mode == "default" and cuda.current is cuda.main


@pytest.mark.parametrize("stops_after", [0, 1, 2, 3, 5])
def test_killed_and_resumed_a_graphed_training_ends_in_the_same_bits(stops_after, cuda, tmp_path):
    class Killed(Exception):
        pass

    def stop(epoch):
        if epoch.epoch == stops_after + 1:
            raise Killed

    expected = run(RECIPE, graphs=False)
    checkpoints = Checkpoints(tmp_path, every_seconds=0)  # the last one lies before the last step
    with pytest.raises(Killed):
        run(RECIPE, checkpoints=checkpoints, on_epoch=stop)
    model, epochs = run(RECIPE, checkpoints=checkpoints)
    assert_same((model, epochs), (expected[0], expected[1][stops_after:]))


def test_dropout_draws_anew_at_each_launch(cuda):
    class Drops(nn.Module):
        def __init__(self):
            super().__init__()
            self.head, self.scale = nn.Linear(192, 4), nn.Parameter(torch.zeros(1000))
            self.register_buffer("ones", torch.ones(1000))
            self.register_buffer("seen", torch.zeros(1000))

        def forward(self, images):
            if self.training:
                self.seen.copy_(F.dropout(self.ones, 0.5))
            return self.head(images.flatten(1)) + (self.seen * self.scale).mean()

    masks, model = [], Drops()
    run(replace(RECIPE, epochs=8), model, on_epoch=lambda _: masks.append(model.seen.clone()), n=16)
    for mask in masks:
        assert set(mask.tolist()) == {0.0, 2.0} and 400 < (mask > 0).sum() < 600
    assert len({tuple(mask.tolist()) for mask in masks}) == 8


def test_a_generator_of_the_models_own_is_registered(cuda):
    class Own(nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.head, self.stream = nn.Linear(192, 4), torch.Generator().manual_seed(5)

        def forward(self, images):
            noise = torch.rand(images.shape, generator=self.stream)
            return self.head((images + 0.1 * noise).flatten(1))

    expected = run(RECIPE, Own(), graphs=False)
    found = run(RECIPE, Own())
    assert_same(found, expected)
    assert found[1][-1].how == "graphed"
    assert torch.equal(found[0].stream.get_state(), expected[0].stream.get_state())


SEEN = []  # by the models of a file of its own


class Awkward(nn.Module):
    """A classifier that does in its forward pass what is asked for."""

    of_class = 3

    def __init__(self, what):
        super().__init__()
        torch.manual_seed(0)
        self.head, self.what, self.steps, self.seen = nn.Linear(192, 4), what, 0, {"lists": []}
        self.own = np.random.default_rng(0)
        self.register_buffer("moment", torch.zeros(()))

    def forward(self, images):
        scale = 1.0
        if self.training:
            match self.what:
                case "python":
                    scale = random.random()
                case "numpy":
                    scale = np.random.rand()  # noqa: NPY002
                case "own generator":
                    scale = self.own.random()
                case "counter":
                    self.steps += 1
                    scale = 1 / self.steps
                case "class":
                    Awkward.of_class += 1
                    scale = 1 / (Awkward.of_class - 3)
                case "global":
                    SEEN.append(len(images))
                    scale = 1 / len(SEEN)
                case "list":
                    self.seen["lists"].append(len(images))
                    scale = 1 / len(self.seen["lists"])
                case "buffer":
                    self.moment = 0.9 * self.moment + images.mean()
                    scale = self.moment
                case "read":
                    scale = 1 + abs(images.mean().item())
        return self.head(images.flatten(1)) * scale


@pytest.mark.parametrize(
    ("what", "words"),
    [
        ("python", "Python's random stream"),
        ("numpy", "NumPy's random stream"),
        ("own generator", "changes own on the host"),
        ("counter", "changes steps on the host"),
        ("class", "changes Awkward.of_class on the host"),
        ("global", "changes SEEN on the host"),
        ("list", "changes seen on the host"),
        ("buffer", "changes moment on the host"),
        ("read", "reads a value back from the device"),
    ],
)
def test_what_a_graph_would_freeze_trains_eagerly_and_is_said_once(what, words, cuda, monkeypatch):
    monkeypatch.setattr(Awkward, "of_class", 3)
    monkeypatch.setitem(globals(), "SEEN", [])
    expected = run(RECIPE, Awkward(what), graphs=False)
    Awkward.of_class = 3
    SEEN.clear()
    with pytest.warns(NotCaptured) as said:
        found = run(RECIPE, Awkward(what))
    assert_same(found, expected)
    assert len([each for each in said if each.category is NotCaptured]) == 1
    assert words in str(said[0].message) and found[1][-1].how.startswith("eager: ")
    assert words in found[1][-1].how
    assert "capture on side" not in cuda.log, "PyTorch is spared a capture that fails"


def test_without_the_look_the_frozen_numbers_would_be_wrong(cuda, monkeypatch):
    """What the test before guards against is real: this graph repeats its first random number."""
    monkeypatch.setattr(
        "priorscope.training.graph.what_a_graph_would_freeze", lambda _model, _device, step: step()
    )
    (found, _), (expected, _) = (
        run(RECIPE, Awkward("python")),
        run(RECIPE, Awkward("python"), graphs=False),
    )
    assert not torch.equal(found.head.weight, expected.head.weight)


def test_a_capture_that_fails_leaves_the_training_as_it_was(cuda):
    expected = run(RECIPE, graphs=False)
    cuda.fail_captures = iter([RuntimeError(NOT_PERMITTED)])
    with pytest.warns(NotCaptured, match="not permitted when stream is capturing"):
        found = run(RECIPE)
    assert_same(found, expected)
    assert found[1][-1].how == f"eager: RuntimeError: {NOT_PERMITTED}"
    cuda.fail_captures = iter(())  # an error holds all that was there when it was raised
    gc.collect()
    assert not list(Graph.alive), "its memory is given back"


def test_a_capture_that_fails_within_leaves_the_training_as_it_was(cuda, monkeypatch):
    passes = itertools.count(1)  # in a closure, which no look at the module sees

    class FailsInCapture(Network):
        def forward(self, images):
            out = super().forward(images)
            # The first shape warms up in three steps, and one of another shape is between.
            if self.training and next(passes) == WARM_UP_STEPS + 2:
                random.random()
                raise RuntimeError("a kernel that cannot be captured")
            return out

    renewed = []
    monkeypatch.setattr("priorscope.training.graph.renew_generator", renewed.append)
    expected, after = run(RECIPE, graphs=False), random.random()
    with pytest.warns(NotCaptured, match="a kernel that cannot be captured"):
        found = run(RECIPE, FailsInCapture())
    assert_same(found, expected)
    assert random.random() == after, "the streams of the host are put back too"
    assert cuda.current is cuda.main and renewed == [CPU]


def test_a_capture_that_a_read_breaks_is_left_and_named_by_the_read(cuda, monkeypatch):
    monkeypatch.setattr(
        "priorscope.training.graph.what_a_graph_would_freeze", lambda _model, _device, step: step()
    )
    expected = run(RECIPE, Awkward("read"), graphs=False)
    with pytest.warns(NotCaptured, match="not permitted when stream is capturing"):
        found = run(RECIPE, Awkward("read"))
    assert_same(found, expected)
    assert cuda.current is cuda.main


def test_the_generator_of_a_device_gets_a_state_of_its_own(monkeypatch):
    class Stuck:
        """Stands for a generator whose state is in a capture that failed."""

        state = "stuck"

        def clone_state(self):
            return "clone"

        def graphsafe_set_state(self, state):
            self.state = state

    generators = Stuck(), Stuck()
    monkeypatch.setattr(torch.cuda, "default_generators", generators)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    renew_generator(CPU)
    assert [each.state for each in generators] == ["stuck", "stuck"]
    renew_generator(torch.device("cuda", 0))
    assert [each.state for each in generators] == ["clone", "stuck"]
    renew_generator(torch.device("cuda"))
    assert [each.state for each in generators] == ["clone", "clone"]


def test_out_of_memory_in_a_capture_takes_smaller_parts_and_captures_them(cuda):
    sizes = []

    class Sizes(Network):
        def forward(self, images):
            if self.training:
                sizes.append(len(images))
            return super().forward(images)

    recipe = replace(RECIPE, epochs=3)
    cuda.fail_captures = iter([torch.OutOfMemoryError("CUDA out of memory.")])
    with pytest.warns(SmallerMicroBatch, match="8 images") as said:
        model, epochs = run(recipe, Sizes(), n=64)
    assert not any(each.category is NotCaptured for each in said)
    assert [e.micro_batch_size for e in epochs] == [8] * 3 and epochs[-1].how == "graphed"
    assert epochs[0].how == "eager: too few steps to capture one"
    # Three whole batches, one that is captured in vain, and then in halves: the step itself, three
    # that warm up, and the capture.
    assert sizes == [16] * 4 + [8, 8] * 5

    class Halves(Sizes):
        """Does without a graph what the other does because of it."""

        def forward(self, images):
            if self.training and len(images) == 16 and len(sizes) >= WARM_UP_STEPS:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return super().forward(images)

    sizes.clear()
    with pytest.warns(SmallerMicroBatch, match="8 images"):
        expected = run(recipe, Halves(), graphs=False, n=64)
    assert_same((model, epochs), expected)


def test_out_of_memory_in_a_capture_of_single_images_trains_eagerly(cuda):
    recipe = replace(RECIPE, micro_batch_size=1)
    expected = run(recipe, graphs=False)
    cuda.fail_captures = iter([torch.OutOfMemoryError("CUDA out of memory.")])
    with pytest.warns(NotCaptured, match="memory does not suffice"):
        found = run(recipe)
    assert_same(found, expected)


def test_out_of_memory_while_warming_up_is_that_of_an_eager_step(cuda):
    class Greedy(Network):
        def forward(self, images):
            if self.training and len(images) > 8:
                raise torch.OutOfMemoryError("CUDA out of memory.")
            return super().forward(images)

    with pytest.warns(SmallerMicroBatch):
        expected = run(RECIPE, Greedy(), graphs=False)
    with pytest.warns(SmallerMicroBatch):
        found = run(RECIPE, Greedy())
    assert_same(found, expected)
    assert found[1][-1].how == "graphed"


def test_several_devices_and_fp16_stay_eager_and_say_so(cuda, monkeypatch):
    assert run(replace(RECIPE, precision="fp16"))[1][-1].how == "eager: fp16"
    monkeypatch.setattr(distributed, "world_size", lambda: 2)
    monkeypatch.setattr(distributed, "replicate", lambda model, *_: model)
    monkeypatch.setattr(distributed, "seed_dropout", lambda *_: None)
    monkeypatch.setattr(distributed, "largest", lambda values: values)
    monkeypatch.setattr(distributed, "own_rows", lambda num_rows: slice(0, num_rows))
    monkeypatch.setattr(Network, "no_sync", lambda _: pytest.fail("not in parts"), raising=False)
    monkeypatch.setattr(distributed, "synced_batch_norm", lambda _: torch.enable_grad())
    assert run(RECIPE)[1][-1].how == "eager: several devices"
    assert not cuda.log
