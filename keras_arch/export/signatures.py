"""Signatures: named tensors in and out, and encoded images in."""

import re
from collections.abc import Mapping

import keras

from keras_arch.errors import invalid


def names(structure, fallback):
    """Wire names of a structure of symbolic tensors, in flat order."""
    tensors = keras.tree.flatten(structure)
    numbered = [fallback] if len(tensors) == 1 else [f"{fallback}_{i}" for i in range(len(tensors))]
    if isinstance(structure, Mapping) and len(structure) == len(tensors):
        found = sorted(structure)  # as keras.tree flattens it
    else:
        operations = [tensor._keras_history.operation for tensor in tensors]
        found = [
            stand_in if _is_made_up(operation) else operation.name
            for operation, stand_in in zip(operations, numbered, strict=True)
        ]
    found = [_identifier(name) for name in found]
    return found if len(set(found)) == len(found) else numbered


def _identifier(name):
    """What TensorFlow would make of the name of an argument, with a warning."""
    name = re.sub(r"\W", "_", name)
    return name if name[0].isalpha() else f"arg_{name}"


def _is_made_up(operation):
    kind = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", type(operation).__name__)
    return not isinstance(operation, keras.Layer) or bool(
        re.fullmatch(rf"({kind.lower()}|keras_tensor)(_\d+)?", operation.name)
    )


def without_auxiliary_heads(model):
    """The model as it is served: heads ``aux1``, ``aux2``, ... only teach the others."""
    output = _output(model)
    if not isinstance(output, Mapping) or "head" not in output:
        return model
    if any(not re.fullmatch(r"head|aux\d+", name) for name in output):
        return model
    return keras.Model(model.input, output["head"], name=model.name)


def structure_of_inputs(model):
    """Input or inputs, as the model was given them."""
    # A Sequential model has no `input` before its first call.
    return model.inputs[0] if isinstance(model, keras.Sequential) else model.input


def _output(model):
    return model.outputs[0] if isinstance(model, keras.Sequential) else model.output


def _run(model, tensors):
    """Flat inputs -> named outputs."""
    structure = keras.tree.pack_sequence_as(structure_of_inputs(model), list(tensors))
    flat = keras.tree.flatten(model(structure, training=False))
    return dict(zip(names(_output(model), "outputs"), flat, strict=True))


def from_tensors(model):
    """The signature of named tensors."""
    import tensorflow as tf

    specs = [
        tf.TensorSpec(tensor.shape, tensor.dtype, name=name)
        for name, tensor in zip(
            names(structure_of_inputs(model), "inputs"), model.inputs, strict=True
        )
    ]
    return _concrete(lambda *tensors: _run(model, tensors), specs)


def takes_images(model):
    """Whether the model has one input, and that is an image of known size."""
    shape = model.inputs[0].shape
    return (
        len(model.inputs) == 1
        and len(shape) == 4
        and None not in shape[1:]
        and shape[-1] in (1, 3, 4)
        and "float" in model.inputs[0].dtype
    )


def from_images(model, preprocess):
    """The signature of encoded images."""
    import tensorflow as tf

    height, width, channels = model.inputs[0].shape[1:]

    def decode(encoded):
        image = tf.io.decode_image(encoded, channels=channels, expand_animations=False)
        image.set_shape((None, None, channels))  # decode_image leaves the rank open
        return tf.image.resize(image, (height, width), antialias=True)

    def run(encoded):
        images = tf.map_fn(decode, encoded, fn_output_signature=tf.float32)
        images = preprocess(images) if preprocess else images / 255.0
        if tuple(images.shape[1:]) != (height, width, channels):
            expected = f"a function that keeps the shape {(height, width, channels)}"
            raise invalid("preprocess", expected, preprocess)
        return _run(model, [tf.cast(images, model.inputs[0].dtype)])

    name = names(structure_of_inputs(model), "inputs")[0]
    return _concrete(run, [tf.TensorSpec((None,), tf.string, name=f"{name}_bytes")])


def _concrete(function, specs):
    import tensorflow as tf

    # Without AutoGraph: it would rewrite the control flow of layers, in vain.
    return tf.function(function, specs, autograph=False).get_concrete_function()
