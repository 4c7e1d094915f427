"""Log files: taken back to where they were at a checkpoint, so that no step stands twice.

What a killed run logged after its checkpoint is logged again by the run that resumes. So
the logs are flushed before a checkpoint is written, their sizes are part of it, and a run
that resumes first cuts them to these sizes.
"""

import glob
import os
from collections.abc import Iterable

import keras

from keras_arch.callbacks.gradient_flow import GradientFlow


def flush(callbacks: Iterable[keras.callbacks.Callback]) -> None:
    """Hand everything logged so far to the operating system, where a kill spares it."""
    for callback in callbacks:
        if isinstance(callback, keras.callbacks.TensorBoard):
            for writer in callback._writers.values():
                writer.flush()
        elif isinstance(callback, GradientFlow):
            callback.flush()


def patterns(callbacks: Iterable[keras.callbacks.Callback]) -> list[str]:
    """Return what the paths of the callbacks' logs look like."""
    found = []
    for callback in callbacks:
        if isinstance(callback, keras.callbacks.TensorBoard):
            found += [_events(callback.log_dir, part) for part in ("train", "validation")]
        elif isinstance(callback, GradientFlow):
            found.append(_events(callback.log_dir, "gradient_flow"))
        elif isinstance(callback, keras.callbacks.CSVLogger):
            found.append(glob.escape(os.path.abspath(callback.filename)))
    return found


def sizes(log_patterns: Iterable[str]) -> dict[str, int]:
    """Return the logs that there are, with their sizes in bytes."""
    paths = [path for pattern in log_patterns for path in glob.glob(pattern)]
    return {path: os.path.getsize(path) for path in paths}


def cut(recorded: dict[str, int], later: Iterable[str]) -> None:
    """Cut logs to their recorded sizes, and remove those that came later."""
    for path, size in recorded.items():
        if os.path.exists(path) and os.path.getsize(path) > size:
            os.truncate(path, size)
    for path in later:
        if os.path.exists(path):
            os.remove(path)


def _events(log_dir, part):
    directory = os.path.abspath(os.path.join(str(log_dir), part))
    return os.path.join(glob.escape(directory), "events.out.tfevents.*")
