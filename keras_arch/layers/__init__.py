"""One mechanism a file, usable alone."""

from keras_arch.layers.classifier import flatten, global_average, image_classifier
from keras_arch.layers.conv_block import conv_block
from keras_arch.layers.convolution import batch_norm, bn_relu, bn_relu_conv, conv_bn, convolution
from keras_arch.layers.densely_connected import dense_block, transition_block
from keras_arch.layers.depth import check_depth
from keras_arch.layers.distance import Distance
from keras_arch.layers.factorized_convolution import factorized_conv
from keras_arch.layers.field import centred
from keras_arch.layers.graph_convolution import GraphConvolution
from keras_arch.layers.locally_connected import LocallyConnected1D, LocallyConnected2D
from keras_arch.layers.minimal_rnn import MinimalRNNCell
from keras_arch.layers.pad_channels import PadChannels
from keras_arch.layers.partial_convolution import PartialConv2D
from keras_arch.layers.rbf_output import RBFOutput
from keras_arch.layers.residual import bottleneck_block, padding_shortcut, residual_block
from keras_arch.layers.squeeze_excitation import SqueezeExcitation, channel_attention
from keras_arch.layers.stem import convolutional_stem
from keras_arch.layers.subsampling import TrainableSubsampling
from keras_arch.layers.unit_bias import UnitBias

__all__ = [
    "Distance",
    "GraphConvolution",
    "LocallyConnected1D",
    "LocallyConnected2D",
    "MinimalRNNCell",
    "PadChannels",
    "PartialConv2D",
    "RBFOutput",
    "SqueezeExcitation",
    "TrainableSubsampling",
    "UnitBias",
    "batch_norm",
    "bn_relu",
    "bn_relu_conv",
    "bottleneck_block",
    "centred",
    "channel_attention",
    "check_depth",
    "conv_block",
    "conv_bn",
    "convolution",
    "convolutional_stem",
    "dense_block",
    "factorized_conv",
    "flatten",
    "global_average",
    "image_classifier",
    "padding_shortcut",
    "residual_block",
    "transition_block",
]
