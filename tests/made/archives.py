"""Archives with any members."""

import io
import tarfile


def archive(path, members):
    """Write a .tar.gz of (name, content or TarInfo)."""
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members:
            if isinstance(content, tarfile.TarInfo):
                tar.addfile(content)
                continue
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path
