"""Backend: what watches the trainer from outside knows TensorFlow's trainer only."""

import keras


def require_tensorflow(callback: str) -> None:
    """Raise where Keras runs on another backend than TensorFlow."""
    if keras.backend.backend() != "tensorflow":
        raise RuntimeError(
            f"`{callback}` works with the TensorFlow backend only, where a training step can be "
            f"watched from outside. Received: backend={keras.backend.backend()!r}"
        )
