"""One law of random weights a file."""

from keras_arch.initializers.critical_variance import critical_variance
from keras_arch.initializers.delta_orthogonal import DeltaOrthogonal
from keras_arch.initializers.filter_bank import FilterBank

__all__ = ["DeltaOrthogonal", "FilterBank", "critical_variance"]
