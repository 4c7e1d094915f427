"""GradientFlow under mixed precision: the numbers are those of unscaled gradients."""

import keras
import numpy as np
import pytest
from callbacks.taped_training import assert_logged, batches, build, expected, fit, scalars, taped

from keras_arch.callbacks import GradientFlow


@pytest.mark.parametrize(
    ("policy", "jit_compile", "rtol"),
    [
        ("mixed_float16", False, 1e-2),
        ("mixed_float16", True, 1e-1),  # XLA itself rounds otherwise
        ("mixed_bfloat16", False, 1e-2),
        ("mixed_bfloat16", True, 1e-1),
    ],
)
def test_norms_are_unscaled(tmp_path, policy, jit_compile, rtol):
    keras.config.set_dtype_policy(policy)

    def compiled():
        return build(optimizer=keras.optimizers.SGD(0.1), jit_compile=jit_compile)

    model = compiled()
    scaled = policy == "mixed_float16"
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer) == scaled
    fit(model, callbacks=[GradientFlow(tmp_path, every=1)])
    wanted = expected(taped(compiled(), batches()))
    logged = scalars(tmp_path)
    assert logged.keys() == wanted.keys()
    # Of the activations, half-precision numbers, the mean has no size of its own.
    logged.pop("activation_mean/001_recurrent")
    wanted.pop("activation_mean/001_recurrent")
    assert_logged(logged, wanted, range(4), rtol)
    assert all(np.isfinite(v) for _, v in logged["log10_gradient_norm/000_embedding"])
