"""The signal report, against closed forms, a tape by hand, and theory."""

import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops

import keras_arch
from keras_arch import initializers
from keras_arch.analysis import check_widths, signal_report
from keras_arch.analysis.signal_verdict import DEAD

RNG = np.random.default_rng(0)
WIDTH, DEPTH = 64, 50


@pytest.fixture(autouse=True)
def same_draws(monkeypatch):
    """Each test draws the same numbers, whichever tests ran before it."""
    monkeypatch.setitem(globals(), "RNG", np.random.default_rng(0))


def normal(*shape):
    return RNG.normal(size=shape).astype("float32")


def deep(activation, law, depth=DEPTH, width=WIDTH, head=0):
    """``law(seed)`` gives the initializer of a layer."""
    inputs = x = keras.Input((width,))
    for seed in range(depth):
        x = layers.Dense(
            width, activation, use_bias=False, kernel_initializer=law(seed), name=f"block{seed + 1}"
        )(x)
    if head:
        x = layers.Dense(head, "softmax", name="head")(x)
    return keras.Model(inputs, x, name="deep")


def slope(values):
    return np.exp(np.polyfit(np.arange(len(values)), np.log(values), 1)[0])


class TestVerdicts:
    """Factors a layer that are known, in the words that people read."""

    def test_the_old_heuristic_loses_two_thirds_a_layer(self):
        law = initializers.FanInUniform
        report = signal_report(deep("linear", lambda seed: law(seed)), normal(64, WIDTH))
        assert report.diagnosis == "vanishing"
        assert report.verdict.startswith(
            "Variance falls by 0.33 a layer: 50 layers leave 1e-24; LeCun initialization would "
            "keep it. Gradients fall by 0.5"
        )
        assert slope([layer.variance for layer in report.layers]) == pytest.approx(1 / 3, rel=0.03)
        back = slope([layer.gradient for layer in reversed(report.layers)])
        assert back == pytest.approx(3**-0.5, rel=0.03)

    def test_relu_halves_it_and_he_would_keep_it(self):
        law = initializers.FanInUniform
        report = signal_report(deep("relu", lambda seed: law(seed)), normal(64, WIDTH))
        assert "; He initialization would keep it." in report.verdict
        squares = [layer.variance + layer.mean**2 for layer in report.layers]
        assert slope(squares) == pytest.approx(1 / 6, rel=0.06)

    def test_he_keeps_it(self):
        report = signal_report(deep("relu", initializers.HeNormal, head=10), normal(64, WIDTH))
        assert report.diagnosis == "healthy"
        assert "it can be trained" in report.verdict
        assert np.mean([layer.saturation for layer in report.layers[:5]]) == pytest.approx(
            0.5, abs=0.05
        )

    def test_he_without_relu_explodes(self):
        report = signal_report(deep("linear", initializers.HeNormal), normal(64, WIDTH))
        assert report.diagnosis == "exploding"
        assert "Variance grows by 2" in report.verdict or "Variance grows by 1.9" in report.verdict
        assert "LeCun initialization would keep it" in report.verdict

    def test_sigmoid_makes_all_examples_one_as_mean_field_says(self):
        model = deep("sigmoid", initializers.GlorotUniform, head=10)
        report = signal_report(model, normal(64, WIDTH))
        theory = initializers.MeanField("sigmoid", 1.0).slope
        lasting = [layer.variation for layer in report.layers[1:7]]
        assert slope(lasting) == pytest.approx(theory, rel=0.1)
        back = slope([layer.gradient for layer in reversed(report.layers[:-1])])
        assert back**2 == pytest.approx(theory, rel=0.1)
        assert report.diagnosis == "vanishing"
        assert "What differs between examples falls by 0.05" in report.verdict
        assert "a steeper slope" in report.verdict
        assert report.layers[0].variance == pytest.approx(report.layers[40].variance, rel=3)

    def test_a_wide_law_saturates_tanh(self):
        law = lambda seed: initializers.RandomNormal(0.0, 1.0, seed)  # noqa: E731
        report = signal_report(deep("tanh", law, depth=3), normal(64, WIDTH))
        assert report.diagnosis == "saturated"
        assert "block1 and 2 other layers: most activations are saturated" in report.verdict

    @pytest.mark.parametrize("head", ["softmax", "sigmoid", "layer"])
    @pytest.mark.parametrize(
        ("law", "diagnosis"),
        [
            (initializers.GlorotUniform, "vanishing"),
            (lambda seed: initializers.RandomNormal(0.0, 1.0, seed), "exploding"),
        ],
        ids=["glorot", "normal"],
    )
    def test_probabilities_that_are_all_alike_are_a_symptom(self, head, law, diagnosis):
        """The head is no cause: it says what it is told, the same for all examples."""
        inputs = keras.Input((WIDTH,))
        last = initializers.HeNormal(0)
        activation = None if head == "layer" else head
        x = deep("relu", law)(inputs)
        x = layers.Dense(100, activation, kernel_initializer=last)(x)
        x = layers.Softmax()(x) if head == "layer" else x
        report = signal_report(keras.Model(inputs, x), normal(16, WIDTH))
        assert report.layers[-1].dead > DEAD  # of any other layer it would be the cause
        assert report.diagnosis == diagnosis
        assert report.verdict.startswith("Variance")

    @pytest.mark.parametrize(
        ("law", "diagnosis"),
        [
            (lambda seed: "zeros", "dead"),
            (lambda seed: initializers.RandomNormal(0.0, 1e-2, seed), "vanishing"),
        ],
        ids=["zeros", "small"],
    )
    def test_where_nothing_is_left_nothing_grows(self, law, diagnosis):
        report = signal_report(deep("relu", law), normal(64, WIDTH))
        assert report.diagnosis == diagnosis
        assert "grow" not in report.verdict
        assert "make" not in report.verdict
        assert ": nothing is left after layer " in report.verdict
        assert "Gradients: none comes back past layer 1, counted from the end." in report.verdict

    def test_half_precision_is_known_by_its_rounding(self):
        """What is left of examples behind some sigmoids is the last place of each number."""
        keras.config.set_dtype_policy("mixed_float16")
        report = signal_report(deep("sigmoid", initializers.GlorotUniform), normal(64, WIDTH))
        assert report.diagnosis == "vanishing"
        assert "What differs between examples falls by 0." in report.verdict
        assert "a layer: nothing is left after layer " in report.verdict
        assert "grow" not in report.verdict

    def test_a_thin_layer_is_named_by_its_spread(self):
        inputs = x = keras.Input((20,))
        for seed, width in enumerate((100, 100, 1, 1, 1, 100)):
            x = layers.Dense(width, kernel_initializer=initializers.LecunNormal(seed))(x)
        report = signal_report(keras.Model(inputs, x), normal(64, 20))
        assert report.widths == check_widths((20, 100, 100, 1, 1, 1, 100))
        assert "Thin for its depth" in report.verdict

    def test_overflow_is_named_by_its_layer(self):
        law = lambda seed: initializers.RandomNormal(0.0, 1e6, seed)  # noqa: E731
        report = signal_report(deep("linear", law, depth=8), normal(4, WIDTH))
        assert report.diagnosis == "not finite"
        assert report.verdict.startswith("block")

    def test_normalization_is_no_explosion(self):
        """The step from small embeddings to variance 1 happens once."""
        inputs = x = keras.Input((WIDTH,))
        for seed in range(10):
            if seed in (2, 3, 4):
                x = layers.LayerNormalization(epsilon=1e-12)(x)
            x = layers.Dense(WIDTH, kernel_initializer=initializers.LecunNormal(seed))(x)
        report = signal_report(keras.Model(inputs, x), 1e-4 * normal(32, WIDTH))
        assert report.layers[0].variance < 1e-7 < 0.1 < report.layers[2].variance
        assert report.diagnosis == "healthy"


