"""A recurrent model that starts where it stopped: its states come in and go out.

    inputs, states -> [model] -> outputs, states

So a server keeps nothing between two requests, and any replica can answer the next.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import layers

from keras_arch.errors import invalid
from keras_arch.export.names import stable
from keras_arch.replaced import replaced

_EXPECTED = "'stateful' only for a model {}"


class State(NamedTuple):
    """One tensor that a recurrent layer hands from step to step.

    Args:
        layer: The layer.
        name: Name on the wire, of the input and of the output.
        start: What the layer starts from, a batch of one.
    """

    layer: layers.RNN
    name: str
    start: np.ndarray


def states(model: keras.Model) -> list[State]:
    """The states of the recurrent layers in a model, however deep inside, in its order."""
    inside = list(model._flatten_layers(include_self=False))
    recurrent = [layer for layer in inside if isinstance(layer, layers.RNN)]
    if not recurrent:
        raise _refused("with recurrent layers (keras.layers.RNN)")
    for layer in recurrent:
        if layer.go_backwards or layer.stateful:
            raise _refused(f"whose layers run forwards and keep no state: not {layer.name}")
    return list(_states(recurrent))


def _states(recurrent) -> Iterator[State]:
    for layer, name in zip(recurrent, stable(recurrent, "rnn"), strict=True):
        starts = keras.tree.flatten(layer.get_initial_state(1))
        for index, start in enumerate(starts):
            suffix = "state" if len(starts) == 1 else f"state_{index}"
            yield State(layer, f"{name}_{suffix}", keras.ops.convert_to_numpy(start))


def run(model: keras.Model, inputs: Any, given: list[Any], of: list[State]) -> tuple[Any, Any]:
    """Run a model from given states.

    Args:
        model: The model.
        inputs: Its inputs, in its structure.
        given: The states, flat.
        of: What they are.

    Returns:
        Its outputs, and the states after the last step, flat.
    """
    after: dict[int, list[Any]] = {}

    def carried(layer):
        call = layer.call
        own = [tensor for state, tensor in zip(of, given, strict=True) if state.layer is layer]

        def resumed(sequences, initial_state=None, **settings):
            if initial_state is not None or id(layer) in after:
                raise _refused(f"whose layers are called once, and start themselves: {layer.name}")
            like = layer.get_initial_state(keras.ops.shape(sequences)[0])
            state = keras.tree.pack_sequence_as(like, own)
            with replaced([(layer, "return_state", True)]):
                output, *states = call(sequences, initial_state=state, **settings)
            after[id(layer)] = keras.tree.flatten(states)
            return (output, *states) if layer.return_state else output

        return resumed

    recurrent = list({id(state.layer): state.layer for state in of}.values())
    with replaced([(layer, "call", carried(layer)) for layer in recurrent]):
        outputs = model(inputs, training=False)
    if len(after) < len(recurrent):
        raise _refused("that calls each of its recurrent layers")
    return outputs, [tensor for layer in recurrent for tensor in after[id(layer)]]


def _refused(what):
    return invalid("signatures", _EXPECTED.format(what), "stateful")
