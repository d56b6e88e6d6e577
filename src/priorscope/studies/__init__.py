"""Packaged studies: `priorscope run <name>`."""
