"""What a model does, seen from outside: each takes any ``keras.Model``."""

from keras_arch.analysis.deconvnet import deconvnet

__all__ = ["deconvnet"]
