import json

import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from priorscope.analysis.external import score_files
from priorscope.cli import run_command
from priorscope.cli.score import score
from priorscope.errors import InputError

app = typer.Typer()
app.command()(score)


def call(*arguments):
    result = CliRunner().invoke(app, list(map(str, arguments)))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def files(tmp_path):
    """Labels and two models' answers: 6 examples, 3 classes."""
    labels = np.array([0, 1, 2, 0, 1, 2])
    good = np.eye(3)[labels] + 0.1
    weak = np.eye(3)[[0, 1, 0, 1, 2, 0]] + 0.1
    np.savetxt(tmp_path / "labels.csv", labels, fmt="%d")
    np.savetxt(tmp_path / "good.csv", good, delimiter=",")
    np.save(tmp_path / "weak.npy", weak)
    return tmp_path


def arguments(folder, metric="top1", labels="labels.csv", **predictions):
    predictions = predictions or {"good": "good.csv", "weak": "weak.npy"}
    found = ["--labels", folder / labels, "--metric", metric]
    for name, file in predictions.items():
        found += ["--predictions", f"{name}={folder / file}"]
    return found


def test_json_has_the_promised_keys_and_values(files):
    found = json.loads(call(*arguments(files), "--json"))
    assert {"metric", "num_examples", "chance", "models", "pairs"} <= set(found)
    assert (found["metric"], found["num_examples"]) == ("top1", 6)
    answer = "any class, whatever the image"
    assert found["chance"] == {"expected": pytest.approx(1 / 3), "answer": answer}
    assert found["models"]["good"]["estimate"] == 1
    assert found["models"]["weak"]["estimate"] == pytest.approx(1 / 3)
    (pair,) = found["pairs"]
    keys = {"a", "b", "difference", "low", "high", "p_value", "p_adjusted", "test"}
    assert keys == set(pair)
    assert (pair["a"], pair["b"], pair["test"]) == ("good", "weak", "exact McNemar")
    assert pair["difference"] == pytest.approx(2 / 3)
    assert pair["p_value"] == pytest.approx(2 / 2**4)


def test_predictions_may_follow_one_option(files):
    repeated = json.loads(call(*arguments(files), "--json"))
    one = ["--labels", files / "labels.csv", "--predictions", f"good={files / 'good.csv'}"]
    one += [f"weak={files / 'weak.npy'}", "--metric", "top1", "--json"]
    assert json.loads(call(*one)) == repeated


def test_the_table_shows_models_chance_and_pairs(files):
    shown = call(*arguments(files))
    for part in ("good", "weak", "chance", "0.3333", "exact McNemar", "Wilson", "p (Holm)"):
        assert part in shown


def test_labels_in_every_form_agree(files):
    labels = np.loadtxt(files / "labels.csv", dtype=int)
    np.save(files / "one_hot.npy", np.eye(3)[labels])
    write(files, "ids.csv", "answer\n0\n1\n0\n1\n2\n0\n")
    expected = score_files(files / "labels.csv", {"weak": files / "weak.npy"}, metric="top1")
    for given in ({"labels": "one_hot.npy"}, {"file": "ids.csv"}):
        found = score_files(
            files / given.get("labels", "labels.csv"),
            {"weak": files / given.get("file", "weak.npy")},
            metric="top1",
        )
        for each in (found, expected):
            each.pop("notes", None)
        assert found == expected


def test_counts_are_compared_by_permutation_even_when_only_0_and_1_occur(tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "labels.npy", np.tile([1, 1, 0, 0, 0, 0], (40, 1)))
    worst = np.tile([0.0, 1, 2, 3, 4, 5], (40, 1))
    half = worst.copy()
    half[:, 0] = 6
    np.save(tmp_path / "worst.npy", worst)
    np.save(tmp_path / "half.npy", half + 0.1 * rng.random(half.shape))
    files = {name: tmp_path / f"{name}.npy" for name in ("worst", "half")}
    found = score_files(tmp_path / "labels.npy", files, metric="top_k_matching", k=2)
    assert found["models"]["half"]["histogram"] == [0, 40, 0]
    assert found["models"]["half"]["method"].startswith("t interval over 40 images")
    assert found["pairs"][0]["test"].startswith("paired permutation")
    assert found["chance"]["expected"] == pytest.approx(2 / 3)


