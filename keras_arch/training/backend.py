"""Backend: procedures with a training step of their own are written for TensorFlow's trainer."""

import keras


def require_tensorflow(procedure: str) -> None:
    """Raise where Keras runs on another backend than TensorFlow."""
    if keras.backend.backend() != "tensorflow":
        raise NotImplementedError(
            f"{procedure} runs on TensorFlow: set KERAS_BACKEND=tensorflow before importing "
            f"keras. Received: backend={keras.backend.backend()!r}"
        )