class TestUnits:
    """Dead and saturated by construction."""

    def test_dead_units_are_counted(self):
        inputs = keras.Input((5,))
        bias = np.array([-100.0] * 3 + [0.0] * 5)
        hidden = layers.Dense(8, "relu", name="hidden")
        model = keras.Model(inputs, layers.Dense(2)(hidden(inputs)))
        hidden.bias.assign(bias)
        report = signal_report(model, normal(64, 5))
        assert report.layers[0].dead == 3 / 8
        assert report.diagnosis == "healthy"
        hidden.bias.assign([-100.0] * 7 + [1.0])
        report = signal_report(model, normal(64, 5))
        assert report.diagnosis == "dead"
        assert report.verdict.startswith("88 % of the units of hidden are dead")

    def test_a_constant_unit_is_dead_whatever_its_value(self):
        inputs = keras.Input((3,))
        layer = layers.Dense(4)
        model = keras.Model(inputs, layer(inputs))
        layer.set_weights([np.eye(3, 4, dtype="float32"), np.full(4, 7.0, "float32")])
        assert signal_report(model, normal(16, 3)).layers[0].dead == 1 / 4

    @pytest.mark.parametrize(
        ("make", "flat"),
        [
            (lambda: layers.Activation("tanh"), lambda z: 1 - np.tanh(z) ** 2 < 0.1),
            (lambda: layers.Activation("sigmoid"), lambda z: np.cosh(z / 2) ** -2 < 0.1),
            (lambda: layers.ReLU(), lambda z: z < 0),
            (lambda: layers.ReLU(max_value=2.0), lambda z: (z < 0) | (z > 2)),
            (lambda: layers.ELU(), lambda z: np.exp(np.minimum(z, 0)) < 0.1),
            (lambda: layers.Dense(1, "softsign"), lambda z: (1 + abs(z)) ** -2 < 0.1),
            (lambda: layers.LeakyReLU(0.2), lambda z: z > 99),
        ],
        ids=["tanh", "sigmoid", "relu", "relu2", "elu", "dense", "leaky"],
    )
    def test_saturation_is_where_the_slope_is_a_tenth(self, make, flat):
        z = np.linspace(-6, 6, 1001, dtype="float32")[:, None]
        inputs = keras.Input((1,))
        model = keras.Model(inputs, make()(inputs))
        if model.weights:
            model.set_weights([np.ones((1, 1)), np.zeros(1)])
        report = signal_report(model, z)
        assert report.layers[0].saturation == pytest.approx(flat(z).mean(), abs=2e-3)

    def test_what_has_no_activation_of_single_numbers_has_no_saturation(self):
        inputs = keras.Input((4,))
        x = layers.PReLU()(layers.Dense(4)(inputs))
        model = keras.Model(inputs, layers.Dense(3, "softmax")(x))
        assert np.isnan(
            [layer.saturation for layer in signal_report(model, normal(8, 4)).layers]
        ).all()

    def test_a_gate_that_its_bias_holds_shut_is_not_blamed(self):
        model = keras_arch.models.HighwayMLP(4, 20, gate_bias=-4.0, input_shape=(8, 8, 1))
        report = signal_report(model, normal(16, 8, 8, 1))
        gate = next(layer for layer in report.layers if layer.name == "block1/gate")
        assert gate.saturation > 0.5
        assert report.diagnosis == "healthy"


