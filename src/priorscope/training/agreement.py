"""When several processes that train together stop or keep a checkpoint: after the same step."""

import time
from dataclasses import dataclass, field

import torch

from priorscope.training import distributed


@dataclass
class Agreement:
    """Let what one process wants happen in all of them, asked for every so many steps.

    Processes that train together differ in when they hear a signal, and one clock must decide for
    all. Asking costs a sum over the processes, for which a GPU has to be waited for: it is done
    about once in `every_seconds`, by a number of steps that all processes compute from the same
    figures. A process that is alone is always asked.

    Attributes
    ----------
    device : on which the processes exchange tensors
    every_seconds : between two questions, about; 0 asks at every step
    """

    device: torch.device
    every_seconds: float = 1.0
    _every: int = field(default=1, repr=False)
    _steps: int = field(default=0, repr=False)
    _since: float = field(default_factory=time.monotonic, repr=False)

    def reached(self, *wishes: bool, at_end: bool = False) -> tuple[bool, ...]:
        """Tell which wishes any process has; none while it is not yet time to ask.

        Call it once a step in every process, and with `at_end` after an epoch, when all are asked.
        """
        if distributed.world_size() == 1:
            return wishes
        self._steps += 1
        if self._steps < self._every and not at_end:
            return (False,) * len(wishes)
        seconds = time.monotonic() - self._since
        asked = torch.tensor([*wishes, seconds / self._steps], device=self.device)
        *answers, seconds_per_step = distributed.largest(asked).tolist()
        if not at_end:  # an epoch's end takes longer than steps
            # At most twice as many as before: the first steps are not like the others.
            enough = int(self.every_seconds / max(seconds_per_step, 1e-9))
            self._every = max(1, min(2 * self._every, enough))
        self._steps, self._since = 0, time.monotonic()
        return tuple(bool(answer) for answer in answers)
