"""Callbacks: what watches a training, and what lets it survive being killed."""

from keras_arch.callbacks.error_modulation import ErrorModulation
from keras_arch.callbacks.exact_resume import ExactResume
from keras_arch.callbacks.gradient_flow import GradientFlow
from keras_arch.callbacks.model_graph import ModelGraph
from keras_arch.callbacks.projector import Projector

__all__ = ["ErrorModulation", "ExactResume", "GradientFlow", "ModelGraph", "Projector"]
