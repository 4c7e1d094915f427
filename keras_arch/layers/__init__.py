"""One mechanism a file, usable alone."""

from keras_arch.layers.affine_sampling import affine_grid, bilinear_sampler
from keras_arch.layers.classifier import flatten, global_average, image_classifier
from keras_arch.layers.convolution import batch_norm, bn_relu, bn_relu_conv, conv_bn, convolution
from keras_arch.layers.coord_conv import CoordConv2D, add_coords
from keras_arch.layers.densely_connected import dense_block, transition_block
from keras_arch.layers.depth import check_depth
from keras_arch.layers.graph_convolution import GraphConvolution
from keras_arch.layers.minimal_rnn import MinimalRNNCell
from keras_arch.layers.pad_channels import PadChannels
from keras_arch.layers.partial_convolution import PartialConv2D
from keras_arch.layers.rank_pooling import GlobalWeightedRankPooling2D
from keras_arch.layers.rbf_output import RBFOutput
from keras_arch.layers.residual import bottleneck_block, padding_shortcut, residual_block
from keras_arch.layers.softmax_pooling import SoftmaxPooling2D
from keras_arch.layers.spatial_transformer import SpatialTransformer
from keras_arch.layers.squeeze_excitation import SqueezeExcitation, channel_attention
from keras_arch.layers.stacked_convolution import StackedConv2D
from keras_arch.layers.stem import convolutional_stem
from keras_arch.layers.subsampling import TrainableSubsampling

__all__ = [
    "CoordConv2D",
    "GlobalWeightedRankPooling2D",
    "GraphConvolution",
    "MinimalRNNCell",
    "PadChannels",
    "PartialConv2D",
    "RBFOutput",
    "SoftmaxPooling2D",
    "SpatialTransformer",
    "SqueezeExcitation",
    "StackedConv2D",
    "TrainableSubsampling",
    "add_coords",
    "affine_grid",
    "batch_norm",
    "bilinear_sampler",
    "bn_relu",
    "bn_relu_conv",
    "bottleneck_block",
    "channel_attention",
    "check_depth",
    "conv_bn",
    "convolution",
    "convolutional_stem",
    "dense_block",
    "flatten",
    "global_average",
    "image_classifier",
    "padding_shortcut",
    "residual_block",
    "transition_block",
]
