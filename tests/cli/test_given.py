"""Networks that were trained elsewhere, from a study file to its page."""

import json
import re
import shutil

import numpy as np
import polars as pl
import pytest
import timm
import torch
from PIL import Image
from timm.data import create_transform, resolve_data_config
from torch import nn

import priorscope as ps
from priorscope.cli import run_command
from priorscope.components import resolve
from priorscope.errors import InputError
from priorscope.evaluation import read_predictions

DATA = {"num_train": 60, "num_test": 40}
CHECKED = "  one: {name: './m.py:m', weights: 'w{seed}.safetensors'}\n"
STUDY = """
name: t
data: {name: synthetic, num_train: 60, num_test: 40}
recipe: {learning_rate: 1e-3, batch_size: 20, epochs: 1}
models:
  own: {name: linear}
  mine: {name: linear, weights: "w{seed}.pt"}
  theirs:
    name: "timm:test_resnet"
    weights: timm.pt
    classes: CLASSES
seeds: [0, 1]
probes: {moved: {name: translation, num_images: 20}}
hypotheses:
  - {id: H1, statement: Mine is better., contrast: {a: mine, b: own}, probe: test, metric: top1,
     expect: greater}
  - {id: H2, statement: Theirs is better., contrast: {a: theirs, b: mine}, probe: test,
     metric: top1, expect: greater}
  - {id: H3, statement: Own beats chance., contrast: {a: own, b: chance}, probe: test, metric: top1,
     expect: greater}
"""


def linear(seed):
    torch.manual_seed(100 + seed)
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 32**2, 10))


def write_files(folder):
    """Write networks of a plain PyTorch script; the one of timm has outputs of its own."""
    for seed in (0, 1):
        own = resolve("models", "linear", base=folder)(num_classes=10, image_px=32)
        own.load_state_dict(dict(zip(own.state_dict(), linear(seed).state_dict().values())))  # noqa: B905
        torch.save({"state_dict": own.state_dict()}, folder / f"w{seed}.pt")
    torch.manual_seed(5)
    net = timm.create_model("test_resnet", num_classes=25)
    torch.save(net.state_dict(), folder / "timm.pt")
    return net.eval()


@pytest.fixture(scope="module")
def finished_once(tmp_path_factory):
    folder = tmp_path_factory.mktemp("given")
    write_files(folder)
    labels = resolve("data", "synthetic", base=folder)(root=folder, **DATA).train.class_names
    classes = {label: [number, 24 - number] for number, label in enumerate(labels)}
    (folder / "s.yaml").write_text(STUDY.replace("CLASSES", json.dumps(classes)))
    assert run_command(["run", str(folder / "s.yaml"), "--out", str(folder / "out")]) == 0
    return folder


@pytest.fixture
def finished(finished_once, tmp_path):
    shutil.copytree(finished_once, tmp_path / "copy")
    return tmp_path / "copy"


def again(folder, *options):
    return run_command(["run", str(folder / "s.yaml"), "--out", str(folder / "out"), *options])


def records(folder):
    found = [json.loads(path.read_text()) for path in folder.glob("out/runs/*/run.json")]
    return {(each["model"], each["seed"]): each for each in found}


def logits_of(folder, model, seed, probe="test"):
    (path,) = folder.glob(f"out/runs/{model}-s{seed}-*/predictions/{probe}.parquet")
    return read_predictions(path).logits


def test_answers_are_those_of_a_plain_script(finished_once):
    """timm's own transform on each picture, the network in plain PyTorch, probabilities summed."""
    test = resolve("data", "synthetic", base=finished_once)(root=finished_once, **DATA).test
    net = timm.create_model("test_resnet", num_classes=25)
    net.load_state_dict(torch.load(finished_once / "timm.pt"))
    config = resolve_data_config(pretrained_cfg=net.pretrained_cfg)
    transform = create_transform(**config, is_training=False)
    with torch.no_grad():
        images = torch.stack([transform(Image.fromarray(image)) for image in test.images])
        outputs = net.eval()(images).softmax(1).numpy()
    summed = np.stack([outputs[:, n] + outputs[:, 24 - n] for n in range(10)], axis=1)
    found = np.exp(logits_of(finished_once, "theirs", 0))
    expected = summed / summed.sum(1, keepdims=True)
    assert np.allclose(found / found.sum(1, keepdims=True), expected, atol=1e-5)


def test_own_models_see_what_the_trained_ones_see(finished_once):
    dataset = resolve("data", "synthetic", base=finished_once)(root=finished_once, **DATA)
    mean, std = (
        getattr(dataset.train.images.astype(float) / 255, moment)(axis=(0, 1, 2))
        for moment in ("mean", "std")
    )
    images = torch.tensor((dataset.test.images / 255 - mean) / std).float().permute(0, 3, 1, 2)
    for seed in (0, 1):
        expected = linear(seed)(images).detach().numpy()
        assert np.allclose(logits_of(finished_once, "mine", seed), expected, atol=1e-4)


