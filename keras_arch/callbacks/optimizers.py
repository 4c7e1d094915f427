"""Optimizers: those that a model holds, as one or as several."""

import keras


def held_optimizers(model: keras.Model) -> dict[str, keras.optimizers.Optimizer]:
    """Return the optimizers among the attributes of a model, by the attribute's name.

    A model compiled as usual holds one, ``"optimizer"``; one with a training step of its own
    may hold others, each in an attribute or in a list of them (``"optimizers_0"``).
    """
    held: dict[str, keras.optimizers.Optimizer] = {}
    for attribute, value in vars(model).items():
        group = value if isinstance(value, list | tuple) else [value]
        for index, optimizer in enumerate(group):
            known = any(optimizer is other for other in held.values())
            if isinstance(optimizer, keras.optimizers.Optimizer) and not known:
                held[attribute if group is not value else f"{attribute}_{index}"] = optimizer
    return held
