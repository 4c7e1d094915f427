"""One law of random weights a file; those of Keras stand beside ours."""

from keras.initializers import (
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Identity,
    LecunNormal,
    LecunUniform,
    Ones,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
    Zeros,
)

from keras_arch.initializers.chrono import Chrono, chrono, chrono_lstm_bias
from keras_arch.initializers.conv_orthogonal_2d import ConvOrthogonal2D
from keras_arch.initializers.critical_gaussian import CriticalGaussian
from keras_arch.initializers.critical_variance import critical_variance
from keras_arch.initializers.delta_orthogonal import DeltaOrthogonal
from keras_arch.initializers.dirac import Dirac
from keras_arch.initializers.fan_in_uniform import FanInUniform
from keras_arch.initializers.filter_bank import FilterBank
from keras_arch.initializers.gain import gain
from keras_arch.initializers.gate_biases import gate_biases
from keras_arch.initializers.lenet_uniform import LeNetUniform
from keras_arch.initializers.lsuv import lsuv
from keras_arch.initializers.mean_field import MeanField
from keras_arch.initializers.seq2seq_uniform import Seq2SeqUniform
from keras_arch.initializers.siren_uniform import SirenUniform
from keras_arch.initializers.zero_residual_branches import zero_residual_branches

__all__ = [
    "Chrono",
    "Constant",
    "ConvOrthogonal2D",
    "CriticalGaussian",
    "DeltaOrthogonal",
    "Dirac",
    "FanInUniform",
    "FilterBank",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "LeNetUniform",
    "LecunNormal",
    "LecunUniform",
    "MeanField",
    "Ones",
    "Orthogonal",
    "RandomNormal",
    "RandomUniform",
    "Seq2SeqUniform",
    "SirenUniform",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "chrono",
    "chrono_lstm_bias",
    "critical_variance",
    "gain",
    "gate_biases",
    "lsuv",
    "zero_residual_branches",
]
