"""MinimalRNN: the state is a running average of what the inputs say.

Chen. MinimalRNN: Toward More Interpretable and Trainable Recurrent Neural Networks.
NIPS 2017 Symposium on Interpretable Machine Learning. https://arxiv.org/abs/1711.06788

    x_t -> z_t = phi(x_t)
    u_t = sigmoid(U_z z_t + U_h h_{t-1} + b)
    h_t = u_t * h_{t-1} + (1 - u_t) * z_t

No transformation stands between two states, so the state stays in the box that the ``z``
span, and ``dh_t/dh_{t-1} = diag(u) + diag((h_{t-1} - z) * u * (1 - u)) U_h``. Not the cell
that the examples of Keras call by this name, which has no gate.
"""

from collections.abc import Callable
from typing import Any

import keras
from keras import constraints, initializers, layers, ops, regularizers

from keras_arch.errors import invalid
from keras_arch.registry import register


@register(
    paper="MinimalRNN: Toward More Interpretable and Trainable Recurrent Neural Networks",
    authors="Chen",
    year=2017,
    url="https://arxiv.org/abs/1711.06788",
    venue="NIPS Symposium on Interpretable Machine Learning",
    tiny={"plain": {"units": 3}},
    inputs=(layers.InputSpec(shape=(None, 4, 5)),),
)
class MinimalRNNCell(layers.Layer):
    """Cell of MinimalRNN, for ``keras.layers.RNN``.

    Args:
        units: Width of the state.
        phi: Layer from inputs to candidates, ``(B, F) -> (B, units)``; ``None`` for
            ``keras.layers.Dense(units, "tanh")``.
        kernel_initializer: Initializer of ``kernel``, the gate's weights of the candidate.
        recurrent_initializer: Initializer of ``recurrent_kernel``, those of the state.
        bias_initializer: Initializer of ``bias``, the gate's: ``b`` keeps a state for
            about ``1 + exp(b)`` steps.
        kernel_regularizer: Regularizer of ``kernel``.
        recurrent_regularizer: Regularizer of ``recurrent_kernel``.
        bias_regularizer: Regularizer of ``bias``.
        kernel_constraint: Constraint of ``kernel``.
        recurrent_constraint: Constraint of ``recurrent_kernel``.
        bias_constraint: Constraint of ``bias``.
        **kwargs: ``name``, ``dtype`` and so on of ``keras.layers.Layer``.

    Call arguments:
        inputs: Inputs of one step, ``(B, F)``.
        states: State of the step before, ``(B, units)``, or a list that holds it.

    Returns:
        The new state, ``(B, units)``, twice: as output, and as given in ``states``.

    Raises:
        ValueError: If ``units`` is not positive, or ``phi`` is of another width.

    Example:

    >>> rnn = keras.layers.RNN(MinimalRNNCell(8))
    >>> tuple(rnn(keras.ops.ones((2, 5, 3))).shape)
    (2, 8)
    """

    chrono_gate = "retain"  # what initializers.chrono asks: an open gate keeps the state

    def __init__(
        self,
        units: int,
        phi: layers.Layer | None = None,
        kernel_initializer: str | Callable | None = "glorot_uniform",
        recurrent_initializer: str | Callable | None = "orthogonal",
        bias_initializer: str | Callable | None = "zeros",
        kernel_regularizer: str | Callable | None = None,
        recurrent_regularizer: str | Callable | None = None,
        bias_regularizer: str | Callable | None = None,
        kernel_constraint: str | Callable | None = None,
        recurrent_constraint: str | Callable | None = None,
        bias_constraint: str | Callable | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if units < 1:
            raise invalid("units", "a positive integer", units)
        self.units = units
        self.phi = phi or layers.Dense(units, "tanh", dtype=self.dtype_policy, name="phi")
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.recurrent_initializer = initializers.get(recurrent_initializer)
        self.bias_initializer = initializers.get(bias_initializer)
        self.kernel_regularizer = regularizers.get(kernel_regularizer)
        self.recurrent_regularizer = regularizers.get(recurrent_regularizer)
        self.bias_regularizer = regularizers.get(bias_regularizer)
        self.kernel_constraint = constraints.get(kernel_constraint)
        self.recurrent_constraint = constraints.get(recurrent_constraint)
        self.bias_constraint = constraints.get(bias_constraint)
        self.state_size = units
        self.output_size = units

    def build(self, input_shape):
        width = self.phi.compute_output_shape(input_shape)[-1]
        if width != self.units:
            raise invalid("phi", f"a layer of {self.units} units", self.phi)
        if not self.phi.built:
            self.phi.build(input_shape)
        self.kernel = self.add_weight(
            shape=(self.units, self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
            name="kernel",
        )
        self.recurrent_kernel = self.add_weight(
            shape=(self.units, self.units),
            initializer=self.recurrent_initializer,
            regularizer=self.recurrent_regularizer,
            constraint=self.recurrent_constraint,
            name="recurrent_kernel",
        )
        self.bias = self.add_weight(
            shape=(self.units,),
            initializer=self.bias_initializer,
            regularizer=self.bias_regularizer,
            constraint=self.bias_constraint,
            name="bias",
        )

    def call(self, inputs, states):
        nested = isinstance(states, list | tuple)
        state = states[0] if nested else states
        candidate = self.phi(inputs)
        gate = ops.matmul(candidate, self.kernel) + ops.matmul(state, self.recurrent_kernel)
        update = ops.sigmoid(gate + self.bias)
        state = update * state + (1 - update) * candidate
        return state, [state] if nested else state

    def get_initial_state(self, batch_size=None):
        return [ops.zeros((batch_size, self.units), dtype=self.compute_dtype)]

    def get_config(self):
        return {
            **super().get_config(),
            "units": self.units,
            "phi": keras.saving.serialize_keras_object(self.phi),
            "kernel_initializer": initializers.serialize(self.kernel_initializer),
            "recurrent_initializer": initializers.serialize(self.recurrent_initializer),
            "bias_initializer": initializers.serialize(self.bias_initializer),
            "kernel_regularizer": regularizers.serialize(self.kernel_regularizer),
            "recurrent_regularizer": regularizers.serialize(self.recurrent_regularizer),
            "bias_regularizer": regularizers.serialize(self.bias_regularizer),
            "kernel_constraint": constraints.serialize(self.kernel_constraint),
            "recurrent_constraint": constraints.serialize(self.recurrent_constraint),
            "bias_constraint": constraints.serialize(self.bias_constraint),
        }

    @classmethod
    def from_config(cls, config):
        return cls(**{**config, "phi": keras.saving.deserialize_keras_object(config["phi"])})