class TestGradients:
    """Equal to a tape's, and to closed forms."""

    def network(self):
        inputs = keras.Input((6, 6, 2))
        x = layers.Conv2D(4, 3, name="conv")(inputs)
        x = layers.BatchNormalization(name="normalized")(x)
        x = layers.Dropout(0.5, name="dropped")(layers.ReLU(name="rectified")(x))
        return keras.Model(inputs, layers.Dense(3, name="head")(layers.Flatten()(x)))

    def test_they_are_a_tapes(self):
        model, x = self.network(), normal(8, 6, 6, 2)
        model.get_layer("dropped").rate = 0.0  # so that the tape need not draw
        labels = RNG.integers(0, 3, 8)
        entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        found = signal_report(model, x, loss=lambda y: entropy(labels, y)).layers
        with tf.GradientTape() as tape:
            value = entropy(labels, model(x, training=True))
        by = dict(
            zip(
                [v.path for v in model.trainable_variables],
                tape.gradient(value, [v.value for v in model.trainable_variables]),
                strict=True,
            )
        )
        for layer in found:
            if layer.laws:
                wanted = np.linalg.norm(by[f"{layer.name}/kernel"])
                assert layer.kernel_gradient == pytest.approx(wanted, rel=1e-5)
        names = [layer.name for layer in found]
        assert names == ["conv", "normalized", "rectified", "head"]  # dropout handed it on

    def test_of_activations(self):
        """``L = mean(y^2)`` of a linear chain: ``dL/dh`` is known."""
        inputs = keras.Input((5,))
        hidden = layers.Dense(7, name="hidden")(inputs)
        model = keras.Model(inputs, layers.Dense(3, name="head")(hidden))
        x = normal(9, 5)
        found = signal_report(model, x, loss=lambda y: ops.mean(y**2)).layers
        y = np.array(model(x))
        back = 2 * y / y.size
        assert found[1].gradient == pytest.approx(np.linalg.norm(back), rel=1e-5)
        back = back @ np.array(model.get_layer("head").kernel).T
        assert found[0].gradient == pytest.approx(np.linalg.norm(back), rel=1e-5)

    def test_by_default_they_have_the_size_of_the_jacobian(self):
        inputs = keras.Input((5,))
        head = layers.Dense(40, name="head")
        model = keras.Model(inputs, head(layers.Dense(7, name="hidden")(inputs)))
        found = signal_report(model, normal(500, 5)).layers
        assert found[1].gradient == pytest.approx(40**0.5, rel=0.02)
        norm = np.linalg.norm(np.array(head.kernel))
        assert found[0].gradient == pytest.approx(norm, rel=0.03)

    def first_and_last(self, activation, law, run):
        """Norms of the gradient by the first and last kernel of 20 layers of 32 units."""
        model = deep(activation, lambda seed: law(100 * run + seed), depth=20, width=32)
        x = np.random.default_rng(run).normal(size=(64, 32)).astype("float32")
        found = signal_report(model, x, rows=1, examples=1).layers
        return found[0].kernel_gradient, found[-1].kernel_gradient

    def test_sigmoids_lose_them_by_the_slope_of_mean_field(self):
        """A kernel's is the product of what comes in, and of what comes back."""
        runs = [self.first_and_last("sigmoid", initializers.GlorotUniform, run) for run in range(3)]
        found = np.mean([np.log10(first / last) for first, last in runs])
        field = initializers.MeanField("sigmoid", 1.0)
        theory = field.slope ** (19 / 2) / field.variance**0.5  # E[phi^2] comes in, not 1
        assert found == pytest.approx(np.log10(theory), abs=0.2)
        assert found == pytest.approx(np.log10(2.0e-13 / 9.8e-2), abs=0.2)  # in another program

    def test_of_relu_networks_all_kernels_lose_alike(self):
        """Kernels that are ``c`` times as large give all 20 of them ``c^19`` times as much."""
        glorot = self.first_and_last("relu", initializers.GlorotUniform, 0)
        he = self.first_and_last("relu", initializers.HeUniform, 0)
        np.testing.assert_allclose(np.divide(he, glorot), 2 ** (19 / 2), rtol=1e-4)
        for first, last in (glorot, he):
            assert 0.2 < first / last < 5

    @pytest.mark.parametrize("ends", ["activation", "layer"])
    def test_probabilities_count_as_logits(self, ends):
        def made(softmax):
            inputs = keras.Input((5,))
            activation = "softmax" if softmax and ends == "activation" else None
            x = layers.Dense(4, activation, kernel_initializer="ones", name="head")(inputs)
            x = layers.Softmax(name="softmax")(x) if softmax and ends == "layer" else x
            return keras.Model(inputs, x)

        x = 10 * normal(6, 5)  # probabilities of 0 and 1, without slope
        (logits,) = signal_report(made(False), x).layers
        found = signal_report(made(True), x)
        assert found.layers[0].gradient == logits.gradient
        assert found.layers[-1].mean == pytest.approx(1 / 4)
        np.testing.assert_allclose(found.jacobian.moments.second, 1.0)


