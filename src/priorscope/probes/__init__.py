"""Probes: one file each, `def x(source: LabeledImages, *, rng, ...) -> ProbeSet`."""

from priorscope.probes._probe_set import ProbeSet

__all__ = ["ProbeSet"]
