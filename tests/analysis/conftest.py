"""Big models without the time that random kernels take."""

import pytest
from models.vision.compare import quick_kernels


@pytest.fixture
def quick(monkeypatch):
    quick_kernels(monkeypatch)


@pytest.fixture
def untouched():
    """Everything of a model that an observer could change, as a value to compare."""

    def state(model):
        layers = list(model._flatten_layers())
        return (
            [variable.numpy().tolist() for variable in model.variables],
            [sorted(set(vars(layer)) - {"_path"}) for layer in layers],
            [(len(x._inbound_nodes), len(x._outbound_nodes), x.built) for x in layers],
            [float(loss) for loss in model.losses],
            str(model.get_config()),
        )

    return state
