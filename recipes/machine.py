"""What a recipe runs on: the device, and the commit."""

import pathlib
import platform
import subprocess

import keras


def jit_compile() -> str | bool:
    """For ``compile``: XLA, but on a CPU, where TensorFlow convolves several times slower by it."""
    if keras.backend.backend() != "tensorflow":
        return "auto"
    import tensorflow as tf

    kinds = {device.device_type for device in tf.config.list_physical_devices()}
    return "auto" if kinds - {"CPU"} else False


def device() -> str:
    """The GPU by name, or the kind of CPU."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    found = [tf.config.experimental.get_device_details(gpu)["device_name"] for gpu in gpus]
    return ", ".join(found) or f"CPU {platform.machine()}"


def commit() -> str | None:
    """The commit of the checkout that this file belongs to, or nothing outside of one."""
    here = pathlib.Path(__file__).resolve()

    def git(*command):
        command = ["git", "-C", str(here.parent), *command]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        git("ls-files", "--error-unmatch", here.name)  # an environment may lie in a checkout, too
        return git("rev-parse", "HEAD")
    except (OSError, subprocess.CalledProcessError):
        return None