class TestJacobian:
    """Of maps that are known."""

    def test_a_linear_map_has_its_singular_values(self):
        inputs = keras.Input((2, 3))
        head = layers.Dense(4, use_bias=False)
        model = keras.Model(inputs, head(layers.Flatten()(inputs)))
        kernel = np.array(head.kernel, "float64")
        found = signal_report(model, normal(5, 2, 3), examples=3).jacobian
        expected = np.linalg.svd(kernel, compute_uv=False)
        np.testing.assert_allclose(found.singular_values, np.tile(expected, (3, 1)), rtol=1e-5)
        assert (found.rows, found.outputs, found.inputs) == (4, 4, 6)
        assert found.moments.mean == pytest.approx(kernel.mean(), rel=1e-5)
        assert found.moments.second == pytest.approx((kernel**2).mean(), rel=1e-5)
        assert found.moments.fourth == pytest.approx((kernel**4).mean(), rel=1e-5)

    def test_orthogonal_layers_are_an_isometry(self):
        report = signal_report(
            deep("linear", lambda seed: initializers.Orthogonal(seed=seed)), normal(8, WIDTH)
        )
        np.testing.assert_allclose(report.jacobian.singular_values, 1.0, atol=1e-4)
        gradients = [layer.gradient for layer in report.layers]
        np.testing.assert_allclose(gradients, gradients[0], rtol=1e-4)

    def test_some_rows_of_many_are_rows(self):
        inputs = keras.Input((6,))
        head = layers.Dense(50, use_bias=False)
        model = keras.Model(inputs, head(inputs))
        found = signal_report(model, normal(3, 6), rows=1, examples=1).jacobian
        norms = np.linalg.norm(np.array(head.kernel), axis=0)
        assert np.isclose(found.singular_values[0, 0], norms, rtol=1e-5).sum() == 1
        assert (found.rows, found.outputs) == (1, 50)

    def test_batch_normalization_holds_the_statistics_of_the_batch(self):
        inputs = keras.Input((3,))
        model = keras.Model(inputs, layers.BatchNormalization(epsilon=0.0)(inputs))
        x = normal(500, 3) * [1.0, 5.0, 25.0] + 3
        found = signal_report(model, x).jacobian.singular_values[0]
        np.testing.assert_allclose(found, np.sort(1 / x.std(axis=0))[::-1], rtol=1e-4)
        moving = signal_report(model, x, training=False).jacobian.singular_values[0]
        np.testing.assert_allclose(moving, 1.0, rtol=1e-6)

    def test_of_integers_it_is_that_of_their_embedding(self):
        inputs = keras.Input((4,), dtype="int32")
        x = layers.Embedding(9, 5, name="embedded")(inputs)
        model = keras.Model(inputs, layers.Dense(2)(layers.Flatten()(x)))
        found = signal_report(model, RNG.integers(0, 9, (6, 4))).jacobian
        kernel = np.array(model.layers[-1].kernel)
        np.testing.assert_allclose(
            found.singular_values[0], np.linalg.svd(kernel, compute_uv=False), rtol=1e-5
        )
        assert found.source == "embedded"

    def test_outputs_that_are_of_no_example_have_none(self):
        inputs = keras.Input((4,))
        model = keras.Model(inputs, ops.sum(layers.Dense(3)(inputs), axis=0))
        assert signal_report(model, normal(5, 4)).jacobian is None


