"""The critical line: where a deep network neither forgets its input nor amplifies its noise.

Poole, Lahiri, Raghu, Sohl-Dickstein, Ganguli. Exponential Expressivity in Deep Neural
Networks through Transient Chaos. NIPS 2016. https://arxiv.org/abs/1606.05340

    q = s E[phi(sqrt(q) z)^2] + b        the variance q of activations no longer changes
    1 = s E[phi'(sqrt(q) z)^2]           nor does the size of a small difference

for standard normal ``z``, kernel variance ``s`` (over the fan-in) and bias variance ``b``.
"""

import numpy as np

from keras_arch.errors import invalid

LAWS = {  # activation and its slope
    "linear": (lambda x: x, np.ones_like),
    "relu": (lambda x: np.maximum(x, 0), lambda x: 1.0 * (x > 0)),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
}


def critical_variance(activation: str = "tanh", bias_variance: float = 0.0) -> float:
    """Return the kernel variance on the critical line, times the fan-in.

    Args:
        activation: ``"linear"``, ``"relu"`` or ``"tanh"``.
        bias_variance: Variance of the biases.

    Raises:
        ValueError: If the activation is none of these, or nothing is critical at that bias
            variance: at any but 0 for ``"linear"`` and ``"relu"``.

    Example:

    >>> round(critical_variance("tanh", 2e-5), 4)
    1.0499
    """
    if activation not in LAWS:
        raise invalid("activation", f"one of {set(LAWS)}", activation)
    phi, slope = LAWS[activation]
    z = np.linspace(-12, 12, 4800)  # with no node on the kink of ReLU
    density = np.exp(-(z**2) / 2) / np.exp(-(z**2) / 2).sum()

    def at(q):
        x = np.sqrt(q) * z
        variance = 1 / (density @ slope(x) ** 2)
        return variance, q - variance * (density @ phi(x) ** 2)  # the bias variance it takes

    if bias_variance == 0:
        return float(at(1e-12)[0])  # where q vanishes; for "linear" and "relu", any
    low, high = 1e-9, 1e3
    if not 0 < bias_variance < at(high)[1] or activation != "tanh":
        raise invalid("bias_variance", f"a critical one of {activation}", bias_variance)
    for _ in range(200):  # it grows with q
        middle = np.sqrt(low * high)
        low, high = (middle, high) if at(middle)[1] < bias_variance else (low, middle)
    return float(at(high)[0])
