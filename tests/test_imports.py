"""Imports go one way, and what needs no torch imports none."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import priorscope

ROOT = Path(priorscope.__file__).parent
PATHS = sorted(ROOT.rglob("*.py"))

# A package may import from itself and from those named here. `training.recipe` is plain values
# that a study is made of, so the torch-free part of `study` may read it.
MAY_IMPORT = {
    "version": set(),
    "errors": set(),
    "studies": set(),
    "own_code": set(),
    "own_import": {"errors", "own_code"},
    "components": {"errors", "own_import"},
    "data": {"errors", "components", "version"},
    "interventions": {"errors", "components"},
    "models": {"errors", "components"},
    "stats": {"errors", "components"},
    "tables": {"errors"},
    "probes": {"errors", "components", "data"},
    "training": {"errors", "components", "data"},
    "evaluation": {"errors", "components", "data"},
    "metrics": {"errors", "components", "evaluation", "stats"},
}
MAY_IMPORT["measures"] = {"errors", "components", "evaluation", "metrics"}
MAY_IMPORT["study"] = set(MAY_IMPORT)
MAY_IMPORT["runs"] = set(MAY_IMPORT)
MAY_IMPORT["claims"] = {"errors", "components", "metrics", "probes", "stats", "study"}
MAY_IMPORT["preflight"] = set(MAY_IMPORT)
MAY_IMPORT["execution"] = set(MAY_IMPORT)
MAY_IMPORT["analysis"] = set(MAY_IMPORT) - {"execution"}
MAY_IMPORT["report"] = set(MAY_IMPORT) - {"execution"}
MAY_IMPORT["api"] = set(MAY_IMPORT)
MAY_IMPORT["cli"] = set(MAY_IMPORT)

TORCH_FREE = [
    "priorscope.stats",
    "priorscope.metrics.top1",
    "priorscope.metrics.top_k_matching",
    "priorscope.claims",
    "priorscope.analysis",
    "priorscope.report",
    "priorscope.cli._results",
    "priorscope.study.spec",
    "priorscope.study.load",
    "priorscope.study.plan",
    "priorscope.runs.store",
    "priorscope.tables",
    "priorscope.components",
    "priorscope.api.study",
    "priorscope.api.run",
    "priorscope.api.results",
    "priorscope.api.score",
    "priorscope.cli",
]


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("path", PATHS, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_one_way(path):
    package = path.relative_to(ROOT).parts[0].removesuffix(".py")
    if package in {"__init__", "__main__", "studies"}:
        return
    for name in imports_of(path):
        parts = name.split(".")
        if parts[0] == "priorscope" and len(parts) > 1 and (ROOT / parts[1]).exists():
            assert parts[1] in MAY_IMPORT[package] | {package}, f"{path} imports {name}"


def modules() -> dict[str, Path]:
    names = {path: ("priorscope", *path.relative_to(ROOT).with_suffix("").parts) for path in PATHS}
    return {".".join(name).removesuffix(".__init__"): path for path, name in names.items()}


def test_no_package_imports_the_private_module_of_another():
    private = set()
    for module, path in modules().items():
        for name in imports_of(path):
            parts, own = name.split("."), module.split(".")[:2]
            if parts[0] == "priorscope" and parts[:2] != own:
                private |= (
                    {f"{module}: {name}"} if any(re.match("_[^_]", p) for p in parts) else set()
                )
    assert private == set()


def test_no_modules_import_each_other():
    """Imports inside functions count, and those for types too."""
    known = modules()
    graph = {
        module: {
            name if name in known else name.rpartition(".")[0]
            for name in imports_of(path)
            if name.startswith("priorscope.")
        }
        - {module}
        for module, path in known.items()
    }
    while free := [module for module, names in graph.items() if not names & graph.keys()]:
        for module in free:
            del graph[module]
    assert graph == {}


def test_only_components_and_own_import_import_by_name_at_run_time():
    for path in PATHS:
        if path.name not in {"components.py", "own_import.py"}:
            assert not {"importlib", "importlib.util"} & imports_of(path), path


@pytest.mark.parametrize("module", TORCH_FREE)
def test_imports_without_torch(module):
    code = f"import sys, {module}; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_files_are_of_a_size_that_a_reader_can_hold():
    for path in PATHS:
        assert len(path.read_text().splitlines()) <= 320, path
