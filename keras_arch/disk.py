"""What a crash of the machine leaves of files."""

import os


def flush_folder(path: str | os.PathLike) -> None:
    """Put the names in a folder on the disk itself: what was renamed stays renamed."""
    if os.name == "posix":  # elsewhere a directory cannot be opened
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