class TestOverTime:
    """Recurrent layers, step by step."""

    def test_steps_are_those_of_the_sequence(self):
        inputs = keras.Input((12, 3))
        x = layers.LSTM(8, return_sequences=True, name="lstm")(inputs)
        model = keras.Model(inputs, x)
        x = normal(20, 12, 3)
        (found,) = signal_report(model, x).layers
        sequence = np.array(model(x), "float64")
        np.testing.assert_allclose(found.steps.variance, sequence.var(axis=(0, 2)), rtol=1e-4)
        np.testing.assert_allclose(found.steps.mean, sequence.mean(axis=(0, 2)), atol=1e-6)
        assert [law.name for law in found.laws] == ["kernel", "recurrent_kernel"]

    @pytest.mark.parametrize(
        ("gain", "diagnosis"),
        [(1.0, "healthy"), (0.5, "vanishing gradients"), (1.5, "exploding")],
    )
    def test_gradients_of_a_linear_one(self, gain, diagnosis):
        """Behind the last step, ``|dL/dh_t|`` is ``gain^(T - t)`` times the last one's."""
        inputs = keras.Input((30, 3))
        law = initializers.Orthogonal(gain, seed=0)
        x = layers.SimpleRNN(8, "linear", recurrent_initializer=law, name="rnn")(inputs)
        report = signal_report(keras.Model(inputs, layers.Dense(4)(x)), normal(6, 30, 3))
        gradients = report.layers[0].steps.gradient
        np.testing.assert_allclose(
            gradients / gradients[-1], gain ** np.arange(29, -1, -1.0), rtol=1e-3
        )
        assert report.diagnosis == diagnosis
        if gain < 1:
            assert "gradients fall by 0.50 a step on their way back: 29 steps leave 1e-9" in (
                report.verdict
            )


