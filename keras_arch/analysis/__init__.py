"""What a model does, seen from outside: each takes any ``keras.Model``, or a part of one."""

from keras_arch.analysis.conv_as_matrix import conv_as_matrix
from keras_arch.analysis.count_macs import Macs, count_macs
from keras_arch.analysis.deconvnet import deconvnet
from keras_arch.analysis.equal_width import equal_width
from keras_arch.analysis.gradient_paths import GradientPaths, gradient_paths
from keras_arch.analysis.jacobian import Moments, jacobian, jacobian_moments
from keras_arch.analysis.kernel_spectrum import effective_kernel, kernel_spectrum, spectral_flatness
from keras_arch.analysis.lesion import (
    lesion_study,
    path_lengths,
    residual_blocks,
    swapped_blocks,
    without_block,
)
from keras_arch.analysis.prior_samples import prior_samples
from keras_arch.analysis.receptive_field import ReceptiveField, receptive_field
from keras_arch.analysis.redrawn import redrawn
from keras_arch.analysis.resolution_profile import resolution_profile
from keras_arch.analysis.signal_layers import LayerSignal, Steps
from keras_arch.analysis.signal_report import SignalReport, signal_report
from keras_arch.analysis.true_convolution import true_convolution
from keras_arch.analysis.unrolled_estimation import unrolled_estimation
from keras_arch.analysis.widths import Widths, check_widths, hanin_sum

__all__ = [
    "GradientPaths",
    "LayerSignal",
    "Macs",
    "Moments",
    "ReceptiveField",
    "SignalReport",
    "Steps",
    "Widths",
    "check_widths",
    "conv_as_matrix",
    "count_macs",
    "deconvnet",
    "effective_kernel",
    "equal_width",
    "gradient_paths",
    "hanin_sum",
    "jacobian",
    "jacobian_moments",
    "kernel_spectrum",
    "lesion_study",
    "path_lengths",
    "prior_samples",
    "receptive_field",
    "redrawn",
    "residual_blocks",
    "resolution_profile",
    "signal_report",
    "spectral_flatness",
    "swapped_blocks",
    "true_convolution",
    "unrolled_estimation",
    "without_block",
]
