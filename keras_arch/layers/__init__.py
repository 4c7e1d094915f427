"""One mechanism a file, usable alone."""

from keras_arch.layers.classifier import flatten, global_average, image_classifier
from keras_arch.layers.convolution import batch_norm, bn_relu, bn_relu_conv, conv_bn, convolution
from keras_arch.layers.densely_connected import dense_block, transition_block
from keras_arch.layers.depth import check_depth
from keras_arch.layers.depthwise import conv_bn_act, depthwise_bn_act, pad_strided
from keras_arch.layers.graph_convolution import GraphConvolution
from keras_arch.layers.inverted_residual import inverted_residual, make_divisible
from keras_arch.layers.keep_resolution import keep_resolution
from keras_arch.layers.minimal_rnn import MinimalRNNCell
from keras_arch.layers.nasnet_cell import (
    check_genotype,
    nasnet_normal_cell,
    nasnet_reduction_cell,
)
from keras_arch.layers.pad_channels import PadChannels
from keras_arch.layers.partial_convolution import PartialConv2D
from keras_arch.layers.pointwise_head import pointwise_head
from keras_arch.layers.rbf_output import RBFOutput
from keras_arch.layers.residual import bottleneck_block, padding_shortcut, residual_block
from keras_arch.layers.squeeze_excitation import SqueezeExcitation, channel_attention
from keras_arch.layers.stem import convolutional_stem
from keras_arch.layers.stochastic_depth import StochasticDepth, linear_rates
from keras_arch.layers.subsampling import TrainableSubsampling

__all__ = [
    "GraphConvolution",
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
    "check_genotype",
    "conv_bn",
    "conv_bn_act",
    "convolution",
    "convolutional_stem",
    "dense_block",
    "depthwise_bn_act",
    "flatten",
    "global_average",
    "image_classifier",
    "inverted_residual",
    "keep_resolution",
    "linear_rates",
    "make_divisible",
    "nasnet_normal_cell",
    "nasnet_reduction_cell",
    "pad_strided",
    "padding_shortcut",
    "pointwise_head",
    "residual_block",
    "transition_block",
]