def test_runs_of_given_networks_have_all_but_a_training(finished_once):
    found = records(finished_once)
    assert sorted(found) == [("mine", 0), ("mine", 1), ("own", 0), ("own", 1), ("theirs", 0)]
    theirs, own = found["theirs", 0], found["own", 0]
    assert set(theirs) - {"weights"} < set(own)
    assert {"recipe", "num_epochs", "train_seconds"} <= set(own) - set(theirs)
    about = theirs["weights"]
    assert (about["file"], about["given"], len(about["sha256"])) == ("timm.pt", True, 64)
    assert theirs["image_px"] == timm.get_pretrained_cfg("test_resnet").input_size[-1] != 32
    assert set(theirs["measurements"]) == set(own["measurements"])
    frame = pl.read_parquet(finished_once / "out/analysis/scores.parquet")
    assert set(frame.filter(probe="moved")["model"]) == {"own", "mine", "theirs"}


def test_verdicts_and_page_say_what_is_not_known(finished_once):
    verdicts = json.loads((finished_once / "out/analysis/verdicts.json").read_text())["verdicts"]
    reasons = {row["id"]: row["reason"] for row in verdicts}
    assert (
        "mine is evaluated as given, and its training (data, recipe, budget, seeds) is not "
        in (reasons["H1"])
    )
    assert "training differs too" in reasons["H1"]
    assert "theirs and mine are evaluated as given" in reasons["H2"]
    assert "theirs has one seed" in reasons["H2"]
    assert "given" not in reasons["H3"]
    page = (finished_once / "out/report/index.html").read_text()
    text = re.sub(r"\s+", " ", re.sub("<[^>]+>", " ", page))
    for words in (
        "own was trained from scratch on 60 images",
        "mine and theirs were evaluated as given (three networks, trained elsewhere)",
        "theirs is one network, given for all 2 seeds",
        "Recipe of own . It is not that of mine and theirs".replace(" .", "."),
        "timm&#39;s configuration of test_resnet".replace("&#39;", "'"),
        "5 of its 25 outputs are no label",
        "Evaluated as given. Recipe, Preprocessing",
    ):
        assert words in text.replace("&#39;", "'").replace("&rsquo;", "'"), words


def test_nothing_is_done_twice_and_a_replaced_file_is_another_run(finished, capfd):
    before = records(finished)
    assert again(finished) == 0
    assert "5 of 5 runs are finished already" in capfd.readouterr().out
    state = torch.load(finished / "w1.pt")["state_dict"]
    torch.save({"state_dict": {k: v + 1 for k, v in state.items()}}, finished / "w1.pt")
    with pytest.warns(match="other code, parameters or weights of its model"):
        assert again(finished) == 0
    assert "4 of 5 runs are finished already" in capfd.readouterr().out
    assert (
        "The files of weights were changed on" in (finished / "out/report/index.html").read_text()
    )
    after = {run["run_id"] for run in records(finished).values()}
    assert before["mine", 0]["run_id"] in after
    assert len(list(finished.glob("out/runs/mine-s1-*"))) == 2


def test_a_finished_study_needs_no_files_of_weights(finished, capfd):
    expected = logits_of(finished, "theirs", 0)
    for path in finished.glob("*.pt"):
        path.unlink()
    assert run_command(["report", str(finished / "out")]) == 0
    results = ps.open(finished / "out")
    dataset = resolve("data", "synthetic", base=finished)(root=finished, **DATA)
    net = timm.create_model("test_resnet", num_classes=25)
    transform = create_transform(
        **resolve_data_config(pretrained_cfg=net.pretrained_cfg), is_training=False
    )
    images = torch.stack([transform(Image.fromarray(image)) for image in dataset.test.images])
    with torch.no_grad():
        found = results.network("theirs", seed=0)(images).numpy()
    assert np.allclose(found, expected, atol=1e-4)
    with pytest.raises(InputError, match="one network, whatever the seeds"):
        results.network("theirs", seed=1)
    capfd.readouterr()
    assert again(finished) == 2
    assert "no such file of weights" in capfd.readouterr().err


def test_a_probe_that_is_added_later_is_answered_by_the_stored_network(finished):
    text = (finished / "s.yaml").read_text()
    more = "20}, near: {name: translation, num_images: 10}}"
    (finished / "s.yaml").write_text(text.replace("20}}", more))
    assert again(finished) == 0
    assert len(logits_of(finished, "theirs", 0, "near"))
    assert len(list(finished.glob("out/runs/theirs-*"))) == 1


