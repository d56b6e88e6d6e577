"""Predictions come back from disk as they were, and damaged files say so."""

import numpy as np
import pytest
import torch
from torch import nn

from priorscope.data._preprocess import Preprocess
from priorscope.errors import InputError
from priorscope.evaluation import Predictions, read_predictions, write_predictions
from priorscope.evaluation.predict import predict


def made(multi_hot: bool) -> Predictions:
    rng = np.random.default_rng(0)
    targets = rng.random((20, 5)) < 0.4 if multi_hot else rng.integers(0, 5, 20)
    return Predictions(
        logits=rng.normal(size=(20, 5)).astype(np.float32),
        targets=targets,
        ids=np.tile(np.arange(10), 2),
        conditions={"arm": np.repeat(["composite", "control"], 10), "scale": rng.random(20)},
        class_names=("a", "b", "c", "d", "é"),
        clusters=np.repeat(["sand", "sea"], 10),
    )


@pytest.mark.parametrize("multi_hot", [False, True])
def test_round_trip(tmp_path, multi_hot):
    predictions = made(multi_hot)
    path = tmp_path / "deep" / "probe.parquet"
    write_predictions(predictions, path)
    again = read_predictions(path)
    for name in ("logits", "targets", "ids", "clusters"):
        np.testing.assert_array_equal(getattr(again, name), getattr(predictions, name))
        assert getattr(again, name).dtype.kind == getattr(predictions, name).dtype.kind
    for name, column in predictions.conditions.items():
        np.testing.assert_array_equal(again.conditions[name], column)
    assert again.class_names == predictions.class_names
    assert again.arms == ("composite", "control")
    assert len(again.arm("control")) == 10
    assert [p.name for p in path.parent.iterdir()] == ["probe.parquet"]


@pytest.mark.parametrize("keep", [0, 10, 200, -1])
def test_a_truncated_file_is_named(tmp_path, keep):
    path = tmp_path / "probe.parquet"
    write_predictions(made(False), path)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(InputError) as caught:
        read_predictions(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("multi_hot", [False, True])
def test_no_flipped_bit_changes_what_is_read(tmp_path, multi_hot):
    """Of a bit in every place: refused, or of no consequence."""
    predictions, path = made(multi_hot), tmp_path / "probe.parquet"
    write_predictions(predictions, path)
    whole = path.read_bytes()
    num_refused = 0
    for place in range(0, len(whole), 5):
        path.write_bytes(
            whole[:place] + bytes([whole[place] ^ 1 << place % 8]) + whole[place + 1 :]
        )
        try:
            again = read_predictions(path)
        except InputError:
            num_refused += 1
            continue
        for name in ("logits", "targets", "ids", "clusters"):
            np.testing.assert_array_equal(getattr(again, name), getattr(predictions, name))
        assert again.class_names == predictions.class_names
        assert list(again.conditions) == list(predictions.conditions)
    assert num_refused > len(whole) / 5 / 3


def test_the_file_of_another_run_is_refused_in_its_place(tmp_path):
    a, b = (tmp_path / "runs" / run / "predictions" / "test.parquet" for run in ("a-s0", "a-s1"))
    write_predictions(made(False), a)
    b.parent.mkdir(parents=True)
    b.write_bytes(a.read_bytes())
    assert len(read_predictions(a, in_place=True)) == len(read_predictions(b)) == 20
    with pytest.raises(InputError, match="cannot be read") as caught:
        read_predictions(b, in_place=True)
    assert "runs/a-s0/predictions/test.parquet" in str(caught.value)


def test_predict_equals_one_image_at_a_time():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.LazyLinear(5))
    preprocess = Preprocess(8, (0.5, 0.4, 0.3), (0.2, 0.2, 0.2))
    images = np.random.default_rng(0).integers(0, 256, (23, 16, 16, 3), dtype=np.uint8)
    settings = {"preprocess": preprocess, "device": torch.device("cpu")}
    whole = predict(model, images, **settings, batch_size=7)
    alone = [predict(model, images[i : i + 1], **settings) for i in range(len(images))]
    np.testing.assert_allclose(whole, np.concatenate(alone), rtol=1e-4, atol=1e-5)
    assert whole.dtype == np.float32


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory."),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"),
        MemoryError(),
    ],
)
def test_predict_takes_fewer_images_when_memory_runs_out_and_remembers(error):
    sizes = []

    class Greedy(nn.Module):
        def forward(self, inputs):
            sizes.append(len(inputs))
            if len(inputs) > 6:
                raise error
            return inputs.flatten(1)[:, :3]

    model, images = Greedy(), np.random.default_rng(0).integers(0, 256, (20, 8, 8, 3), np.uint8)
    plain = Preprocess(8, (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
    first = predict(model, images, preprocess=plain, device=torch.device("cpu"))
    assert sizes == [20, 10, 5, 5, 5, 5]
    again = predict(model, images, preprocess=plain, device=torch.device("cpu"))
    assert sizes[6:] == [5, 5, 5, 5]
    whole = plain(torch.from_numpy(images)).flatten(1)[:, :3].numpy()
    np.testing.assert_array_equal(first, whole)
    np.testing.assert_array_equal(again, whole)
