"""Activations that Keras lacks, one a file."""

from keras_arch.activations.lecun_tanh import lecun_tanh

__all__ = ["lecun_tanh"]
