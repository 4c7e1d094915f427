"""One mechanism a file, usable alone."""

from keras_arch.layers.affine_sampling import affine_grid, bilinear_sampler
from keras_arch.layers.channel_shuffle import ChannelShuffle
from keras_arch.layers.classifier import flatten, global_average, image_classifier, require_size
from keras_arch.layers.constant_padding import ConstantPadding2D
from keras_arch.layers.conv_block import conv_block
from keras_arch.layers.convolution import (
    batch_norm,
    bn_relu,
    bn_relu_conv,
    check_norm,
    check_padding,
    conv_bn,
    conv_bn_relu,
    conv_relu,
    convolution,
    pad_strided,
)
from keras_arch.layers.coord_conv import CoordConv2D, add_coords
from keras_arch.layers.densely_connected import dense_block, transition_block
from keras_arch.layers.depth import check_depth, check_stages
from keras_arch.layers.depthwise import conv_bn_act, depthwise_bn_act
from keras_arch.layers.distance import Distance
from keras_arch.layers.dual_path import dual_path_block
from keras_arch.layers.factorized_convolution import factorized_conv
from keras_arch.layers.field import centred
from keras_arch.layers.fire import fire
from keras_arch.layers.fully_connected import SlidingDense, fully_connected
from keras_arch.layers.graph_convolution import GraphConvolution
from keras_arch.layers.highway import HighwayConv2D, HighwayDense
from keras_arch.layers.inception_module import (
    check_inception,
    convolution_unit,
    convolutions,
    fitting,
    inception_branch,
    inception_module,
    numbered,
    pooling_unit,
    smallest_image,
    without_strides,
)
from keras_arch.layers.inception_resnet import inception_residual_block, inception_resnet
from keras_arch.layers.inverted_residual import inverted_residual, make_divisible
from keras_arch.layers.keep_resolution import keep_resolution
from keras_arch.layers.local_response_normalization import LocalResponseNormalization
from keras_arch.layers.locally_connected import LocallyConnected1D, LocallyConnected2D
from keras_arch.layers.max_unpooling import MaxPoolWithIndices2D, MaxUnpool2D
from keras_arch.layers.minimal_rnn import MinimalRNNCell
from keras_arch.layers.mlpconv import class_maps, mlpconv
from keras_arch.layers.nasnet_cell import check_genotype, nasnet_normal_cell, nasnet_reduction_cell
from keras_arch.layers.overlapping_pooling import normalized_pool, overlapping_pool
from keras_arch.layers.pad_channels import PadChannels
from keras_arch.layers.partial_convolution import PartialConv2D
from keras_arch.layers.pointwise_head import pointwise_head
from keras_arch.layers.rank_pooling import GlobalWeightedRankPooling2D
from keras_arch.layers.rbf_output import RBFOutput
from keras_arch.layers.residual import (
    bottleneck_block,
    padding_shortcut,
    preactivation_block,
    preactivation_bottleneck,
    projection_shortcut,
    residual_block,
    residual_sum,
)
from keras_arch.layers.residual_scale import residual_scale
from keras_arch.layers.softmax_pooling import SoftmaxPooling2D
from keras_arch.layers.spatial_transformer import SpatialTransformer
from keras_arch.layers.squeeze_excitation import SqueezeExcitation, channel_attention
from keras_arch.layers.stacked_convolution import StackedConv2D
from keras_arch.layers.stem import check_stem, convolutional_stem, smallest_side
from keras_arch.layers.stochastic_depth import StochasticDepth, linear_rates
from keras_arch.layers.subsampling import TrainableSubsampling
from keras_arch.layers.unit_bias import UnitBias
from keras_arch.layers.width import check_alpha

__all__ = [
    "ChannelShuffle",
    "ConstantPadding2D",
    "CoordConv2D",
    "Distance",
    "GlobalWeightedRankPooling2D",
    "GraphConvolution",
    "HighwayConv2D",
    "HighwayDense",
    "LocalResponseNormalization",
    "LocallyConnected1D",
    "LocallyConnected2D",
    "MaxPoolWithIndices2D",
    "MaxUnpool2D",
    "MinimalRNNCell",
    "PadChannels",
    "PartialConv2D",
    "RBFOutput",
    "SlidingDense",
    "SoftmaxPooling2D",
    "SpatialTransformer",
    "SqueezeExcitation",
    "StackedConv2D",
    "StochasticDepth",
    "TrainableSubsampling",
    "UnitBias",
    "add_coords",
    "affine_grid",
    "batch_norm",
    "bilinear_sampler",
    "bn_relu",
    "bn_relu_conv",
    "bottleneck_block",
    "centred",
    "channel_attention",
    "check_alpha",
    "check_depth",
    "check_genotype",
    "check_inception",
    "check_norm",
    "check_padding",
    "check_stages",
    "check_stem",
    "class_maps",
    "conv_block",
    "conv_bn",
    "conv_bn_act",
    "conv_bn_relu",
    "conv_relu",
    "convolution",
    "convolution_unit",
    "convolutional_stem",
    "convolutions",
    "dense_block",
    "depthwise_bn_act",
    "dual_path_block",
    "factorized_conv",
    "fire",
    "fitting",
    "flatten",
    "fully_connected",
    "global_average",
    "image_classifier",
    "inception_branch",
    "inception_module",
    "inception_residual_block",
    "inception_resnet",
    "inverted_residual",
    "keep_resolution",
    "linear_rates",
    "make_divisible",
    "mlpconv",
    "nasnet_normal_cell",
    "nasnet_reduction_cell",
    "normalized_pool",
    "numbered",
    "overlapping_pool",
    "pad_strided",
    "padding_shortcut",
    "pointwise_head",
    "pooling_unit",
    "preactivation_block",
    "preactivation_bottleneck",
    "projection_shortcut",
    "require_size",
    "residual_block",
    "residual_scale",
    "residual_sum",
    "smallest_image",
    "smallest_side",
    "transition_block",
    "without_strides",
]
