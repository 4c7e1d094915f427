"""The critical line: where a deep network neither forgets its input nor amplifies its noise.

Poole, Lahiri, Raghu, Sohl-Dickstein, Ganguli. Exponential Expressivity in Deep Neural
Networks through Transient Chaos. NIPS 2016. https://arxiv.org/abs/1606.05340

    q = s E[phi(sqrt(q) z)^2] + b        the variance q of activations no longer changes
    1 = s E[phi'(sqrt(q) z)^2]           nor does the size of a small difference

for standard normal ``z``, kernel variance ``s`` (over the fan-in) and bias variance ``b``.
"""

import numpy as np

from keras_arch.errors import invalid
from keras_arch.initializers.mean_field import law, moments


def critical_variance(activation: str = "tanh", bias_variance: float = 0.0) -> float:
    """Return the kernel variance on the critical line, times the fan-in.

    Args:
        activation: Name of the activation in Keras: ``"tanh"``, ``"relu"``, ``"elu"``, ...
        bias_variance: Variance of the biases.

    Raises:
        ValueError: If the activation is not known, or nothing is critical at that bias
            variance: at any but 0 for ``"linear"``, ``"relu"`` and ``"leaky_relu"``, at
            none for ``"silu"``, ``"gelu"`` and ``"softplus"``, which hold no variance there.

    Example:

    >>> round(critical_variance("tanh", 2e-5), 4)
    1.0499
    """

    def at(q):
        squared, slope = moments(activation, q)
        return 1 / slope, q - squared / slope  # the kernel and the bias variance it takes

    def root():
        if bias_variance == 0 and law(activation)(np.zeros(1)) == 0:
            return 1e-12  # where q vanishes; for "relu", any
        sizes = np.geomspace(1e-9, 1e3, 121)
        enough = [at(q)[1] >= bias_variance for q in sizes]
        if enough[0] or not any(enough):  # none is negative, and ReLU takes none but 0
            return None
        first = enough.index(True)
        low, high = sizes[first - 1], sizes[first]
        for _ in range(60):
            middle = np.sqrt(low * high)
            low, high = (middle, high) if at(middle)[1] < bias_variance else (low, middle)
        return high

    q = root()
    if q is not None:
        variance, more = float(at(q)[0]), max(1.01 * q, 1e-3)
        # A fixed point that pushes a larger variance further away is none of a network.
        if variance * moments(activation, more)[0] + bias_variance < more * (1 + 1e-6):
            return variance
    expected = f"a bias variance at which {activation} has a critical point that is stable"
    raise invalid("bias_variance", expected, bias_variance)
