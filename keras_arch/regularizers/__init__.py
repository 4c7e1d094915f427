"""Penalties that Keras lacks."""

from keras_arch.regularizers.orthonormality import Orthonormality

__all__ = ["Orthonormality"]