def test_a_metric_of_ones_own(files, monkeypatch):
    monkeypatch.chdir(files)
    (files / "mine.py").write_text(
        "import numpy as np\n"
        "def margin(predictions):\n"
        "    ordered = np.sort(predictions.logits, axis=1)\n"
        "    return ordered[:, -1] - ordered[:, -2]\n"
    )
    found = json.loads(call(*arguments(files, metric="./mine.py:margin"), "--json"))
    assert found["chance"]["expected"] == 0, "what an answer scores that prefers no class"
    assert found["models"]["good"]["estimate"] == pytest.approx(1)


def write(folder, name, text):
    (folder / name).write_text(text)
    return name


BAD = {
    "missing file": ({"good": "nowhere.csv"}, "no such file"),
    "row counts": ({"x": ("x.csv", "1,0,0\n")}, "number of rows"),
    "number of classes": (
        {"x": ("x.csv", "1,0\n0,1\n" * 3), "good": "good.csv"},
        "rows of different lengths",
    ),
    "NaN": ({"x": ("x.csv", "1,0,nan\n" * 6)}, "not a finite number"),
    "ragged": ({"x": ("x.csv", "1,0,0\n" * 5 + "1,0\n")}, "ragged"),
    "predicted id": ({"x": ("x.csv", "0\n1\n2\n3\n4\n1\n"), "good": "good.csv"}, "out of range"),
    "no whole number": ({"x": ("x.csv", "0.5\n" * 6), "good": "good.csv"}, "out of range"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_predictions_are_refused_by_file(files, case):
    given, said = BAD[case]
    named = {
        name: file if isinstance(file, str) else write(files, *file) for name, file in given.items()
    }
    with pytest.raises(InputError, match=said) as error:
        call(*arguments(files, **named))
    assert str(files) in str(error.value)


@pytest.mark.parametrize(
    ("text", "metric", "said"),
    [
        ("0\n1\n2\n0\n1\n3\n", "top1", "label out of range"),
        ("0\n1\n2\n0\n1\n-1\n", "top1", "label out of range"),
        ("1,0,0\n" * 5 + "1,1,0\n", "top1", "multi-hot"),
        ("0,0,0\n" * 6, "top_k_matching", "without a class"),
        ("0,2,0\n" * 6, "top_k_matching", "multi-hot"),
    ],
)
def test_bad_labels_are_refused_by_row(files, text, metric, said):
    labels = write(files, "bad.csv", text)
    with pytest.raises(InputError, match=said) as error:
        call(*arguments(files, metric=metric, labels=labels))
    said = str(error.value)
    assert "bad.csv, row" in said or ("bad.csv" in said and "2 classes present in row 5" in said)


def test_one_hot_labels_are_class_ids_for_any_metric(files):
    (files / "mine.py").write_text(
        "def mine(answers):\n    return (answers.logits.argmax(1) == answers.targets) * 1.0\n"
    )
    ids = np.loadtxt(files / "labels.csv", dtype=int)
    np.savetxt(files / "hot.csv", np.eye(ids.max() + 1, dtype=int)[ids], fmt="%d", delimiter=",")
    for metric in (f"{files}/mine.py:mine", "cross_entropy", "top_k_matching"):
        found = [
            json.loads(call(*arguments(files, metric=metric, labels=files / name), "--json"))[
                "models"
            ]
            for name in ("labels.csv", "hot.csv")
        ]
        assert found[0] == found[1]


def test_class_names_for_labels_are_classes_in_alphabetical_order(files):
    ids = json.loads(call(*arguments(files), "--json"))
    names = np.array(["ant", "bee", "cat"] * 2)
    (files / "names.csv").write_text("\n".join(names))
    np.save(files / "names.npy", names)
    for file in ("names.csv", "names.npy"):
        found = json.loads(call(*arguments(files, labels=file), "--json"))
        assert found.pop("notes") == ["classes in alphabetical order: 0 ant, 1 bee, 2 cat"]
        assert found == {key: value for key, value in ids.items() if key != "notes"}
    np.save(files / "two.npy", np.array(["cat", "dog"] * 3))  # which of three columns?
    with pytest.raises(InputError, match="open") as error:
        call(*arguments(files, labels="two.npy"))
    assert "--class-names" in error.value.hint


def of_one_based(folder):
    return {"labels": write(folder, "y.csv", "label\n1\n2\n3\n1\n2\n3\n")}


def of_gaps(folder):
    # Class 3 is neither a label nor predicted.
    labels = write(folder, "y.csv", "label\n0\n1\n2\n0\n1\n4\n")
    return {"labels": labels, "good": write(folder, "x.csv", "answer\n0\n1\n2\n0\n1\n4\n")}


def of_first_lines(folder):
    names = {"labels": "y.csv", "good": "x.csv"}
    return {name: write(folder, file, "0\n0\n1\n2\n0\n1\n2\n") for name, file in names.items()}


def of_an_index(folder):
    rows = np.c_[[7, 9, 12, 40, 41, 50], np.loadtxt(folder / "good.csv", delimiter=",")]
    np.savetxt(folder / "x.csv", rows, delimiter=",")
    return {"good": "x.csv"}


def of_decimal_commas(folder):
    labels = write(folder, "y.csv", "0,0\n1,0\n2,0\n0,0\n1,0\n2,0\n")
    return {"labels": labels}


def of_names(folder):
    rows = "cat,dog,ant\n" + (folder / "good.csv").read_text()
    labels = write(folder, "y.csv", "label\n" + "2\n0\n1\n" * 2)
    return {
        "labels": labels,
        "good": write(folder, "x.csv", rows),
        "other": write(folder, "z.csv", "ant,cat,dog\n" + rows.partition("\n")[2]),
    }


def of_rows(folder):
    labels = write(folder, "y.csv", ",label\n3,0\n5,1\n4,2\n8,0\n7,1\n6,2\n")
    rows = (folder / "good.csv").read_text().splitlines()
    order = zip("543876", [rows[i] for i in (1, 2, 0, 0, 1, 2)], strict=True)
    return {
        "labels": labels,
        "good": write(
            folder, "x.csv", ",a,b,c\n" + "".join(f"{key},{row}\n" for key, row in order)
        ),
    }


@pytest.mark.parametrize(
    ("make", "option"),
    [
        (of_one_based, ["--first-class", "1"]),
        (of_gaps, ["--num-classes", "5"]),
        (of_first_lines, ["--header"]),
        (of_an_index, ["--skip-columns", "first"]),
        (of_decimal_commas, ["--decimal", "comma"]),
        (of_rows, ["--match-rows", "ids"]),
    ],
)
def test_what_is_open_is_refused_with_the_option_that_settles_it(files, capsys, make, option):
    given = {"good": "good.csv"} | make(files)
    command = ["score", *map(str, arguments(files, **given)), "--json"]
    assert run_command(command) == 2
    assert option[0] in capsys.readouterr().err
    assert run_command([*command, *option]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["num_examples"] == 6 and found["models"]["good"]["estimate"] == 1


def test_class_names_say_what_the_columns_mean(files, capsys):
    given = of_names(files)
    command = ["score", *map(str, arguments(files, **given)), "--json"]
    assert run_command(command) == 2
    assert "--class-names" in capsys.readouterr().err
    (files / "names.txt").write_text("cat\ndog\nant\n")
    for names in ("cat,dog,ant", files / "names.txt"):
        assert run_command([*command, "--class-names", str(names)]) == 0
        found = json.loads(capsys.readouterr().out)
        # good.csv's columns are right for labels 0 1 2; here they are cat, dog, ant for 2 0 1.
        right = {name: model["estimate"] for name, model in found["models"].items()}
        assert right == {"good": 0, "other": 1}


def test_what_was_decided_is_said(files, capsys):
    rows = np.c_[np.arange(6), np.loadtxt(files / "good.csv", delimiter=",")]
    np.savetxt(files / "x.csv", rows, delimiter=",")
    assert run_command(["score", *map(str, arguments(files, good="x.csv"))]) == 0
    assert "note: " in (shown := capsys.readouterr().out) and "index" in shown


def test_rows_of_several_runs_are_refused_with_the_column(files):
    text = "seed,id,a,b,c\n" + "".join(f"0,{i},1,0,0\n" for i in range(6))
    with pytest.raises(InputError, match="seed") as error:
        call(*arguments(files, x=write(files, "x.csv", text)))
    assert "--skip-columns" in error.value.hint


PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0, 0.1, 0.9], [0.4, 0.3, 0.3]] * 2)[:6]


