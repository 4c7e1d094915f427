"""Chrono initialization: gates that begin with memories of all lengths up to the longest.

Tallec, Ollivier. Can Recurrent Neural Networks Warp Time?
ICLR 2018. https://arxiv.org/abs/1804.11188

    retaining gate   h' = g h + (1-g) new    b =  log U[1, T-1]    1/(1-g) in [2, T]
    updating gate    h' = (1-g) h + g new    b = -log U[1, T-1]        1/g in [2, T]
    LSTM             forget gate retains, b_i = -b_f

A gate ``g = sigmoid(b)`` keeps a state for about as many steps as its other side is small.
Both kinds of gates draw from U[1, T-1], so that the longest memory is T steps; with U[1, T],
which is also met for updating gates, it would be T + 1.
The sign belongs to the gate's side: the wrong one forgets at once. Keras's GRU retains by
``z``, as does ``MinimalRNNCell``; the GRU of Chung et al. updates by it.
"""

from collections.abc import Sequence
from typing import TypeAlias

import keras
from keras import initializers, ops

from keras_arch.errors import invalid
from keras_arch.registry import register

PUBLICATION = {
    "paper": "Can Recurrent Neural Networks Warp Time?",
    "authors": "Tallec, Ollivier",
    "year": 2018,
    "url": "https://arxiv.org/abs/1804.11188",
    "venue": "ICLR",
}
Seed: TypeAlias = int | keras.random.SeedGenerator | None
CONVOLUTIONAL = (keras.layers.ConvLSTM1D, keras.layers.ConvLSTM2D, keras.layers.ConvLSTM3D)


@register(
    **PUBLICATION,
    tiny={
        "plain": {"t_max": 100},
        "update": {"t_max": 20.0, "gate": "update"},
    },
    inputs=(keras.layers.InputSpec(shape=(24,)),),
)
class Chrono(initializers.RandomUniform):
    """Initializer of the biases of one gate.

    It does not serve the LSTM and GRU of Keras, which hold the biases of several gates in one
    weight and ask for them in parts of their own choice: there ``chrono(model, t_max)`` sets
    them, once the model is built.

    Args:
        t_max: The longest memory, in steps.
        gate: ``"retain"`` where an open gate keeps the old state, ``"update"`` where it
            lets in the new one.
        seed: An integer (each call draws the same biases) or a
            ``keras.random.SeedGenerator`` (each call draws others).

    Raises:
        ValueError: If ``t_max`` is below 2, or ``gate`` none of the above; when called for
            another shape than that of biases.

    Example:

    >>> gate = keras.layers.Dense(8, "sigmoid", bias_initializer=Chrono(100, "update", seed=0))
    >>> opened = gate(keras.ops.zeros((1, 4)))
    >>> bool(keras.ops.all((opened > 0.009) & (opened < 0.501)))  # from 1/100 to 1/2
    True
    """

    def __init__(self, t_max: float, gate: str = "retain", seed: Seed = None):
        if t_max < 2:
            raise invalid("t_max", "at least 2 steps", t_max)
        if gate not in ("retain", "update"):
            expected = 'one of {"retain", "update"}; `chrono(model, t_max)` sets whole LSTMs'
            raise invalid("gate", expected, gate)
        super().__init__(1.0, t_max - 1.0, seed)
        self.t_max = t_max
        self.gate = gate

    def __call__(self, shape: Sequence[int], dtype: str | None = None):
        if len(shape) != 1:
            raise invalid("shape", "(units,), that of a gate's biases", tuple(shape))
        biases = ops.log(super().__call__(shape, "float32"))
        return ops.cast(
            biases if self.gate == "retain" else -biases, dtype or keras.config.floatx()
        )

    def get_config(self):
        return {"t_max": self.t_max, "gate": self.gate, "seed": super().get_config()["seed"]}


def chrono_lstm_bias(units: int, t_max: float, seed: Seed = None) -> keras.KerasTensor:
    """Return the biases of an LSTM in Keras's order: input, forget, candidate, output.

    Args:
        units: Units of the LSTM.
        t_max: The longest memory, in steps.
        seed: An integer or a ``keras.random.SeedGenerator``.

    Returns:
        A tensor ``(4 * units,)``: ``-b``, ``b``, zeros, zeros with ``b = log U[1, t_max-1]``.

    Raises:
        ValueError: If ``t_max`` is below 2.

    Example:

    >>> biases = chrono_lstm_bias(2, t_max=2)  # U[1, 1]
    >>> biases.shape, float(keras.ops.sum(biases**2))
    (TensorShape([8]), 0.0)
    """
    retained = Chrono(t_max, "retain", seed)((units,), "float32")
    zeros = ops.zeros_like(retained)
    return ops.concatenate([-retained, retained, zeros, zeros])


def chrono(model: keras.Model, t_max: float, seed: Seed = None) -> list[str]:
    """Set the gate biases of every LSTM, GRU and gated cell in a built model.

    ``keras.layers.LSTM``, ``ConvLSTM1D`` to ``3D``, ``GRU`` and their cells, also within
    ``RNN``, ``StackedRNNCells`` and ``Bidirectional``; and any layer that says by an
    attribute ``chrono_gate``, ``"retain"`` or ``"update"``, what the gate of its ``bias``
    does, as ``MinimalRNNCell``.

    Args:
        model: A built model or layer.
        t_max: The longest memory, in steps.
        seed: An integer or a ``keras.random.SeedGenerator``; each cell draws its own.

    Returns:
        Paths of the biases that were set.

    Raises:
        ValueError: If ``t_max`` is below 2, no cell has a gate, one has no bias, or one is
            not built.

    Example:

    >>> inputs = keras.Input((None, 3))
    >>> model = keras.Model(inputs, keras.layers.GRU(4, name="gru")(inputs))
    >>> chrono(model, t_max=50)
    ['gru/gru_cell/bias']
    """
    if not isinstance(seed, keras.random.SeedGenerator):
        seed = keras.random.SeedGenerator(seed)
    changed = []
    for layer in model._flatten_layers():
        gate = _gate(layer)
        if gate is None:
            continue
        cell = layer.cell if isinstance(layer, CONVOLUTIONAL) else layer
        if not cell.built:
            raise invalid("model", "a built one: call it once", layer)
        bias = cell.bias
        if bias is None:
            raise invalid("model", "one whose cells have biases", layer)
        if gate == "lstm":
            bias.assign(chrono_lstm_bias(bias.shape[0] // 4, t_max, seed))
        elif gate == "gru":
            bias.assign(_of_gru(bias, Chrono(t_max, "retain", seed)((layer.units,), "float32")))
        else:
            bias.assign(Chrono(t_max, gate, seed)(bias.shape, bias.dtype))
        changed.append(bias.path)
    if not changed:
        raise invalid("model", "one with an LSTM, a GRU or a cell with `chrono_gate`", model)
    return changed


def _gate(layer):
    if isinstance(layer, (keras.layers.LSTMCell, *CONVOLUTIONAL)):
        return "lstm"
    return "gru" if isinstance(layer, keras.layers.GRUCell) else getattr(layer, "chrono_gate", None)


def _of_gru(bias, retained):
    """Its ``z`` comes first; with ``reset_after`` the recurrent biases are a second row."""
    if len(bias.shape) == 2:
        rest = ops.zeros_like(bias[1:, : len(retained)])
        retained = ops.concatenate([retained[None], ops.cast(rest, "float32")])
    others = ops.cast(bias[..., retained.shape[-1] :], "float32")
    return ops.concatenate([retained, others], axis=-1)
