"""Whatever breaks in GradientFlow, the training neither stops nor changes."""

import logging

import keras
import numpy as np
import pytest
from callbacks.taped_training import build, fit, scalars

import keras_arch
from keras_arch.callbacks import (
    GradientFlow,
    activation_taps,
    alarms,
    event_file,
    event_log,
    flow_record,
    gradient_recorder,
    gradient_taps,
    step_taps,
    watched_step,
)

PARTS = [
    (gradient_recorder, "kernel_layers"),
    (gradient_recorder, "FlowReader"),
    (flow_record.FlowReader, "read"),
    (gradient_recorder, "held_optimizers"),
    (gradient_recorder.GradientRecorder, "before_step"),
    (gradient_recorder.GradientRecorder, "after_step"),
    (gradient_recorder.GradientRecorder, "close"),
    (alarms.Alarms, "raised_by"),
    (event_log.EventLog, "append"),
    (event_file.EventFile, "write"),
    (flow_record, "layers_of"),
    (step_taps, "held_optimizers"),
    (step_taps, "active_layers"),
    (step_taps, "applied"),
    (gradient_taps, "_by_optimizer"),
    (activation_taps.ActivationSums, "see"),
    (activation_taps.ActivationSums, "row"),
    (watched_step, "norms"),
    (watched_step.WatchedStep, "__init__"),
    (watched_step.WatchedStep, "_weights"),
    (watched_step.WatchedStep, "_train_step"),
]


def trained(*callbacks):
    model = build(optimizer=keras.optimizers.SGD(0.1))
    fit(model, callbacks=callbacks)
    return [v.numpy() for v in [*model.variables, *model.optimizer.variables]]


@pytest.fixture(scope="module")
def alone():
    return trained()


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part[1])
def test_a_fault_is_logged_once(part, alone, tmp_path, monkeypatch, caplog):
    def broken(*_, **__):
        raise RuntimeError("on purpose")

    monkeypatch.setattr(*part, broken)
    with caplog.at_level(logging.WARNING, logger="keras_arch"):
        watched = trained(GradientFlow(tmp_path, every=2))
    assert len([r for r in caplog.records if "GradientFlow records no more" in r.message]) == 1
    for one, other in zip(alone, watched, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_fault_of_the_model_is_the_models(tmp_path):
    model = build()
    data = [(np.zeros((8, 5), int), np.full(8, 3))] * 2  # no such class
    with pytest.raises(Exception, match="3"):
        model.fit(*data[0], batch_size=8, verbose=0, callbacks=[GradientFlow(tmp_path)])


def test_two_networks_with_an_optimizer_each(tmp_path):
    """A training step of our own: what each network is given, and the same weights without."""

    def game():
        keras.utils.set_random_seed(5)
        latent, sample = keras.Input((2,)), keras.Input((4,))
        make = keras.layers.Dense(6, "relu", name="hidden")(latent)
        maker = keras.Model(latent, keras.layers.Dense(4, name="out")(make), name="maker")
        judge = keras.layers.Dense(6, "relu", name="hidden")(sample)
        judge = keras.Model(sample, keras.layers.Dense(1, name="out")(judge), name="judge")
        model = keras_arch.training.Adversarial(maker, judge, seed=0)
        clipping = keras.optimizers.Adam(0.01, global_clipnorm=1e-3)
        model.compile(keras.optimizers.SGD(0.1), clipping, jit_compile=False)
        return model

    x = np.random.default_rng(0).normal(size=(32, 4)).astype("float32")
    weights = []
    for watching in ([], [GradientFlow(tmp_path, every=1)]):
        model = game()
        model.fit(x, batch_size=8, shuffle=False, verbose=0, callbacks=watching)
        weights.append([v.numpy() for v in model.variables])
    for one, other in zip(*weights, strict=True):
        np.testing.assert_array_equal(one, other)
    logged = scalars(tmp_path)
    layers = [tag.partition("/")[2] for tag in logged if tag.startswith("log10_gradient_norm/")]
    assert len(layers) == 4
    assert sorted(layers) == layers
    assert [step for step, _ in logged["log10_global_gradient_norm/optimizer"]] == [0, 1, 2, 3]
    active = [tag for tag in logged if tag.startswith("dead_fraction/")]
    assert [tag.rpartition("/")[0].partition("_")[2] for tag in active] == [
        "fraction/000_maker",
        "fraction/002_judge",
    ]
    assert all(share < 0.1 for _, share in logged["clipping/optimizer"])
