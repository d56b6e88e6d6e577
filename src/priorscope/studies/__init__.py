"""The studies that come with priorscope, by name: nothing is read, so that listing them is fast."""

from pathlib import Path


def packaged_studies() -> dict[str, Path]:
    """List the studies that come with priorscope."""
    return {path.stem: path for path in sorted(Path(__file__).parent.glob("*.yaml"))}
