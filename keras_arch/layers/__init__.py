"""One mechanism a file, usable alone."""

from keras_arch.layers.classifier import classifier, global_average, image_input
from keras_arch.layers.graph_convolution import GraphConvolution

__all__ = ["GraphConvolution", "classifier", "global_average", "image_input"]
