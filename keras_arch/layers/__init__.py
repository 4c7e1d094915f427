"""One mechanism a file, usable alone."""

from keras_arch.layers.classifier import flatten, global_average, image_classifier
from keras_arch.layers.convolution import batch_norm, bn_relu, bn_relu_conv, conv_bn, convolution
from keras_arch.layers.densely_connected import dense_block, transition_block
from keras_arch.layers.depth import check_depth
from keras_arch.layers.graph_convolution import GraphConvolution
from keras_arch.layers.inception_module import (
    check_inception,
    convolution_unit,
    convolutions,
    fitting,
    inception_branch,
    inception_module,
    pooling_unit,
    smallest_image,
    without_strides,
)
from keras_arch.layers.inception_resnet import inception_residual_block, inception_resnet
from keras_arch.layers.local_response_normalization import LocalResponseNormalization
from keras_arch.layers.minimal_rnn import MinimalRNNCell
from keras_arch.layers.pad_channels import PadChannels
from keras_arch.layers.partial_convolution import PartialConv2D
from keras_arch.layers.rbf_output import RBFOutput
from keras_arch.layers.residual import bottleneck_block, padding_shortcut, residual_block
from keras_arch.layers.residual_scale import residual_scale
from keras_arch.layers.squeeze_excitation import SqueezeExcitation, channel_attention
from keras_arch.layers.stem import convolutional_stem
from keras_arch.layers.stochastic_depth import StochasticDepth, linear_rates
from keras_arch.layers.subsampling import TrainableSubsampling

__all__ = [
    "GraphConvolution",
    "LocalResponseNormalization",
    "MinimalRNNCell",
    "PadChannels",
    "PartialConv2D",
    "RBFOutput",
    "SqueezeExcitation",
    "StochasticDepth",
    "TrainableSubsampling",
    "batch_norm",
    "bn_relu",
    "bn_relu_conv",
    "bottleneck_block",
    "channel_attention",
    "check_depth",
    "check_inception",
    "conv_bn",
    "convolution",
    "convolution_unit",
    "convolutional_stem",
    "convolutions",
    "dense_block",
    "fitting",
    "flatten",
    "global_average",
    "image_classifier",
    "inception_branch",
    "inception_module",
    "inception_residual_block",
    "inception_resnet",
    "linear_rates",
    "padding_shortcut",
    "pooling_unit",
    "residual_block",
    "residual_scale",
    "smallest_image",
    "transition_block",
    "without_strides",
]
