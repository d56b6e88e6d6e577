"""What a study changed when results existed: hypotheses, and all else that decides verdicts."""

from collections.abc import Mapping, Sequence
from typing import Any

from priorscope.report.wording import listed
from priorscope.study.hypotheses import changed_late

# Keys of a study beside `hypotheses`. Data and recipe cannot change: they make it another study.
_DECIDING = {
    "seeds": "seeds were",
    "models": "models were",
    "code": "code of the models was",
    "probes": "probes were",
    "factors": "factors were",
    "declared": "declared differences between models were",
    "stability": "part of the budget at which claims are asked again was",
    "controls": "demands on control models were",
}


def late_changes(history: Sequence[Mapping[str, Any]]) -> list[str]:
    """Say in a sentence each what was added, changed or withdrawn when results existed.

    Parameters
    ----------
    history : of `study.json`, see `changed_late`; each entry's `changed` names the study's keys
    """
    late: dict[str, list[str]] = {}
    for name, how in changed_late(history).items():
        late.setdefault(how, []).append(name)
    sentences = []
    if late:
        changed = [
            f"{listed(names)} {'was' if len(names) == 1 else 'were'} {how}"
            for how, names in late.items()
        ]
        sentences.append(
            f"Hypotheses were not all declared beforehand: {'; '.join(changed)}, when results "
            "existed."
        )
    for entry in history:
        for key in entry["changed"] if entry.get("results") else ():
            if key in _DECIDING:
                why = (
                    "p-values do not know of looks in between"
                    if key == "seeds"
                    else "verdicts go by what the study says now"
                )
                sentences.append(
                    f"The {_DECIDING[key]} changed on {entry['date'][:10]}, when results "
                    f"existed: {why}."
                )
    return sentences
