"""A study made ready to be trained, and trained: what `ps.run` and the command do alike."""

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from os import environ
from os.path import relpath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from priorscope.api.imported import refuse_import
from priorscope.api.keys import check_kept, kept_in
from priorscope.api.study import Study
from priorscope.errors import InputError, PriorscopeWarning, RunFailed

if TYPE_CHECKING:  # nothing that needs torch is imported before the study is known to be right
    from rich.console import Console

    from priorscope.api.results import Results
    from priorscope.api.training import TrainingOptions
    from priorscope.execution import Pool
    from priorscope.preflight.checked import Checked
    from priorscope.report.wording import Row
    from priorscope.runs.load_cells import Cell
    from priorscope.study.levels import Levels
    from priorscope.study.plan import Run

_SHARED_WAIT_SECONDS = 600.0  # while another process opens the study or reports


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a study is run, beside what it says itself; see `priorscope.run`.

    `command` is how a reader could run it again.
    """

    out: str | Path | None = None
    data_root: str | Path | None = None
    seeds: Sequence[int] | None = None
    only: str | None = None
    device: str = "auto"
    devices: int | None = None
    executor: str = "local"
    jobs: int | None = None
    threads: int | None = None
    address: str | None = None
    shared: bool = False
    fresh: bool = False
    checkpoint_minutes: float = 5.0
    trackers: Sequence[str] = ()
    command: str = "priorscope.run(...)"


@contextmanager
def prepared(study: Study, options: Options) -> Iterator["Work"]:
    """Check a study and all that its runs need, and hold it ready to be trained.

    Nothing is written before `Work.train`. The output folder is this process's from then to the
    end of the context.

    Raises
    ------
    InputError : as `run`
    """
    from priorscope.runs.store import check_folder
    from priorscope.study.plan import plan, select

    refuse_import()
    spec = study.spec
    out = Path(options.out or Path("outputs") / spec.name)
    runs = plan(spec)
    chosen = select(runs, seeds=_whole(options.seeds), only=options.only)
    if options.shared and options.fresh:
        raise InputError("would set aside what others work on", where="--shared", found="--fresh")
    if not options.fresh:
        check_folder(out, spec)
    trackers = (options.trackers,) if isinstance(options.trackers, str) else (*options.trackers,)
    if trackers:
        from priorscope.api.trackers import check_trackers

        check_trackers(trackers)
    check_kept(spec.as_dict())

    from rich.console import Console

    from priorscope import components
    from priorscope.api.training import TrainingOptions
    from priorscope.data import data_root as find_data_root
    from priorscope.execution import Asked
    from priorscope.preflight.fairness import refuse
    from priorscope.preflight.known import look, look_key
    from priorscope.runs.load_cells import cell_loader
    from priorscope.training import distributed

    where = {"base": spec.base, "where": "--executor"}
    execute = components.resolve("executors", options.executor, **where)
    _refuse_elsewhere(spec.as_dict(), options)
    names = ("device", "devices", "jobs", "threads", "address")
    asked = Asked(*(getattr(options, name) for name in names))
    root = find_data_root(None if options.data_root is None else Path(options.data_root))
    seconds = 60 * options.checkpoint_minutes
    with execute(asked, spec.recipe) as pool, ExitStack() as held:
        curves = _published_curves(root) if spec.reproduces else []
        load_cell = cell_loader(spec, root)
        checked = look(spec, key := look_key(spec, root), load_cell)
        refuse(checked.differences)
        training = TrainingOptions(out, root, seconds, options.shared, trackers)
        work = Work(
            Console(quiet=not distributed.is_main()),
            pool,
            checked,
            training,
            chosen,
            runs,
            options,
            key,
            curves,
            held,
            load_cell,
        )
        del load_cell  # a report needs no images: they go when all runs are trained
        yield work


@dataclass(eq=False)
class Work:
    """A study that is ready to be trained.

    Attributes
    ----------
    console : shows the progress; silent where another process speaks to the user
    pool : executes the runs
    checked : what is known of the study
    training : what all runs share
    chosen : the runs that were asked for
    failed : those of them that stopped before their end
    """

    console: "Console"
    pool: "Pool"
    checked: "Checked"
    training: "TrainingOptions"
    chosen: "Sequence[Run]"
    _runs: "Sequence[Run]"
    _options: Options
    _key: str | None
    _curves: "list[Row]"
    _held: ExitStack
    _load_cell: "Callable[[Levels], Cell] | None"
    failed: "tuple[Run, ...]" = ()

    @property
    def out(self) -> Path:
        """Return the output folder."""
        return self.training.out

    @property
    def speaks(self) -> bool:
        """Tell whether this process writes and speaks to the user, of those that train together."""
        from priorscope.training import distributed

        return distributed.is_main()

    @property
    def warnings(self) -> list[str]:
        """List what is wrong: with the data as their datasets say, with models as rehearsed."""
        checked = self.checked
        lines = [f"data: {line}" for data in checked.data.values() for line in data["warnings"]]
        return list(dict.fromkeys([*lines, *checked.warnings]))

    @property
    def has_finished(self) -> bool:
        """Tell whether any run of the study is finished, here or earlier."""
        from priorscope.runs.store import is_finished

        return any(is_finished(self.out, run) for run in self._runs)

    def train(self) -> None:
        """Open the output folder, and bring the chosen runs to their ends.

        Of several processes that train together, the first one writes.
        """
        from priorscope.api.training import train_all
        from priorscope.runs.environment import give_back_freed_memory
        from priorscope.runs.locks import locked
        from priorscope.runs.store import set_aside
        from priorscope.training import distributed

        load_cell, self._load_cell = self._load_cell, None
        assert load_cell is not None, "a study is trained once"
        args = (self.console, self.pool, self.chosen, self.checked, load_cell, self.training)
        if not distributed.is_main():
            train_all(*args)
            return
        if self._options.fresh and (aside := set_aside(self.out)):
            self.console.print(f"old results are now in {aside}")
        # Those who share a folder have it alone only while they open the study and report.
        shared = self.training.shared
        lock = {"wait_seconds": _SHARED_WAIT_SECONDS if shared else 0.0}
        with ExitStack() as opening:
            opening.enter_context(locked(self.out, **lock))
            self._open(load_cell)
            if not shared:
                self._held.enter_context(opening.pop_all())
        self.failed = train_all(*args)
        del args, load_cell
        give_back_freed_memory()
        if shared:
            self._held.enter_context(locked(self.out, **lock))

    def results(self) -> "Results":
        """Return the results of all runs that are finished."""
        from priorscope.api.results import Results

        return Results(self.out)

    def refuse_failed(self) -> None:
        """Refuse to go on where runs have failed.

        Raises
        ------
        RunFailed : names them
        """
        if self.failed:
            names = ", ".join(each.title for each in self.failed)
            raise RunFailed(f"{len(self.failed)} of {len(self.chosen)} runs failed: {names}")

    def _open(self, load_cell: "Callable[[Levels], Cell]") -> None:
        """Write down the study and what it is run with, and samples of what is shown."""
        from priorscope.execution import named_files
        from priorscope.preflight.fairness import as_plain
        from priorscope.runs.earlier import earlier_note, earlier_runs
        from priorscope.runs.environment import hardware, versions
        from priorscope.runs.samples import write_samples
        from priorscope.runs.store import open_study
        from priorscope.study.levels import cell_name

        study, checked = self.checked.study, self.checked
        about: dict[str, Any] = {"command": self._options.command, **checked.about()}
        about |= {"versions": versions(), "hardware": hardware(self.pool.device)}
        about |= {"executor": self.pool.about, "fairness": as_plain(checked.differences)}
        if named_files(study) or study.weights:  # whoever builds a network again must find them
            about["base"] = relpath(study.base, self.out)
        open_study(self.out, study, self._runs, about=about)
        if earlier := earlier_runs(self.out, self._runs):
            warnings.warn(PriorscopeWarning(earlier_note(earlier)), stacklevel=1)
        for levels in checked.shown():
            cell = load_cell(levels)
            write_samples(self.out, cell.data, cell.probes, cell_name(levels), self._key)
        if self._curves:
            from priorscope.report.sections.report_2021.curves import keep_curves

            keep_curves(self.out, self._curves)


def _whole(seeds: object) -> list[int] | None:
    """Read the seeds that were asked for.

    Raises
    ------
    InputError : not whole numbers in a list, or one stands twice
    """
    if seeds is None:
        return None
    where, allowed = "--seeds", "whole numbers, such as [0, 1, 2]"
    if isinstance(seeds, str | bytes) or not isinstance(seeds, Sequence):
        raise InputError("seeds are a list", where=where, found=repr(seeds), allowed=allowed)
    if wrong := [seed for seed in seeds if isinstance(seed, bool) or not isinstance(seed, int)]:
        raise InputError("seeds are whole numbers", where=where, found=wrong[0], allowed=allowed)
    if len(set(seeds)) < len(seeds):
        raise InputError(
            "a seed stands twice", where=where, found=list(seeds), allowed="each seed once"
        )
    return list(seeds)


def _refuse_elsewhere(plain: object, options: Options) -> None:
    """Refuse to take callables of this process to another one.

    Raises
    ------
    InputError : names the callable, and what to do
    """
    kept = kept_in(plain)
    num_devices = options.devices or 1
    alone = options.executor == "local" and (options.jobs or 1) == 1
    alone &= num_devices == 1 or "WORLD_SIZE" in environ  # torchrun starts the script everywhere
    if kept and not alone:
        raise InputError(
            "a callable that is in no file cannot be taken to another process",
            where="--executor" if options.executor != "local" else "--jobs, --devices",
            found=kept[0],
            allowed="jobs=1 and devices=1 with executor='local'",
            hint="define it in a file beside the study and name it ./file.py:callable",
        )


def _published_curves(root: Path) -> "list[Row]":
    """Read the curves before anything is written; a page's libraries are slow to import."""
    from priorscope.report.sections.report_2021.curves import read_curves

    return read_curves(root)
