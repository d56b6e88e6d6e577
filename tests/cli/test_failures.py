"""A run that fails stops itself only."""

import polars as pl


def test_a_failed_run_keeps_the_others_and_exits_with_3(finished, capsys):
    finished.add_model(
        "bad",
        "import torch\n"
        "class Bad(torch.nn.Module):\n"
        "    def __init__(self, n):\n"
        "        super().__init__()\n"
        "        self.head = torch.nn.Linear(3, n)\n"
        "    def forward(self, x):\n"
        "        return self.head(x.mean((2, 3))) * (torch.nan if self.training else 1)\n"
        "def bad(*, num_classes, image_px): return Bad(num_classes)\n",
    )
    assert finished.again() == 3
    error = capsys.readouterr().err
    assert "bad seed 0" in error
    assert "not finite at step 1 (epoch 1, learning rate" in error
    estimates = pl.read_parquet(finished.out / "analysis" / "estimates.parquet")
    assert set(estimates["model"]) == {"cnn", "vit", "chance"}


def test_a_model_that_fails_while_it_trains_stops_its_run_only(finished, capsys):
    finished.add_model(
        "bad",
        "from torch import nn\n"
        "class Bad(nn.Sequential):\n"
        "    def forward(self, x):\n"
        "        if self.training: raise ValueError('no training today')\n"
        "        return super().forward(x)\n"
        "def bad(*, num_classes, image_px):\n"
        "    return Bad(nn.Flatten(), nn.Linear(3 * image_px**2, num_classes))\n",
    )
    assert finished.again() == 3
    error = capsys.readouterr().err
    assert "no training today" in error
    (kept,) = finished.out.glob("runs/bad-*/error.txt")
    assert str(kept) in error
    assert "Traceback" in kept.read_text()


def test_a_model_that_answers_nan_fails_alone(finished, capsys):
    finished.add_model(
        "bad",
        "import torch\n"
        "from torch import nn\n"
        "class Bad(nn.Sequential):\n"
        "    def forward(self, x):\n"
        "        return super().forward(x) * (1 if self.training else torch.nan)\n"
        "def bad(*, num_classes, image_px):\n"
        "    return Bad(nn.Flatten(), nn.Linear(3 * image_px**2, num_classes))\n",
    )
    assert finished.again() == 3
    assert "answers on probe test are not finite" in capsys.readouterr().err
    assert "bad" not in pl.read_parquet(finished.out / "analysis" / "estimates.parquet")["model"]