def spoilt(row, values):
    rows = PROBABILITIES.copy()
    rows[row] = values
    return rows


@pytest.mark.parametrize(
    ("rows", "options", "said"),
    [
        (PROBABILITIES, ["--probabilities"], None),
        (PROBABILITIES + 9e-4 / 3, ["--probabilities"], None),
        (PROBABILITIES + 1.2e-3 / 3, ["--probabilities"], "row 1 "),
        (spoilt(4, [0.9, 0.2, 0.1]), ["--probabilities"], "row 5 "),
        (spoilt(3, [1.1, -0.1, 0]), ["--probabilities"], "row 4 "),  # they do sum to one
        (PROBABILITIES * 7 - 3, ["--probabilities"], "not a probability"),
        (np.array([0, 1, 2, 0, 1, 2]), ["--probabilities"], "class ids"),
        # Without a claim, only what is nearly a file of probabilities is one that was damaged.
        (spoilt(4, [0.9, 0.2, 0.1]), [], "--no-probabilities"),
        (spoilt(4, [0.9, 0.2, 0.1]), ["--no-probabilities"], None),
        (spoilt(4, [1.1, 0.2, 0.1]), [], "--no-probabilities"),
        (PROBABILITIES * 0.9, [], None),
        (PROBABILITIES * 7 - 3, [], None),
    ],
)
def test_rows_that_are_no_probabilities_are_refused(files, capsys, rows, options, said):
    np.save(files / "rows.npy", rows)
    before = sorted(files.iterdir())
    code = run_command(["score", *map(str, arguments(files, rows="rows.npy")), *options])
    shown = capsys.readouterr()
    assert code == (2 if said else 0)
    assert bool(shown.out) == (not said)
    assert sorted(files.iterdir()) == before
    if said:
        assert said in shown.err and "rows.npy" in shown.err


