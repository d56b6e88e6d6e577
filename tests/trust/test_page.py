"""A study of strangers' names, run with the net unplugged: text stays text, nothing leaves."""

import socket
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image

from priorscope.cli import run_command

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"
EVIL_NAME = "<script>alert(1)<img src=x onerror=alert(2)>[/bold]"  # a file name has no slash
PROBE = """
import numpy as np
from priorscope.probes import ProbeSet

def turned(source, *, rng, note: str = ""):
    images = source.images[:6]
    return ProbeSet(images[:, ::-1], source.labels[:6], np.arange(6),
                    {"arm": np.array(["turned"] * 6), "<script>": np.array(["<img src=x>"] * 6)},
                    source.class_names, np.array(["<script>cluster"] * 6))
"""
STUDY = f"""
name: strangers
description: "{EVIL}"
data: {{name: image_folder, path: "{EVIL_NAME}", test_fraction: 0.5}}
recipe: {{batch_size: 10, epochs: 1}}
models:
  a: {{name: linear}}
  b: {{name: resnet_nano, width: 4, num_blocks: [1]}}
probes:
  turned: {{name: './probe.py:turned', note: "{EVIL}"}}
declared: {{num_parameters: "{EVIL}"}}
hypotheses:
  - {{id: H1, statement: "{EVIL}", contrast: {{a: a, b: b}}, probe: turned, metric: top1,
     expect: different}}
controls:
  - {{model: a, within: [0, 1], statement: "{EVIL}"}}
"""


class Elements(HTMLParser):
    """Collect the elements of a page, and its text."""

    def __init__(self, text: str):
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text += data


@pytest.fixture
def unplugged(monkeypatch):
    """Let every attempt to reach another machine fail, and tell of it."""
    attempts = []

    def refuse(*arguments, **_):
        attempts.append(arguments)
        raise OSError("the net is unplugged")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refuse)
    for name in ("getaddrinfo", "create_connection", "gethostbyname"):
        monkeypatch.setattr(socket, name, refuse)
    return attempts


def test_text_stays_text_and_nothing_leaves_the_machine(tmp_path, unplugged, capsys):
    rng = np.random.default_rng(0)
    for name in (EVIL_NAME, "b<svg onload=alert(3)>"):
        folder = tmp_path / "data" / EVIL_NAME / name
        folder.mkdir(parents=True)
        for number in range(12):
            pixels = rng.integers(0, 256, (16, 16, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(folder / f"{number}<script>.png")
    (tmp_path / "probe.py").write_text(PROBE)
    (tmp_path / "strangers.yaml").write_text(STUDY)
    out = tmp_path / "out"
    command = ["run", tmp_path / "strangers.yaml", "--out", out, "--data-root", tmp_path / "data"]
    assert run_command([str(argument) for argument in command]) == 0, capsys.readouterr().err
    assert run_command(["report", str(out)]) == 0
    assert unplugged == []
    page = Elements((out / "report" / "index.html").read_text(encoding="utf-8"))
    assert EVIL in page.text and EVIL_NAME in page.text  # they are there, as text
    scripts = [attributes for tag, attributes in page.found if tag == "script"]
    assert [each for each in scripts if each.get("type") is None] == [{}, {}]  # our two
    assert {each.get("type") for each in scripts} <= {None, "application/json"}
    for tag, attributes in page.found:
        assert not any(name.startswith("on") for name in attributes), (tag, attributes)
        for name in ("src", "data", "action", "poster", "srcset", "xlink:href"):
            assert (attributes.get(name) or "data:").startswith("data:"), (tag, attributes)
        link = attributes.get("href") or "#"
        assert not link.startswith(("http", "//", "javascript")), link
    for figure in out.glob("report/figures/*.svg"):
        drawn = Elements(figure.read_text(encoding="utf-8"))
        assert not [tag for tag, _ in drawn.found if tag in ("script", "foreignobject")]
        assert not any(key.startswith("on") for _, each in drawn.found for key in each)
