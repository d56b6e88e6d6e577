"""What control models must score, for the rest of a study to mean what it seems to."""

from priorscope.components import listing
from priorscope.errors import InputError, unknown_name
from priorscope.study.levels import written
from priorscope.study.spec import Study


def check_controls(study: Study) -> None:
    """Refuse controls that no run could meet or violate.

    Raises
    ------
    InputError : names the key, and the nearest name
    """
    values = {factor.name: factor.values for factor in study.factors}
    probes = ["test", *study.probes]
    metrics = listing("metrics")
    for index, control in enumerate(study.controls):
        where = f"controls.{index}"
        if control.model not in study.models:
            raise unknown_name("model", control.model, study.models, where=f"{where}.model")
        if control.probe not in probes:
            raise unknown_name("probe", control.probe, probes, where=f"{where}.probe")
        if control.metric is not None and control.metric not in metrics:
            raise unknown_name("metric", control.metric, metrics, where=f"{where}.metric")
        low, high = control.within
        if not low <= high:
            raise InputError(
                "a range of scores goes from low to high",
                where=f"{where}.within",
                found=[low, high],
                allowed="[low, high] with low <= high",
            )
        for name, value in (control.at or {}).items():
            if name not in values:
                raise unknown_name("factor", name, values, where=f"{where}.at.{name}")
            if value not in values[name]:
                raise InputError(
                    f"{name} has no such level",
                    where=f"{where}.at.{name}",
                    found=value,
                    allowed=[written(each) for each in values[name]],
                )
