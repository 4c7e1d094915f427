"""Auxiliary heads: outputs halfway up that teach, while the network learns.

Szegedy, Liu, Jia, Sermanet, Reed, Anguelov, Erhan, Vanhoucke, Rabinovich. Going Deeper with
Convolutions. CVPR 2015. https://arxiv.org/abs/1409.4842

    loss = loss(head, y) + 0.3 loss(aux1, y) + 0.3 loss(aux2, y)
"""

from collections.abc import Callable
from typing import Any

import keras

from keras_arch.errors import invalid


def auxiliary_losses(model: keras.Model, loss: Any, weight: float = 0.3) -> dict[str, Any]:
    """What ``compile`` takes so that every head learns, the auxiliary ones with a weight.

    Each head needs the labels: ``auxiliary_targets`` gives them. A model with one output
    gets ``loss`` alone, so that a script need not ask which kind it has.

    Args:
        model: A classifier, built with ``aux=True`` or not.
        loss: Name of a loss, or a loss.
        weight: Of each auxiliary loss; the head's is 1.

    Returns:
        ``{"loss": ..., "loss_weights": ...}``.

    Raises:
        ValueError: If ``weight`` is negative, or the outputs are neither one nor a
            dictionary with a ``"head"``.

    Example:

    >>> model = keras_arch.models.GoogLeNet(alpha=0.1, aux=True, classes=10)
    >>> losses = auxiliary_losses(model, "sparse_categorical_crossentropy")
    >>> losses["loss_weights"]
    {'head': 1.0, 'aux1': 0.3, 'aux2': 0.3}
    >>> model.compile("sgd", **losses, metrics={"head": ["accuracy"]})
    """
    if weight < 0:
        raise invalid("weight", "a number of at least 0", weight)
    names = _heads(model)
    if not names:
        return {"loss": loss}
    return {
        "loss": dict.fromkeys(names, loss),
        "loss_weights": {name: 1.0 if name == "head" else weight for name in names},
    }


def auxiliary_targets(model: keras.Model) -> Callable[..., tuple[Any, ...]]:
    """A function that gives the labels to every head.

    Args:
        model: A classifier, built with ``aux=True`` or not.

    Returns:
        A function from ``(x, y)`` or ``(x, y, sample_weight)`` to the same with ``y`` for
        each output, for data sets, ``model.fit(data.map(targets))``, and for arrays,
        ``model.fit(*targets(x, y), sample_weight=...)``.

    Raises:
        ValueError: If the outputs are neither one nor a dictionary with a ``"head"``.

    Example:

    >>> model = keras_arch.models.GoogLeNet(alpha=0.1, aux=True, classes=10)
    >>> auxiliary_targets(model)("images", "labels")
    ('images', {'head': 'labels', 'aux1': 'labels', 'aux2': 'labels'})
    """
    names = _heads(model)

    def targets(x, y, *sample_weight):
        return (x, dict.fromkeys(names, y) if names else y, *sample_weight)

    return targets


def _heads(model):
    """Names of the outputs, if there are several."""
    if not isinstance(model.output, dict):
        if len(model.outputs) == 1:
            return []
    elif "head" in model.output:
        return ["head", *sorted(set(model.output) - {"head"})]
    expected = 'a model with one output, or a dictionary of "head" and others'
    raise invalid("model", expected, keras.tree.map_structure(lambda x: x.name, model.output))
