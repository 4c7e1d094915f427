"""One style of message for every bad argument, and for every name that goes away."""

import warnings
from typing import Any

import keras

_BACKENDS = {"tensorflow": "TensorFlow", "jax": "JAX"}


def invalid(argument: str, expected: str, received: Any) -> ValueError:
    """Return the ``ValueError`` to raise: what was wrong, expected and received."""
    return ValueError(
        f"Invalid value for argument `{argument}`. Expected {expected}. "
        f"Received: {argument}={received!r}"
    )


def require_backend(what: str, *backends: str) -> None:
    """Raise where Keras runs on none of the given backends.

    Args:
        what: Who needs them: "`export`".
        *backends: As Keras calls them: ``"tensorflow"``, ``"jax"``.

    Raises:
        RuntimeError: If Keras runs on another one.
    """
    if keras.backend.backend() not in backends:
        named = " or ".join(_BACKENDS[backend] for backend in backends)
        raise RuntimeError(
            f"{what} needs the {named} backend: set KERAS_BACKEND={backends[0]} before keras is "
            "imported. A model saved as `.keras` can be loaded there. Received: "
            f"KERAS_BACKEND={keras.backend.backend()}"
        )


def deprecated(name: str, use: str, removal: str) -> None:
    """Warn the caller's caller that a name goes away.

    Args:
        name: What goes away.
        use: What to write instead.
        removal: Version that no longer has it, such as ``"0.3.0"``.

    Raises:
        RuntimeError: If that version is reached, so that its removal is not forgotten.

    Example:

    >>> import warnings
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     deprecated("models.Old", use="models.New", removal="9.0.0")
    >>> str(caught[0].message)
    '`models.Old` is deprecated and will be removed in keras_arch 9.0.0. Use `models.New`.'
    """
    import keras_arch

    def parts(version):
        return tuple(int(part) for part in version.split("."))

    if parts(keras_arch.__version__) >= parts(removal):
        raise RuntimeError(f"`{name}` was to be removed in keras_arch {removal}")
    warnings.warn(
        f"`{name}` is deprecated and will be removed in keras_arch {removal}. Use `{use}`.",
        DeprecationWarning,
        stacklevel=3,
    )
