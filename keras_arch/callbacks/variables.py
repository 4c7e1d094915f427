"""Variables: everything that a training changes, by name, and put back as it was."""

from collections import Counter
from collections.abc import Iterable, Mapping

import keras
import numpy as np

GLOBAL_SEED = "global/seed_state"

Named = dict[str, keras.Variable]


def of_model(model: keras.Model) -> Named:
    """Return weights and seed states; the latter are no weights, and files of weights drop them.

    Seed states go by number: their path holds a count of the whole process.
    """
    weights = {id(variable) for variable in model.weights}
    is_weight = [id(variable) in weights for variable in model.variables]
    names = [
        variable.path if weight else "seed_state"
        for variable, weight in zip(model.variables, is_weight, strict=True)
    ]
    return _numbered("model", names, model.variables)


def of_global_seed(create: bool) -> Named:
    """Return the seed state of what is drawn without a seed, where it is in use."""
    from keras.src.backend.common.global_state import get_global_attribute
    from keras.src.random.seed_generator import GLOBAL_SEED_GENERATOR, global_seed_generator

    if not create and get_global_attribute(GLOBAL_SEED_GENERATOR) is None:
        return {}
    return {GLOBAL_SEED: global_seed_generator().state}


def of_metrics(model: keras.Model) -> Named:
    """Return the states of loss and metrics, which exist once a step was traced."""
    variables = model.metrics_variables
    return _numbered("metrics", [variable.path for variable in variables], variables)


def of_optimizers(optimizers: Mapping[str, keras.optimizers.Optimizer]) -> Named:
    """Return the states of optimizers; the automatic name of one does not count."""
    named: Named = {}
    for attribute, optimizer in optimizers.items():
        variables = optimizer.variables
        names = [variable.path.partition("/")[2] for variable in variables]
        named |= _numbered(f"optimizers/{attribute}", names, variables)
    return named


def values(named: Named) -> dict[str, np.ndarray]:
    """Return copies of the values."""
    return {name: np.array(keras.ops.convert_to_numpy(v)) for name, v in named.items()}


def assign(named: Named, arrays: Mapping[str, np.ndarray]) -> None:
    """Set variables to the values of their names."""
    for name, variable in named.items():
        variable.assign(arrays[name])


def differences(named: Named, arrays: Mapping[str, np.ndarray]) -> list[str]:
    """Return a line for each variable and array that do not fit each other."""
    lines = [f"{name}: not in the checkpoint" for name in named.keys() - arrays.keys()]
    lines += [f"{name}: not in the model" for name in arrays.keys() - named.keys()]
    for name in named.keys() & arrays.keys():
        variable, array = named[name], arrays[name]
        here = keras.backend.standardize_dtype(variable.dtype), tuple(variable.shape)
        there = str(array.dtype), array.shape
        if here != there:
            lines.append(f"{name}: {there} in the checkpoint, {here} in the model")
    return sorted(lines)


def _numbered(prefix: str, names: Iterable[str], variables: Iterable[keras.Variable]) -> Named:
    count: Counter[str] = Counter()
    named = {}
    for name, variable in zip(names, variables, strict=True):
        count[name] += 1
        number = f"#{count[name]}" if count[name] > 1 else ""
        named[f"{prefix}/{name}{number}"] = variable
    return named
