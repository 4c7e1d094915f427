"""What the tools decide by themselves; their numbers are made by hand."""

import importlib.machinery
import importlib.util
import json
import math
import pathlib
import sys

import keras
import numpy as np
import pytest

import keras_arch

TOOLS = pathlib.Path(__file__).parents[2] / "tools"
ANSWERS = TOOLS.parent / "tests" / "models" / "vision" / "answers.json"


@pytest.fixture
def tool(monkeypatch):
    """Import a tool, without the environment that it makes for itself."""
    monkeypatch.syspath_prepend(str(TOOLS))
    environment = importlib.import_module("environment")
    monkeypatch.setattr(environment, "enter", lambda *_, **__: None)

    def load(name):
        loader = importlib.machinery.SourceFileLoader(f"tool_{name}", str(TOOLS / name))
        module = importlib.util.module_from_spec(
            importlib.util.spec_from_loader(loader.name, loader)
        )
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        loader.exec_module(module)
        return module

    return load


class TestClassifiers:
    @pytest.fixture
    def classifiers(self, tool, tmp_path, monkeypatch):
        module = tool("classifiers")
        monkeypatch.setattr(module, "RUNS", tmp_path)
        monkeypatch.setattr(module, "TABLE", tmp_path / "table.md")
        return module

    @pytest.mark.parametrize(
        ("tried", "best"),
        [
            ({0.01: (0.9, 0.3), 0.03: (0.95, 0.4), 0.1: (0.94, 0.1)}, 0.03),
            ({0.01: (0.95, 0.3), 0.03: (0.95, 0.2), 0.1: (0.95, 0.4)}, 0.03),
            ({0.01: (0.1, math.nan), 0.03: (0.1, 2.3), 0.1: (0.1, math.nan)}, 0.03),
        ],
        ids=["accuracy", "then loss", "which may be none"],
    )
    def test_the_best_rate(self, classifiers, tried, best):
        records = {
            rate: dict(zip(("accuracy", "loss"), x, strict=True)) for rate, x in tried.items()
        }
        assert classifiers.best_rate(records) == best

    def test_what_is_finished_is_not_repeated(self, classifiers, monkeypatch):
        asked = []

        class Model:
            def count_params(self):
                return 1_234

        def trained(name, rate, seed, epochs, parts):
            asked.append((rate, seed, epochs, parts))
            if len(asked) == 5:
                raise KeyboardInterrupt
            return Model(), {"accuracy": 0.9 + rate, "loss": 0.1}

        class Macs:
            total = 5_000_000

        monkeypatch.setattr(classifiers, "trained", trained)
        monkeypatch.setattr(keras_arch.analysis, "count_macs", lambda model: Macs)
        with pytest.raises(KeyboardInterrupt):
            classifiers.train_family("LeNet5")
        assert classifiers.row("LeNet5") is None
        classifiers.train_family("LeNet5")
        choice, whole = ("train[:80%]", "train[80%:]"), ("train", "test")
        assert asked == [
            *[(rate, 0, classifiers.BRIEF, choice) for rate in (0.01, 0.03, 0.1)],
            *[(0.1, seed, classifiers.EPOCHS, whole) for seed in (0, 1, 1, 2)],  # 1 was broken off
        ]
        assert classifiers.row("LeNet5") is None  # its time is missing
        classifiers.keep(
            classifiers.RUNS / "LeNet5" / "time.json", classifiers.timing("LeNet5"), ratio=0.5
        )
        line, good = classifiers.row("LeNet5")
        assert line == (
            "| LeNet5 | 1.0000 | 1.0000, 1.0000, 1.0000 | 0.1 | 1,234 | 5.00 M | 0.50 |\n"
        )
        assert good

    def test_another_size_or_budget_is_another_training(self, classifiers, tmp_path):
        wanted = classifiers.settings("LeNet5", rate=0.1)
        path = tmp_path / "record.json"
        assert classifiers.kept(path, wanted) is None
        classifiers.keep(path, wanted, accuracy=0.5)
        assert classifiers.kept(path, wanted)["accuracy"] == 0.5
        for other in ({**wanted, "rate": 0.2}, {**wanted, "size": {"variant": "original"}}):
            assert classifiers.kept(path, other) is None

    @pytest.mark.parametrize(("exempt", "missed"), [({}, ["LeNet5"]), ({"LeNet5": "old"}, [])])
    def test_who_misses_the_target_is_named(self, classifiers, exempt, missed, monkeypatch):
        low = ("| LeNet5 |\n", "LeNet5" in exempt)
        monkeypatch.setattr(classifiers, "row", lambda name: low if name == "LeNet5" else None)
        monkeypatch.setattr(classifiers, "EXEMPT", exempt)
        assert classifiers.write_table(["LeNet5", "VGG"]) == (missed, ["VGG"])
        assert ("- LeNet5: old." in classifiers.TABLE.read_text()) == bool(exempt)


