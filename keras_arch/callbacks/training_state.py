"""Training state: the variables of a model in training, taken and put back as they were."""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from keras_arch.callbacks import variables
from keras_arch.callbacks.optimizers import held_optimizers

Arrays = Mapping[str, np.ndarray]


def take(model: keras.Model) -> tuple[dict[str, list[str]], dict[str, np.ndarray]]:
    """Return which variables each optimizer was built with, and the values of all."""
    named = variables.of_model(model)
    optimizers = held_optimizers(model)
    names = {id(variable): name for name, variable in named.items()}
    built = {
        attribute: [names[id(v)] for v in optimizer._trainable_variables if id(v) in names]
        for attribute, optimizer in optimizers.items()
        if optimizer.built
    }
    named |= variables.of_global_seed(create=False)
    named |= variables.of_metrics(model) | variables.of_optimizers(optimizers)
    return built, variables.values(named)


def put(model: keras.Model, built: Mapping[str, list[str]], arrays: Arrays, where: str) -> None:
    """Restore weights, seed states and optimizers; nothing, if one of them does not fit."""
    of_model = variables.of_model(model)
    of_model |= variables.of_global_seed(create=variables.GLOBAL_SEED in arrays)
    _refuse(variables.differences(of_model, _part(arrays, "model/", "global/")), where)
    optimizers = held_optimizers(model)
    for attribute in built.keys() & optimizers.keys():
        if not optimizers[attribute].built:
            optimizers[attribute].build([of_model[name] for name in built[attribute]])
    of_optimizers = variables.of_optimizers(optimizers)
    _refuse(variables.differences(of_optimizers, _part(arrays, "optimizers/")), where)
    variables.assign(of_model | of_optimizers, arrays)


def put_metrics(model: keras.Model, batch: Any, arrays: Arrays, where: str) -> None:
    """Restore loss and metrics, which Keras makes when it sees the first batch."""
    import tensorflow as tf

    saved = _part(arrays, "metrics/")
    if saved.keys() - variables.of_metrics(model).keys():
        batch = keras.tree.map_structure(
            lambda part: None if isinstance(part, tf.experimental.Optional) else part, batch
        )
        model._symbolic_build(data_batch=batch)
    of_metrics = variables.of_metrics(model)
    _refuse(variables.differences(of_metrics, saved), where)
    variables.assign(of_metrics, saved)


def _part(arrays, *prefixes):
    return {name: array for name, array in arrays.items() if name.startswith(prefixes)}


def _refuse(differences, where):
    if differences:
        shown = "\n".join(differences[:20])
        more = f"\n... and {len(differences) - 20} more" if len(differences) > 20 else ""
        raise ValueError(
            f"The checkpoint in {where!r} does not fit the model:\n{shown}{more}\n"
            "Build and compile the model (built before `fit`) that wrote it, "
            "or use another directory."
        )
