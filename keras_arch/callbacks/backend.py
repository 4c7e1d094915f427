"""Backend: what watches the trainer from outside knows the trainers of some backends only."""

import keras

NAMES = {"tensorflow": "TensorFlow", "jax": "JAX"}


def require(callback: str, *backends: str) -> None:
    """Raise where Keras runs on none of the given backends."""
    if keras.backend.backend() not in backends:
        named = " or ".join(NAMES[backend] for backend in backends)
        raise RuntimeError(
            f"`{callback}` works with the {named} backend only, where a training step can be "
            f"watched from outside. Received: backend={keras.backend.backend()!r}"
        )
