"""Two small finished studies, and what their reports say: nothing that is only moved may change it.

python tests/made/golden.py             train both anew and take the digests
python tests/made/golden.py --digests   take the digests of the studies that are there
python tests/made/golden.py --text DIR  write what is digested to DIR, to look for what changed
"""

import argparse
import contextlib
import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import html_page
import polars as pl

from priorscope.cli import run_command

HERE = Path(__file__).parents[1] / "golden"
STUDIES = ("plain", "factors")
DIGESTS = HERE / "digests.json"
# What is needed to train again or to ask the networks more, and is large.
_LEFT_OUT = ("checkpoint", "model.safetensors", "report", "analysis", "samples")


def train(name: str) -> None:
    """Run a study and keep of it what a report is made of."""
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):  # no place is recorded
        shutil.copy(HERE / f"{name}.yaml", folder)
        code = run_command(["run", f"{name}.yaml", "--out", name])
        assert code == 0, f"{name}: {code}"
        shutil.rmtree(HERE / name, ignore_errors=True)
        shutil.copytree(name, HERE / name, ignore=lambda _, names: {*_LEFT_OUT} & {*names})


def report(name: str, folder: Path) -> dict[str, str]:
    """Make the report of a stored study in `folder`; return what each of its files says."""
    out = folder / name
    shutil.copytree(HERE / name, out)
    code = run_command(["report", str(out)])
    assert code == 0, f"{name}: {code}"
    said = {}
    for path in sorted([*out.glob("analysis/**/*"), *out.glob("report/**/*")]):
        if path.suffix in _READERS:
            said[str(path.relative_to(out))] = _READERS[path.suffix](path)
    return said


def digests(said: dict[str, str]) -> dict[str, str]:
    """Digest each text to 16 hex digits."""
    return {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in said.items()}


def _plain(value: Any) -> Any:
    """Round floats to 6 digits: what differs behind them differs between processors."""
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _json(path: Path) -> str:
    found = json.loads(path.read_text(encoding="utf-8"))
    return json.dumps(_plain(found), indent=1, sort_keys=True, ensure_ascii=False)


def _rows(table: pl.DataFrame) -> str:
    return "\n".join(json.dumps(_plain(row), ensure_ascii=False) for row in table.to_dicts())


def _words(path: Path) -> str:
    """Return the text of a page or a figure, one element a line."""
    words = html_page.read(path).words
    lines = (" ".join(line.split()) for line in words)
    return "\n".join(line for line in lines if line)


_READERS = {
    ".csv": lambda path: _rows(pl.read_csv(path, infer_schema_length=None)),
    ".html": _words,
    ".json": _json,
    ".md": lambda path: path.read_text(encoding="utf-8"),
    ".parquet": lambda path: _rows(pl.read_parquet(path)),
    ".svg": _words,
    ".tex": lambda path: path.read_text(encoding="utf-8"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--digests", action="store_true")
    parser.add_argument("--text", type=Path)
    arguments = parser.parse_args()
    if not (arguments.digests or arguments.text):
        for name in STUDIES:
            train(name)
    with tempfile.TemporaryDirectory() as folder:
        said = {name: report(name, Path(folder)) for name in STUDIES}
    if arguments.text:
        for name, files in said.items():
            for file, text in files.items():
                path = arguments.text / name / f"{file}.txt"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text + "\n", encoding="utf-8")
        return
    found = {name: digests(files) for name, files in said.items()}
    DIGESTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
