"""A model as a function of flat inputs; its weights variables, or constants of the graph.

Constants TensorFlow lays out for its kernels once, and not at each request.
"""

from collections.abc import Callable
from typing import Any

import keras

Run = Callable[[list[Any]], dict[str, Any]]  # flat inputs -> outputs by name

LARGEST = 2**30  # bytes of weights; a graph is one message, of at most 2 GiB


def runner(model: keras.Model, named: list[str]) -> Run:
    """Compute a model, with names of outputs that another one may have given."""

    def run(tensors):
        structure = keras.tree.pack_sequence_as(model.input, list(tensors))
        flat = keras.tree.flatten(model(structure, training=False))
        return dict(zip(named, flat, strict=True))

    return run


def is_small(model: keras.Model) -> bool:
    """Whether the weights of a model fit into a graph, at four bytes each."""
    return 4 * model.count_params() <= LARGEST


def frozen(model: keras.Model, named: list[str]) -> Run:
    """Compute a model with what its weights are now; all signatures share the one graph of it.

    Args:
        model: The model.
        named: Names of its outputs.
    """
    import tensorflow as tf

    # No public function does this to a function; that of TF 1 is for sessions.
    from tensorflow.python.framework import convert_to_constants

    run = runner(model, named)
    specs = [
        tf.TensorSpec(tensor.shape, tensor.dtype, f"input_{index}")
        for index, tensor in enumerate(model.inputs)
    ]
    whole = tf.function(lambda *x: list(run(list(x)).values()), specs, autograph=False)
    function = whole.get_concrete_function()
    constant = convert_to_constants.convert_variables_to_constants_v2(
        function, lower_control_flow=False
    )

    def answer(tensors):
        outputs = constant(*tensors)
        for output, known in zip(outputs, function.outputs, strict=True):
            output.set_shape(known.shape)
        return dict(zip(named, outputs, strict=True))

    return answer
