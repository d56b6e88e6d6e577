"""`python -m priorscope`."""

from priorscope.cli import main

main()
