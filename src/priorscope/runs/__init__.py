"""Runs: prepared, trained, resumed, and stored."""