class WithSpare(keras.Model):
    """A model with a layer that it calls only if it is told to."""

    def __init__(self, uses_it=False):
        super().__init__(name="with_spare")
        self.hidden, self.spare = layers.Dense(8, name="hidden"), layers.Dense(8, name="spare")
        self.uses_it = uses_it

    def build(self, input_shape):
        self.hidden.build(input_shape)

    def call(self, x):
        return self.spare(self.hidden(x)) if self.uses_it else self.hidden(x)


def test_a_layer_that_is_never_called_does_not_matter():
    model = WithSpare()
    model(normal(3, 4))
    report = signal_report(model, normal(6, 4))
    assert [layer.name for layer in report.layers] == ["hidden"]
    assert not model.spare.built


def test_a_layer_that_is_called_must_be_built(untouched):
    model = WithSpare(uses_it=True)
    model.hidden.build((None, 4))
    model.built = True
    before = untouched(model)
    with pytest.raises(ValueError, match="call it once"):
        signal_report(model, normal(6, 4))
    assert untouched(model) == before


class Mean(keras.Model):
    """One number for all examples, not one for each."""

    def __init__(self):
        super().__init__(name="mean")
        self.hidden = layers.Dense(8, name="hidden")

    def call(self, x):
        return ops.mean(self.hidden(x))


def test_one_number_for_a_batch_is_refused():
    model = Mean()
    model(normal(3, 4))
    with pytest.raises(ValueError, match=r"`model`.*floating-point numbers for each example"):
        signal_report(model, normal(6, 4))


@pytest.mark.parametrize("kind", ["float32", "int32"])
def test_examples_that_are_all_alike_are_refused(kind):
    inputs = keras.Input((4,), dtype=kind)
    x = layers.Embedding(3, 2)(inputs) if kind == "int32" else layers.Dense(3)(inputs)
    with pytest.raises(ValueError, match=r"`batch`.*examples that differ.*16 that are all alike"):
        signal_report(keras.Model(inputs, x), np.ones((16, 4), kind))