def test_bad_arguments_are_refused(files):
    good = files / "good.csv"
    base = ["--labels", files / "labels.csv"]
    named = ["--predictions", f"a={good}"]
    for extra, said in [
        ([*named, "--metric", "top_1"], "unknown metric"),
        ([*named, "--metric", "top1", "--k", 2], "unknown parameter"),
        ([*named, "--metric", "top_k_matching", "--k", 4], "k out of range"),
        ([*named, *named, "--metric", "top1"], "given twice"),
        (["--predictions", good, "--metric", "top1"], "need a name"),
        (["--predictions", f"={good}", "--metric", "top1"], "need a name"),
    ]:
        with pytest.raises(InputError, match=said):
            call(*base, *extra)


def test_predicted_class_ids_have_no_second_choice(files):
    ids = write(files, "ids.csv", "answer\n0\n1\n0\n1\n2\n0\n")
    with pytest.raises(InputError, match="needs a ranking"):
        call(*arguments(files, "top_k_matching", weak=ids), "--k", 2)
    found = json.loads(call(*arguments(files, "top_k_matching", weak=ids), "--k", 1, "--json"))
    assert found["models"]["weak"]["histogram"] == [4, 2]


def test_background_accuracies_of_the_2021_report(shared_data):
    found = json.loads(
        call(
            *arguments(
                shared_data / "paper",
                "top1",
                "background_labels.csv",
                resnet50="background_resnet50_probabilities.csv",
                vit="background_vit_probabilities.csv",
                local_vit="background_local_vit_predicted_class.csv",
            ),
            "--json",
        )
    )
    estimates = {name: model["estimate"] for name, model in found["models"].items()}
    assert estimates == {"resnet50": 0.15, "vit": 0.105, "local_vit": 0.145}
    p_values = {(pair["a"], pair["b"]): pair["p_value"] for pair in found["pairs"]}
    assert p_values == {
        ("resnet50", "vit"): pytest.approx(0.16, abs=0.005),
        ("resnet50", "local_vit"): 1,
        ("vit", "local_vit"): pytest.approx(0.20, abs=0.005),
    }
    assert found["chance"]["expected"] == 0.1


