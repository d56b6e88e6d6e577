"""Refuse to work while a script is imported for a component that it defines."""

from priorscope.components import importing
from priorscope.errors import InputError


def refuse_import() -> None:
    """Refuse a study that is run, or checked, by a file which is only imported.

    Raises
    ------
    InputError : names the file
    """
    if (file := importing()) is not None:
        raise InputError(
            "the file is imported for a component that it defines, and would run a study anew",
            where=file,
            hint='put all that the script runs under `if __name__ == "__main__":`',
        )