class Own(keras.Model):
    """A model that a graph does not show."""

    def __init__(self):
        super().__init__(name="own")
        self.hidden = layers.Dense(8, "relu", name="hidden")
        self.dropped = layers.Dropout(0.5, seed=1, name="dropped")
        self.head = layers.Dense(2, name="head")

    def call(self, x, training=False):
        x = self.hidden(x)
        self.add_loss(ops.sum(x))
        return self.head(self.dropped(x, training=training))


def own():
    model = Own()
    model(normal(3, 4))
    return model, normal(6, 4)


def recurrent():
    inputs = keras.Input((5,), dtype="int32")
    x = layers.Embedding(9, 4, mask_zero=True)(inputs)
    x = layers.Bidirectional(layers.GRU(3, recurrent_dropout=0.1, return_sequences=True))(x)
    cells = layers.StackedRNNCells([layers.GRUCell(3), layers.LSTMCell(4)])
    return keras.Model(inputs, layers.RNN(cells)(x)), RNG.integers(0, 9, (4, 5))


def video():
    inputs = keras.Input((3, 6, 6, 2))
    x = layers.ConvLSTM2D(3, 3, return_sequences=True)(inputs)
    x = layers.TimeDistributed(layers.Conv2D(2, 3))(x)
    return keras.Model(inputs, layers.Dense(3)(layers.Flatten()(x))), normal(4, 3, 6, 6, 2)


def attention():
    inputs = keras.Input((7,), dtype="int32")
    x = layers.Embedding(20, 8)(inputs)
    x = x + layers.MultiHeadAttention(2, 4, dropout=0.1, name="attention")(x, x)
    x = layers.LayerNormalization()(x)
    x = layers.Dense(8, "gelu", kernel_regularizer="l2")(x)
    return keras.Model(inputs, layers.Dense(20, "softmax")(x)), RNG.integers(0, 20, (4, 7))


def graph():
    model = keras_arch.models.GCN(nodes=6, features=4, classes=3, widths=(5,))
    return model, [normal(3, 6, 4), RNG.integers(0, 6, (3, 9, 2)).astype("int32")]


def nested():
    inner = keras.Sequential(
        [keras.Input((6, 6, 2)), layers.Conv2D(3, 3), layers.BatchNormalization()], name="inner"
    )
    inputs = {name: keras.Input((6, 6, 2), name=name) for name in ("left", "right")}
    x = layers.Subtract()([inner(inputs["left"]), inner(inputs["right"])])
    x = layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, {"one": layers.Dense(2)(x), "two": layers.Dense(3)(x)})
    return model, {name: normal(5, 6, 6, 2) for name in inputs}


def half():
    keras.config.set_dtype_policy("mixed_float16")
    inputs = keras.Input((6, 6, 2))
    x = layers.BatchNormalization()(layers.Conv2D(4, 3, activation="relu")(inputs))
    x = layers.Dense(2, dtype="float32")(layers.GlobalAveragePooling2D()(x))
    return keras.Model(inputs, x), normal(5, 6, 6, 2)


MODELS = [own, recurrent, video, attention, graph, nested, half]


@pytest.mark.parametrize("make", MODELS)
def test_any_model_is_shown_and_left_as_it_was(make, untouched):
    model, batch = make()
    model.compile("adam", "mse")
    model.layers[-1].trainable = False
    before = untouched(model)
    flags = [layer.trainable for layer in model._flatten_layers()]
    optimizer = [np.array(v).tolist() for v in model.optimizer.variables]
    report = signal_report(model, batch)
    assert untouched(model) == before
    assert [layer.trainable for layer in model._flatten_layers()] == flags
    assert [np.array(v).tolist() for v in model.optimizer.variables] == optimizer
    assert model.compiled
    assert model.train_function is None
    assert all(np.isfinite([x.mean, x.variance, x.gradient]).all() for x in report.layers)
    kernels = [x for x in report.layers if x.laws]
    assert kernels
    assert all(x.kernel_gradient > 0 for x in kernels)
    assert report.jacobian.moments.second > 0
    again = signal_report(model, batch)
    assert [x.gradient for x in again.layers] == [x.gradient for x in report.layers]