@pytest.mark.parametrize("k", [[], ["--k", "4"]])
def test_top_4_matching_of_the_2021_report(shared_data, k):
    resnet = {"resnet50": "combined_resnet50_probabilities.csv"}
    given = arguments(shared_data / "paper", "top_k_matching", "combined_labels.csv", **resnet)
    found = json.loads(call(*given, *k, "--probabilities", "--json"))
    assert found["models"]["resnet50"]["estimate"] == pytest.approx(2.09)
    assert found["models"]["resnet50"]["histogram"] == [1, 21, 49, 26, 3]
    assert found["chance"]["expected"] == 1.6
    assert sum(found["chance"]["pmf"]) == pytest.approx(1)
    assert found["pairs"] == []


def test_metrics_of_probabilities_take_logits_and_probabilities_alike(tmp_path):
    rng = np.random.default_rng(0)
    logits, labels = 3 * rng.normal(size=(60, 4)), rng.integers(0, 4, 60)
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.save(tmp_path / "y.npy", labels)
    np.save(tmp_path / "logits.npy", logits)
    np.save(tmp_path / "p.npy", p)
    files = {name: tmp_path / f"{name}.npy" for name in ("logits", "p")}
    found = score_files(tmp_path / "y.npy", files, metric="cross_entropy")["models"]
    expected = -np.log(p[np.arange(60), labels]).mean()
    assert found["logits"]["estimate"] == pytest.approx(expected)
    assert found["p"]["estimate"] == pytest.approx(expected)
    assert found["p"]["high"] > found["p"]["estimate"] > 1, "no bound of 1"


def test_the_null_of_unequal_classes_is_the_commonest_class(tmp_path):
    """90 of 100 labels are of one class: a constant answer is at chance, and balanced at 1/2."""
    np.save(tmp_path / "y.npy", np.r_[np.zeros(90, int), np.ones(10, int)])
    np.save(tmp_path / "p.npy", np.tile([0.9, 0.1], (100, 1)))
    found = score_files(tmp_path / "y.npy", {"m": tmp_path / "p.npy"}, metric="top1")
    assert found["chance"]["expected"] == pytest.approx(0.9)
    assert found["models"]["m"]["estimate"] == pytest.approx(0.9)
    assert found["models"]["m"]["balanced_accuracy"] == pytest.approx(0.5)
    assert found["unequal_classes"]


def test_rows_that_tie_are_counted(tmp_path):
    np.save(tmp_path / "y.npy", np.arange(40) % 4)
    rows = np.array([np.roll([0.4, 0.4, 0.1, 0.1], i % 3) for i in range(40)])  # two of four tie
    np.save(tmp_path / "p.npy", rows)
    right = np.mean([row[i % 4] / 0.8 if row[i % 4] > 0.3 else 0 for i, row in enumerate(rows)])
    found = score_files(tmp_path / "y.npy", {"m": tmp_path / "p.npy"}, metric="top1")
    assert found["models"]["m"]["num_tied"] == 40
    assert found["models"]["m"]["estimate"] == pytest.approx(right)
