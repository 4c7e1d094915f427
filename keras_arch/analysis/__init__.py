"""What a model does, seen from outside: each takes any ``keras.Model``."""

from keras_arch.analysis.jacobian import Moments, jacobian, jacobian_moments
from keras_arch.analysis.prior_samples import prior_samples
from keras_arch.analysis.redrawn import redrawn
from keras_arch.analysis.widths import Widths, check_widths, hanin_sum

__all__ = [
    "Moments",
    "Widths",
    "check_widths",
    "hanin_sum",
    "jacobian",
    "jacobian_moments",
    "prior_samples",
    "redrawn",
]
