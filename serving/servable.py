"""One version of a model, loaded."""

import dataclasses

from keras_arch.serving.engine import SessionEngine


@dataclasses.dataclass(frozen=True)
class Servable:
    """What requests are resolved to.

    Args:
        name: Name of the model.
        version: Number of the version.
        engine: Runs its signatures.
    """

    name: str
    version: int
    engine: SessionEngine
