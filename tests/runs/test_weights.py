"""Files of weights as other tools write them: read without executing anything, or refused."""

import pickle

import pytest
import timm
import torch
from safetensors.torch import save_file, save_model
from torch import nn

from priorscope.errors import InputError
from priorscope.runs.weight_files import read_state
from priorscope.runs.weights import load_state, num_outputs, state_digest


def network(num_classes=4, seed=0):
    torch.manual_seed(seed)
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Linear(8, num_classes)).eval()


@pytest.fixture
def made():
    net = network(seed=7).train()
    net(torch.randn(32, 6))  # so that the batch norm has statistics of its own
    return net.eval()


IMAGES = torch.randn(5, 6, generator=torch.Generator().manual_seed(1))


def read_into(path, model=None, **options):
    model = model or network()
    load_state(model, read_state(path, "w"), "w", **options)
    return model


def plainly(state):
    return state


def nested(key, **beside):
    return lambda state: {key: state, **beside}


def prefixed(prefix):
    return lambda state: {prefix + key: value for key, value in state.items()}


@pytest.mark.parametrize(
    ("wrap", "said"),
    [
        (plainly, []),
        (nested("state_dict"), ["`state_dict`"]),
        (nested("model", epoch=3, optimizer={"lr": 1}), ["`model`", "epoch, optimizer beside it"]),
        (nested("model_state"), ["`model_state`"]),
        (nested("model_state_dict"), ["`model_state_dict`"]),
        (prefixed("module."), ["`module.`"]),
        (prefixed("_orig_mod."), ["`_orig_mod.`"]),
        (prefixed("_orig_mod.module."), ["`_orig_mod.`", "`module.`"]),
        (
            lambda state: {"state_dict": prefixed("module.")(state), "state_dict_ema": state},
            ["`state_dict`", "state_dict_ema beside it is not used", "`module.`"],
        ),
    ],
)
def test_every_usual_way_of_filing_gives_the_same_network(wrap, said, made, tmp_path):
    path = tmp_path / "w.pt"
    torch.save(wrap(made.state_dict()), path)
    notes = "; ".join(read_state(path, "w").notes)
    assert all(words in notes for words in said)
    assert bool(notes) == bool(said)
    found = read_into(path)
    assert torch.equal(found(IMAGES), made(IMAGES))
    assert state_digest(found) == state_digest(made) != state_digest(network())


def test_safetensors_and_old_formats_give_the_same_network(made, tmp_path):
    save_file(made.state_dict(), tmp_path / "a.safetensors", metadata={"format": "pt"})
    save_model(made, str(tmp_path / "b.safetensors"))
    save_file(made.state_dict(), tmp_path / "c.bin")
    torch.save(made.state_dict(), tmp_path / "d.pth", _use_new_zipfile_serialization=False)
    for path in tmp_path.iterdir():
        assert torch.equal(read_into(path)(IMAGES), made(IMAGES)), path


def test_tied_weights_are_filed_once(tmp_path):
    """safetensors keeps one of the keys of weights that share memory, whichever it likes."""

    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)
            self.b.weight = self.a.weight

    torch.manual_seed(3)
    made = Tied()
    save_model(made, str(tmp_path / "w.safetensors"))
    torch.manual_seed(4)
    found = read_into(tmp_path / "w.safetensors", Tied())
    assert torch.equal(found.b.weight, made.a.weight)


def test_half_precision_is_read_without_loss(made, tmp_path):
    half = {k: v.half() if v.is_floating_point() else v for k, v in made.state_dict().items()}
    torch.save(half, tmp_path / "w.pt")
    found = read_into(tmp_path / "w.pt")
    assert found[0].weight.dtype == torch.float32
    assert torch.equal(found[0].weight, half["0.weight"].float())


class Bomb:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return (open, (str(self.path), "w"))


def test_a_pickle_is_never_executed(made, tmp_path):
    exploded = tmp_path / "exploded"
    content = {"state_dict": made.state_dict(), "bomb": Bomb(exploded)}
    torch.save(content, tmp_path / "a.pt")
    (tmp_path / "b.pkl").write_bytes(pickle.dumps(content))
    (tmp_path / "c.safetensors").write_bytes(pickle.dumps(content))
    torch.save(made, tmp_path / "d.pt")  # a whole module needs its class
    for name, words in (("a.pt", "execute"), ("b.pkl", "execute"), ("d.pt", "execute")):
        with pytest.raises(InputError, match=words):
            read_state(tmp_path / name, "models.m.weights")
    with pytest.raises(InputError, match="cannot be read"):
        read_state(tmp_path / "c.safetensors", "w")
    assert not exploded.exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({"a": 1}, "a: int"),
        ({}, "nothing"),
        ([torch.ones(2)], "list"),
        (torch.ones(2), "Tensor"),
        ({"state_dict": {"w": torch.ones(1)}, "model": {"w": torch.ones(1)}}, "more than one"),
        ({"w": torch.ones(1), "epoch": 3}, "epoch: int"),
        ({"state_dict": {"w": 3}}, "w: int"),
    ],
)
def test_what_holds_no_weights_is_refused(content, words, tmp_path):
    torch.save(content, tmp_path / "w.pt")
    with pytest.raises(InputError) as error:
        read_state(tmp_path / "w.pt", "w")
    assert words in str(error.value)


