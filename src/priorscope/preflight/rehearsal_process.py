"""The program that rehearses other people's models: tasks on stdin, a line of JSON for each.

`python -m priorscope.preflight.rehearsal_process` is started by `rehearse_models`.
"""

import json
import os
import sys

from priorscope.preflight.rehearse_models import as_line


def main() -> None:
    """Rehearse one model after another; what a model prints is no answer."""
    voice = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    given = json.load(sys.stdin)
    sys.path[:] = given["path"]
    for task in given["tasks"]:
        print(as_line(task), file=voice, flush=True)


if __name__ == "__main__":
    main()
