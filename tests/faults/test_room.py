"""A disk that is full, or may not be written: said in a sentence, and nothing is lost."""

import errno
import subprocess
from pathlib import Path

import pytest


@pytest.mark.parametrize("number", [1, 4, 9, 15])
def test_a_disk_that_fills_at_any_write(
    number, run, expected, results, tmp_path, monkeypatch, capsys
):
    """Every artefact is renamed into its place: the disk is full from a certain one on."""
    out, rename, count = tmp_path / "out", Path.replace, 0

    def full(self: Path, target: Path) -> Path:
        nonlocal count
        if out in Path(target).parents:
            count += 1
            if count >= number:
                raise OSError(errno.ENOSPC, "No space left on device", str(target))
        return rename(self, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", full)
        assert run(out) == 3
    error = capsys.readouterr().err
    assert "No space left on device" in error and "make room" in error
    assert "Traceback" not in error
    assert run(out) == 0
    assert results(out) == expected


@pytest.fixture
def small_disk(tmp_path):
    """Mount a file system of a few KiB; give its folder, and a function that mounts it anew."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(options: str) -> None:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        try:
            subprocess.run(command, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError):
            pytest.skip("file systems may not be mounted here")

    mount("size=200k")
    yield folder, lambda options: mount(f"remount,{options}")
    subprocess.run(["umount", str(folder)], check=False)


def test_a_real_disk_that_is_full_then_read_only_then_large(
    small_disk, run, expected, results, capsys
):
    folder, remount = small_disk
    assert run(folder / "out") == 3
    error = capsys.readouterr().err
    assert "space" in error.lower() and "make room" in error and "Traceback" not in error
    remount("ro,size=200k")
    assert run(folder / "out") == 2
    error = capsys.readouterr().err
    assert "cannot write there" in error and "Traceback" not in error
    remount("rw,size=50m")
    assert run(folder / "out") == 0
    assert results(folder / "out") == expected
