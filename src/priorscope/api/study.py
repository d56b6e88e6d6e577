"""A study to be checked and run: read from a file, or written in Python."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from priorscope.api.keys import as_plain, home, sources_of
from priorscope.study import load
from priorscope.study.spec import Study as Spec
from priorscope.study.yaml_text import write_yaml

if TYPE_CHECKING:
    from priorscope.api.check import Check


class Study:
    """A study: `ps.load_study(...)`, or written in Python.

    The keys are those of a study file, with the same checks and messages:

        ps.Study(
            name="mine",
            data={"name": "synthetic", "num_train": 500, "num_test": 200},
            recipe={"learning_rate": 1e-3, "epochs": 5},
            models={"mine": my_callable, "cnn": {"name": "resnet_nano"}},
            seeds=[0, 1],
        )

    A component may be a callable: a function or a class, alone, as `{"name": my_callable, ...}`
    with parameters beside it, as `(my_callable, {...})` or as `functools.partial`. One that can be
    imported is named `package.module:name`, and one of a script `./script.py:name`. The script is
    then imported again, so what it runs belongs under `if __name__ == "__main__":`; a change of
    its text, or of a file of yours that it imports, makes other runs. One of a notebook, a lambda
    or a closure stays in this process. It is known by its source and by all that it refers to, and
    is trained in this process only.

    What a study says, resolved and frozen, is a `priorscope.study.spec.Study`; this class holds it
    as `spec`, and adds what can be done with it.

    Raises
    ------
    InputError : as `load_study`; or a callable that is none, or that cannot be told from others
    """

    spec: Spec

    def __init__(self, **keys: Any):
        base = home()
        plain = as_plain(keys, base)
        text = write_yaml(plain) + sources_of(plain)
        self.spec = load.parse_study(text, base=base)

    @classmethod
    def of(cls, found: Spec) -> "Study":
        """Wrap the values of a study that has been read."""
        made = cls.__new__(cls)
        made.spec = found
        return made

    @property
    def name(self) -> str:
        """Return the study's name."""
        return self.spec.name

    @property
    def text(self) -> str:
        """Return the study as a study file, which `ps.run` copies to OUT/study.yaml."""
        return self.spec.text

    def check(
        self,
        *,
        data_root: str | Path | None = None,
        device: str = "auto",
        pilot: str | Path | None = None,
        anew: bool = False,
    ) -> "Check":
        """Say what the study would do, how long it would take, and what it could show.

        Parameters
        ----------
        data_root : where datasets lie; by default $PRIORSCOPE_DATA or the cache folder
        device : auto, cpu, cuda, cuda:1, mps
        pilot : the output folder of a finished study, to take variances from
        anew : measure and time, though nothing has changed since that was done

        Raises
        ------
        InputError : a component or its parameters are not right, data are missing, or models differ
            in what the study does not declare
        """
        from priorscope.api.check import check
        from priorscope.preflight.fairness import refuse

        found = check(self.spec, data_root=data_root, device=device, pilot=pilot, anew=anew)
        refuse(found.checked.differences)
        return found

    def __repr__(self) -> str:
        parts: Mapping[str, Any] = {
            "models": ", ".join(self.spec.models),
            "seeds": ", ".join(map(str, self.spec.seeds)),
            "probes": ", ".join(self.spec.probes) or "none",
            "hypotheses": len(self.spec.hypotheses),
        }
        words = "; ".join(f"{key}: {value}" for key, value in parts.items())
        return f"<Study {self.name}: {words}; hash {self.spec.hash}>"


def load_study(reference: str | Path) -> Study:
    """Read a study from a file, or a packaged one by its name.

    Raises
    ------
    InputError : no such study, not YAML, unknown key, wrong type or impossible value
    """
    return Study.of(load.load_study(str(reference)))