def test_every_part_is_named():
    names = [layer.name for layer in signal_report(*attention()).layers]
    parts = [name.split("/")[1] for name in names if name.startswith("attention/")]
    assert [re.sub(r"_\d+$", "", part) for part in parts] == [  # Keras numbers what has no name
        *("query", "key", "value", "softmax", "attention_output")
    ]
    names = [layer.name for layer in signal_report(*nested()).layers]
    assert [name.endswith("#2") for name in names[:4]] == [False, False, True, True]
    assert names[2] == f"{names[0]}#2"
    steps = [layer.steps for layer in signal_report(*recurrent()).layers if layer.steps is not None]
    assert [len(each.mean) for each in steps] == [5, 5, 5, 5]


def test_jax_gives_the_same_numbers(on_jax):
    inputs = keras.Input((4, 3))
    x = layers.SimpleRNN(4, return_sequences=True, name="rnn")(inputs)
    x = layers.BatchNormalization(name="normalized")(x)
    x = layers.Dense(3, "tanh", name="hidden")(layers.Flatten(name="flat")(x))
    model = keras.Model(inputs, layers.Dense(2, "softmax", name="head")(x))
    batch = normal(5, 4, 3)

    def numbers(model, batch):
        report = signal_report(model, batch)
        return [
            *(x.mean for x in report.layers),
            *(x.variance for x in report.layers),
            *(x.variation for x in report.layers),
            *(x.gradient for x in report.layers),
            *(x.kernel_gradient for x in report.layers),
            *report.jacobian.singular_values.ravel(),
        ]

    theirs = on_jax(numbers, model, batch, "from keras_arch.analysis import signal_report")
    np.testing.assert_allclose(theirs, numbers(model, batch), rtol=1e-4, atol=1e-6)


class TestRefusals:
    """What cannot be observed is refused by name."""

    def test_models(self):
        with pytest.raises(ValueError, match=r"`model`.*keras\.Model"):
            signal_report(layers.Dense(3), normal(4, 3))
        with pytest.raises(ValueError, match=r"`model`.*built"):
            signal_report(keras.Sequential([layers.Dense(3)]), normal(4, 3))
        inputs = keras.Input((3,), dtype="int32")
        with pytest.raises(ValueError, match=r"`model`.*floating-point"):
            signal_report(keras.Model(inputs, inputs + 1), np.eye(4, 3, dtype="int32"))

    @pytest.mark.parametrize(
        ("batch", "message"),
        [
            (np.ones((1, 3)), "at least two examples"),
            (np.ones((4, 5)), r"shapes \[\(None, 3\)\]"),
            (np.ones(4), r"shapes \[\(None, 3\)\]"),
            ([np.ones((4, 3)), np.ones((4, 3))], "shapes"),
            (np.full((4, 3), np.nan), "finite numbers"),
            (None, "arrays of numbers"),
            (np.array([["a"] * 3] * 4), "arrays of numbers"),
        ],
        ids=["one", "size", "rank", "two", "nan", "none", "strings"],
    )
    def test_batches(self, batch, message):
        inputs = keras.Input((3,))
        model = keras.Model(inputs, layers.Dense(2)(inputs))
        with pytest.raises(ValueError, match=f"`batch`.*{message}"):
            signal_report(model, batch)

    @pytest.mark.parametrize("name", ["rows", "examples"])
    def test_numbers(self, name):
        inputs = keras.Input((3,))
        with pytest.raises(ValueError, match=f"`{name}`"):
            signal_report(keras.Model(inputs, layers.Dense(2)(inputs)), normal(4, 3), **{name: 0})
