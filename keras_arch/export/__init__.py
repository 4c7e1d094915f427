"""Export: a SavedModel that TF-Serving, and our own server, serve as it lies on disk."""

from keras_arch.export.saved_model import export

__all__ = ["export"]
