"""Named taps of a model as outputs of a new one."""

from collections.abc import Sequence

import keras

from keras_arch.errors import invalid


def feature_extractor(model: keras.Model, taps: Sequence[str]) -> keras.Model:
    """Return a model that gives the outputs of named layers; it shares all weights.

    Args:
        model: A functional model. Ours have the taps ``stem``, ``stage1`` ... ``stageS``
            (vision) or ``block1`` ... ``blockL``, and ``head``; any layer's name will do.
        taps: Names of layers.

    Returns:
        A ``keras.Model`` with the inputs of ``model``, whose output is a dictionary of the
        taps.

    Raises:
        ValueError: If a layer does not exist; says which do.

    Example:

    >>> model = keras_arch.models.DenseNet121(input_shape=(64, 64, 3))
    >>> features = keras_arch.feature_extractor(model, ["stage2", "stage4"])
    >>> {tap: tensor.shape for tap, tensor in features.output.items()}
    {'stage2': (None, 8, 8, 512), 'stage4': (None, 2, 2, 1024)}
    """
    names = [layer.name for layer in model.layers]
    missing = [tap for tap in taps if tap not in names]
    if missing:
        tapped = [name for name in names if name.startswith(("stem", "stage", "block", "head"))]
        raise invalid("taps", f"names of layers, such as {tapped[:8]}", missing)
    outputs = {tap: model.get_layer(tap).output for tap in taps}
    return keras.Model(model.input, outputs, name=f"{model.name}_features")