def test_the_stopwatch_turns_the_order(tool, monkeypatch):
    stopwatch = importlib.import_module("stopwatch")
    called = []
    functions = {name: lambda name=name: called.append(name) for name in "abc"}
    seconds = stopwatch.in_turn(functions, 4, warmup=1)
    assert "".join(called) == "abc" + "abc" + "bca" + "cab" + "abc"
    assert {name: len(values) for name, values in seconds.items()} == dict.fromkeys("abc", 4)
    assert stopwatch.ratio({"a": [1, 8, 3], "b": [2, 2, 3]}, "a", "b") == 1


class TestBenchmark:
    def test_both_have_the_models(self, tool):
        assert {"ResNet50", "ResNet50V2", "DenseNet121", "VGG16"} <= set(
            tool("benchmark").presets()
        )

    def test_the_limits(self, tool):
        slower = tool("benchmark").slower
        good = {"training": 1.1, "training_control": 1.08, "inference": 1.0}
        good |= {"inference_control": 0.98, "building": 1.2}
        assert slower(good) == []
        assert slower({**good, "training": 1.12}) == ["training"]
        assert slower({**good, "inference_control": 0.97}) == ["inference"]
        assert slower({**good, "building": 1.21}) == ["building"]


class TestParity:
    @pytest.mark.parametrize("answer", json.loads(ANSWERS.read_text()), ids=lambda a: a["preset"])
    def test_answers_are_whole(self, answer):
        assert len(answer["logits"]) == 5
        assert len(answer["input"]) == 3
        assert answer["reference"]
        assert 0 < answer["gain"] <= 1

    def test_an_answer_is_compared(self, tool, tmp_path):
        parity = tool("parity")
        (answer,) = (
            a
            for a in json.loads(ANSWERS.read_text())
            if a["preset"] == "ResNet20CIFAR" and a["reference"].startswith("pytorchcv")
        )
        line, error = parity.beside_answer(answer)
        assert "| 272,474 | 272,474 |" in line
        assert error < parity.TOLERANCE
        _, error = parity.beside_answer({**answer, "arguments": {"shortcut": "padding"}})
        assert error > 1e-3

    def test_all_that_both_have_is_compared(self, tool):
        made, _ = tool("parity").comparisons(None)
        names = {name for name, _, what in made if what == name}
        assert {"VGG19", "ResNet152", "ResNet101V2", "DenseNet201"} <= names


def test_what_is_timed_is_a_step_and_an_answer(tool):
    tool("benchmark")  # beside it
    stopwatch = importlib.import_module("stopwatch")
    image = keras.Input((3,))
    model = keras.Model(image, keras.layers.Dense(2, "softmax", name="head")(image))
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy")
    x, y = np.eye(3, dtype="float32"), np.array([0, 1, 1])
    before = stopwatch.inference(model, x)()
    np.testing.assert_allclose(before, model(x), rtol=1e-5)
    step = stopwatch.training_step(model, x, y)
    losses = [step() for _ in range(5)]
    assert losses == sorted(losses, reverse=True)
    assert int(model.optimizer.iterations) == 5
    assert (stopwatch.inference(model, x)() != before).all()
