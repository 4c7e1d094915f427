"""Gradient checkpointing: keep the taps only, and compute the rest again when it is needed.

Chen, Xu, Zhang, Guestrin. Training Deep Nets with Sublinear Memory Cost. 2016.
https://arxiv.org/abs/1604.06174

    forward     x -> [part] -> tap -> [part] -> tap -> [part] -> y        inside: forgotten
    backward    each part once more, from its tap, then its gradient

Of n equal parts of a chain, n taps and the inside of one part are in memory at a time; with
as many parts as layers in each, that is the root of what it was, for one more forward pass.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
from keras import ops

from keras_arch.errors import invalid
from keras_arch.registry import register

Tensors = Any


class Part(NamedTuple):
    """A piece of a functional model: from the tensors it needs to those it hands on."""

    model: keras.Model
    needs: list[int]  # of the tensors, by `id`
    gives: list[int]


@register(
    paper="Training Deep Nets with Sublinear Memory Cost",
    authors="Chen, Xu, Zhang, Guestrin",
    year=2016,
    url="https://arxiv.org/abs/1604.06174",
)
def checkpointed(model: keras.Model, at: Sequence[str] | None = None) -> keras.Model:
    """Return a model that trains in less memory: it shares all weights, and gives the same.

    Loss, statistics of normalization, random numbers and gradients are those of ``model``
    (gradients up to the order of additions), so its training is the same. What it learns
    is in ``model``: save, export and serve that one.

    Args:
        model: A functional model.
        at: Names of layers after which to cut; what is between two cuts is computed again.
            By default the taps ``stem``, ``stage1`` ..., ``block1`` ... .  The first and the
            last of a chain of equal parts save most: about the root of the depth of them.

    Returns:
        A ``keras.Model`` of the same inputs and outputs, to compile and fit.

    Raises:
        ValueError: If the model is not functional, a layer does not exist, there is none to
            cut at, or a mask would have to pass a cut; and in training, if a layer assigns
            to a trained weight, as ``keras.layers.SpectralNormalization`` does.

    Example:

    >>> model = keras_arch.models.DenseNet121(input_shape=(32, 32, 3), classes=10)
    >>> lean = checkpointed(model)
    >>> len(lean.parts), lean.count_params() == model.count_params()
    (6, True)
    """
    return Checkpointed(model, at)


@keras.saving.register_keras_serializable("keras_arch.training")
class Checkpointed(keras.Model):
    """What ``checkpointed`` returns.

    Args:
        model: A functional model.
        at: Names of layers after which to cut.
        **kwargs: ``name`` and so on of ``keras.Model``.
    """

    def __init__(self, model: keras.Model, at: Sequence[str] | None = None, **kwargs: Any):
        # float32, so that weights are handed to the parts as they are, which cast them
        super().__init__(**{"name": f"{model.name}_checkpointed", "dtype": "float32", **kwargs})
        if not isinstance(model, keras.Model) or not hasattr(model, "_nodes_by_depth"):
            raise invalid("model", "a functional model", model)
        names = [layer.name for layer in model.layers]
        if at is None:
            at = [name for name in names if _is_tap(name)]
        missing = [name for name in at if name not in names]
        if missing or not at:
            raise invalid("at", f"names of layers, such as {names[1:6]}", missing or at)
        self.model = model
        self.at = list(at)
        self._parts = cut(model, self.at)
        self.built = True

    @property
    def parts(self) -> list[Part]:
        """The pieces, in the order of computation."""
        return self._parts

    def call(self, inputs, training=None):
        flat = keras.tree.flatten(inputs)
        known = dict(zip(map(id, self.model.inputs), flat, strict=True))
        for part in self._parts:
            state = snapshot(part.model)
            run = keras.remat(pure(part.model, state, training))
            weights = [ops.convert_to_tensor(v.value) for v in part.model.trainable_variables]
            outputs, after, losses = run(*(known[need] for need in part.needs), *weights)
            known |= dict(zip(part.gives, outputs, strict=True))
            for (variable, _), value in zip(state, after, strict=True):
                variable.assign(value)
            for loss in losses:
                self.add_loss(loss)
        outputs = [known[id(tensor)] for tensor in self.model.outputs]
        return keras.tree.pack_sequence_as(self.model._outputs_struct, outputs)

    def get_config(self):
        model = keras.saving.serialize_keras_object(self.model)
        return {**super().get_config(), "model": model, "at": self.at}

    @classmethod
    def from_config(cls, config):
        model = keras.saving.deserialize_keras_object(config["model"])
        return cls(**{**config, "model": model})


def _is_tap(name):
    return name == "stem" or name.removeprefix("stage").removeprefix("block").isdigit()


def snapshot(part: keras.Model) -> list[tuple[keras.Variable, Any]]:
    """Take the values of what a part changes as it runs: statistics, and states of seeds."""
    changing = [variable for variable in part.variables if not variable.trainable]
    return [(variable, ops.copy(variable.value)) for variable in changing]


def pure(part: keras.Model, state: Sequence[tuple], training: bool | None) -> Any:
    """Make a function of a part that changes nothing, so that it may run twice.

    It takes the part's inputs and trainable weights, starts from the values of ``state``
    each time, and returns outputs, the values afterwards, and losses.
    """
    inputs = len(part.inputs)

    def run(*tensors):
        weights = list(zip(part.trainable_variables, tensors[inputs:], strict=True))
        with keras.StatelessScope([*weights, *state], collect_losses=True) as scope:
            given = [scope.get_current_value(variable) for variable, _ in weights]
            outputs = part(list(tensors[:inputs]), training=training)
        for (variable, _), value in zip(weights, given, strict=True):
            if scope.get_current_value(variable) is not value:
                raise invalid("model", "layers that leave trained weights alone", variable.path)
        after = [ops.stop_gradient(scope.get_current_value(variable)) for variable, _ in state]
        return keras.tree.flatten(outputs), after, scope.losses

    return run


def cut(model: keras.Model, at: Sequence[str]) -> list[Part]:
    """Cut a functional model after each of the named layers.

    A call of a layer belongs to the part that its inputs reach: the number of cuts on the
    way to it. Tensors that skip a cut are handed on beside it.
    """
    cuts = {id(model.get_layer(name)) for name in at}
    nodes = [
        node
        for depth in sorted(model._nodes_by_depth, reverse=True)
        for node in model._nodes_by_depth[depth]
        if not node.is_input
    ]
    passed = {id(tensor): 0 for tensor in model.inputs}  # cuts on the way to a tensor
    tensors: dict[int, Any] = {id(tensor): tensor for tensor in model.inputs}
    part_of: dict[int, int] = {}
    used_by: dict[int, set[int]] = {id(tensor): set() for tensor in model.inputs}
    for node in nodes:
        inputs = node.input_tensors
        here = max((passed[id(tensor)] for tensor in inputs), default=0)
        part_of[id(node)] = here
        for tensor in inputs:
            used_by[id(tensor)].add(here)
        for tensor in node.output_tensors:
            tensors[id(tensor)] = tensor
            passed[id(tensor)] = here + (id(node.operation) in cuts)
            used_by[id(tensor)] = set()
    made_in = {id(t): part_of[id(node)] for node in nodes for t in node.output_tensors}
    wanted = {id(tensor) for tensor in model.outputs}
    parts = []
    for part in sorted(set(part_of.values())):
        needs = [t for t in tensors if made_in.get(t, -1) < part and part in used_by[t]]
        gives = [
            t
            for t in tensors
            if made_in.get(t) == part and (t in wanted or any(u > part for u in used_by[t]))
        ]
        masked = [
            tensors[t].name for t in gives if getattr(tensors[t], "_keras_mask", None) is not None
        ]
        if masked and part + 1 in part_of.values():
            raise invalid("at", "layers behind which nothing is masked", list(at))
        piece = keras.Model(
            [tensors[t] for t in needs],
            [tensors[t] for t in gives],
            name=f"{model.name}_part{part + 1}",
        )
        parts.append(Part(piece, needs, gives))
    return parts