def test_copies_of_one_network_are_refused_however_they_are_filed(tmp_path, capfd):
    write_files(tmp_path)
    state = torch.load(tmp_path / "w0.pt")["state_dict"]
    torch.save({"model": state, "epoch": 2}, tmp_path / "w1.pt")  # another file, the same network
    keys = "recipe: {epochs: 1}\nmodels: {mine: {name: linear, weights: 'w{seed}.pt'}}\n"
    (tmp_path / "s.yaml").write_text(
        f"name: t\ndata: {{name: synthetic, num_train: 60, num_test: 20}}\n{keys}seeds: [0, 1]\n"
    )
    for command in ("check", "run"):
        assert run_command([command, str(tmp_path / "s.yaml")]) == 2
        said = capfd.readouterr().err
        assert "hold the same network" in said
        assert "Traceback" not in said


@pytest.mark.parametrize(
    ("beside", "words"),
    [
        ("weights: timm.pt", ["25 outputs, 10 classes", "theirs.classes"]),
        ("weights: w0.pt", ["weights of another model", "missing"]),
        ("weights: nan.pt", ["not finite", "FIRST: "]),
        ("weights: pickle.pt", ["a pickle", "nothing of it was executed"]),
        ("weights: text.pt", ["cannot be read"]),
        ("weights: timm.pt, preprocess: {image_px: 4000}", ["theirs"]),
        ("weights: timm.pt, clases: {a: 1}", ["clases"]),
    ],
)
def test_bad_files_end_with_words_before_anything_runs(beside, words, tmp_path, capfd):
    net = write_files(tmp_path)
    torch.save(net, tmp_path / "pickle.pt")
    (tmp_path / "text.pt").write_text("weights")
    first, weight = next(iter(net.named_parameters()))
    weight.data[0] = float("nan")
    torch.save(net.state_dict(), tmp_path / "nan.pt")
    (tmp_path / "s.yaml").write_text(
        "name: t\ndata: {name: synthetic, num_train: 60, num_test: 20}\n"
        f"models: {{theirs: {{name: 'timm:test_resnet', {beside}}}}}\n"
    )
    assert run_command(["run", str(tmp_path / "s.yaml"), "--out", str(tmp_path / "out")]) == 2
    said = capfd.readouterr().err
    assert all(word.replace("FIRST", first) in said for word in words), said
    assert "Traceback" not in said
    assert not list(tmp_path.glob("out/runs/*"))


def test_training_goes_on_from_initial_weights(tmp_path, capfd):
    """The first step is from the trunk in the file: a rate of next to nothing leaves it there."""
    torch.manual_seed(3)
    net = timm.create_model("test_resnet", num_classes=25)
    torch.save(net.state_dict(), tmp_path / "w.pt")
    (tmp_path / "s.yaml").write_text(
        "name: t\ndata: {name: synthetic, num_train: 40, num_test: 20}\n"
        "recipe: {learning_rate: 1e-12, weight_decay: 0, batch_size: 20, epochs: 1}\n"
        "seeds: [0, 1]\n"
        "models: {on: {name: 'timm:test_resnet', initial_weights: w.pt}}\n"
        "hypotheses: [{id: H, statement: s, contrast: {a: on, b: chance}, probe: test,"
        " metric: top1, expect: greater}]\n"
    )
    assert run_command(["check", str(tmp_path / "s.yaml")]) == 0
    out = re.sub(r"\s+", " ", capfd.readouterr().out)
    assert "its head is made anew, for 10 classes: " in out
    assert "all seeds begin at the same ones" in out
    assert again(tmp_path) == 0
    results = ps.open(tmp_path / "out")
    nets = [results.network("on", seed=seed) for seed in (0, 1)]
    trained = [dict(each.named_parameters()) for each in nets]
    classifier = net.pretrained_cfg["classifier"]
    for key, value in net.named_parameters():
        if key.startswith(classifier):
            assert trained[0][key].shape[0] == 10
            continue
        assert all(torch.allclose(each[key], value, atol=1e-7) for each in trained), key
    assert not torch.equal(*(each[f"{classifier}.weight"] for each in trained))
    about = records(tmp_path)["on", 0]["weights"]
    assert (about["given"], about["file"]) == (False, "w.pt")
    page = (tmp_path / "out/report/index.html").read_text()
    assert "Training of on began at weights that were trained elsewhere" in page
    assert "on was trained on 40 images" in page
    (verdict,) = results.verdicts["reason"]
    assert "training of on began at weights that were trained elsewhere" in verdict.lower()


def test_a_study_of_python_may_have_weights(tmp_path, monkeypatch):
    write_files(tmp_path)
    monkeypatch.chdir(tmp_path)
    study = ps.Study(
        name="p",
        data={"name": "synthetic", "num_train": 60, "num_test": 20},
        models={"mine": {"name": "linear", "weights": [tmp_path / "w0.pt", "w1.pt"]}},
        seeds=[0, 1],
    )
    assert study.check().models["train_images_per_second"].to_list() == [None]
    results = ps.run(study, out=tmp_path / "out")
    state = torch.load(tmp_path / "w1.pt")["state_dict"]
    for key, value in results.network("mine", seed=1).state_dict().items():
        assert torch.equal(value, state[key])
    assert results.estimates.height