def test_damaged_files_are_refused_in_words(made, tmp_path):
    torch.save(made.state_dict(), tmp_path / "a.pt")
    save_file(made.state_dict(), tmp_path / "b.safetensors")
    for path in list(tmp_path.iterdir()):
        whole = path.read_bytes()
        for kept in (0, 1, 9, len(whole) // 2, len(whole) - 1):
            path.write_bytes(whole[:kept])
            with pytest.raises(InputError):
                read_into(path)


def changed(state, key, value):
    return {**state, key: value}


def without(state, key):
    return {k: v for k, v in state.items() if k != key}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: without(s, "0.bias"), ["missing 0.bias [8]"]),
        (lambda s: changed(s, "9.bias", torch.ones(3)), ["unexpected 9.bias [3]"]),
        (
            lambda s: changed(without(s, "2.weight"), "2.weights", s["2.weight"]),
            ["missing 2.weight [4, 8]", "unexpected 2.weights [4, 8]", "2.weight is 2.weights"],
        ),
        (lambda s: {f"net.{k}": v for k, v in s.items()}, ["all keys begin with `net.`"]),
        (lambda s: changed(s, "0.weight", torch.ones(8, 5)), ["0.weight [8, 5]", "[8, 6]"]),
        (lambda s: changed(s, "0.weight", torch.ones(6, 8).T[:, :, None]), ["0.weight [8, 6, 1]"]),
        (lambda s: changed(s, "0.bias", torch.ones(8).double()), ["0.bias: float64", "float32"]),
        (lambda s: changed(s, "0.bias", torch.ones(8).long()), ["0.bias: int64"]),
        (lambda s: changed(s, "0.bias", torch.ones(8) * 1j), ["0.bias: complex64"]),
        (lambda s: changed(s, "0.bias", torch.ones(8) / 0), ["0.bias: 8 of 8", "not finite"]),
        (
            lambda s: changed(s, "1.running_var", s["1.running_var"].clone().fill_(torch.nan)),
            ["1.running_var: 8 of 8"],
        ),
    ],
)
def test_what_does_not_fit_is_refused_by_its_name(change, words, made, tmp_path):
    torch.save(change(dict(made.state_dict())), tmp_path / "w.pt")
    model = network()
    before = state_digest(model)
    with pytest.raises(InputError) as error:
        read_into(tmp_path / "w.pt", model)
    assert all(word in str(error.value) for word in words), str(error.value)
    assert state_digest(model) == before


def test_files_of_before_batch_norms_counted_are_read(made, tmp_path):
    torch.save(without(made.state_dict(), "1.num_batches_tracked"), tmp_path / "w.pt")
    assert torch.equal(read_into(tmp_path / "w.pt")(IMAGES), made(IMAGES))


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "test_efficientnet", "test_convnext"])
def test_the_head_is_what_the_library_calls_so(name, tmp_path):
    torch.manual_seed(0)
    other = timm.create_model(name, num_classes=7)
    torch.save(other.state_dict(), tmp_path / "w.pt")
    model, file = timm.create_model(name, num_classes=5), read_state(tmp_path / "w.pt", "w")
    assert num_outputs(model, file, 5) == 7
    fresh = {key: value.clone() for key, value in model.state_dict().items()}
    anew = load_state(model, file, "w", new_head=5)
    classifier = other.pretrained_cfg["classifier"]
    assert sorted(anew) == [f"{classifier}.bias", f"{classifier}.weight"]
    for key, value in model.state_dict().items():
        assert torch.equal(value, fresh[key] if key in anew else other.state_dict()[key])


def test_weights_of_another_trunk_have_no_head_to_make_anew(made, tmp_path):
    wider = nn.Sequential(nn.Linear(6, 9), nn.BatchNorm1d(9), nn.Linear(9, 5))
    torch.save(wider.state_dict(), tmp_path / "w.pt")
    assert num_outputs(network(), read_state(tmp_path / "w.pt", "w"), 4) == 4
    with pytest.raises(InputError, match="another shape"):
        read_into(tmp_path / "w.pt", new_head=4)


@pytest.mark.parametrize(
    ("beside", "names"),
    [
        ({"class_names": ["a", "b"]}, ("a", "b")),
        ({"classes": ("a", "b")}, ("a", "b")),
        ({"class_to_idx": {"b": 1, "a": 0}}, ("a", "b")),
        ({"id2label": {1: "b", 0: "a"}}, ("a", "b")),
        ({"classes": 2}, None),
        ({"id2label": {5: "b", 0: "a"}}, None),
        ({}, None),
    ],
)
def test_names_of_outputs_are_found_in_metadata(beside, names, made, tmp_path):
    torch.save({"state_dict": made.state_dict(), **beside}, tmp_path / "w.pt")
    assert read_state(tmp_path / "w.pt", "w").class_names == names


def test_names_of_outputs_are_found_in_safetensors(made, tmp_path):
    path = tmp_path / "w.safetensors"
    save_file(made.state_dict(), path, metadata={"id2label": '{"0": "a", "1": "b"}'})
    assert read_state(path, "w").class_names == ("a", "b")
