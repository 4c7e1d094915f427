"""Activations that Keras lacks, one a file."""

from keras_arch.activations.lecun_tanh import lecun_tanh
from keras_arch.activations.step import step

__all__ = ["lecun_tanh", "step"]
