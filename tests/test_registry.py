"""The catalogue's own behaviour."""

import inspect
import pickle

import keras
import pytest

import keras_arch
from keras_arch import models, registry


@pytest.fixture
def catalogue(monkeypatch):
    monkeypatch.setattr(registry, "_ENTRIES", dict(registry._ENTRIES))


FACTS = {"paper": "A Paper on Nets", "authors": "Doe, Roe", "year": 1999, "url": "https://x.org"}


def test_a_model_of_yours_is_found_like_ours(catalogue):
    @keras_arch.register(**FACTS, task="toys", presets={"Mine2": {"units": 2}})
    def Mine(units=1, name="mine"):
        x = keras.Input((3,), name="x")
        return keras.Model(x, keras.layers.Dense(units, name="head")(x), name=name)

    assert keras_arch.list_models("mine*") == ["Mine", "Mine2"]
    assert keras_arch.list_models(task="toys") == ["Mine", "Mine2"]
    assert keras_arch.create("Mine2").output_shape == (None, 2)
    assert keras_arch.create("Mine2", units=4).output_shape == (None, 4)
    assert keras_arch.create("Mine2").name == "mine2"


@pytest.mark.parametrize("presets", [{}, {"DenseNet121": {}}])
def test_a_name_is_taken_once(catalogue, presets):
    before = dict(registry._ENTRIES)

    def New():
        pass

    New.__module__ = models.DenseNet.__module__
    New.__name__ = "New" if presets else "DenseNet"
    with pytest.raises(ValueError, match="already in the catalogue"):
        keras_arch.register(**FACTS, presets=presets)(New)
    assert before == registry._ENTRIES  # nothing of it was entered


@pytest.mark.parametrize("name", ["Densenet121", "densenet-121", "DenseNet12"])
def test_a_misspelt_name_gets_the_nearest(name):
    with pytest.raises(ValueError, match=r"such as one of .*'DenseNet121'"):
        keras_arch.create(name)


def test_an_unknown_argument_is_a_type_error():
    with pytest.raises(TypeError, match="dephts"):
        keras_arch.create("DenseNet121", dephts=(1, 1))


def test_list_models():
    every = keras_arch.list_models()
    assert every == sorted(every)
    assert {"DenseNet", "DenseNet121", "GCN", "GAN"} <= set(every)
    assert "GraphConvolution" not in every  # a layer
    assert keras_arch.list_models("DENSENET1?1") == ["DenseNet121", "DenseNet161"]
    assert set(keras_arch.list_models(room="graph")) >= {"GCN", "GCNCora"}
    assert "GCN" in keras_arch.list_models(task="node-classification")
    assert keras_arch.list_models(room="no such room") == []


def test_presets_are_functions():
    preset = models.DenseNet121
    assert inspect.isfunction(preset)
    assert preset.__name__ == "DenseNet121"
    assert pickle.loads(pickle.dumps(preset)) is preset
    assert {"DenseNet121", "DenseNet"} <= set(models.__all__) & set(dir(models))
    parameters = inspect.signature(preset).parameters
    assert parameters["depths"].default == (6, 12, 24, 16)
    assert parameters["name"].default == "densenet121"
    assert list(parameters) == list(inspect.signature(models.DenseNet).parameters)
    for argument in parameters:
        assert f"{argument}: " in preset.__doc__


def test_info_and_cite():
    facts = keras_arch.info("DenseNet121")
    assert facts["parameters"] == {"DenseNet121": 8_062_504}
    assert facts["presets"] == {"DenseNet121": {"depths": (6, 12, 24, 16)}}
    assert (facts["year"], facts["room"]) == (2017, "models.vision")
    assert facts["tasks"] == ["image-classification"]
    assert len(keras_arch.info("DenseNet")["presets"]) > 5
    assert keras_arch.cite("DenseNet121") == (
        "@inproceedings{huang2017densely,\n"
        "  title = {{Densely Connected Convolutional Networks}},\n"
        "  author = {Huang and Liu and van der Maaten and Weinberger},\n"
        "  booktitle = {CVPR},\n"
        "  year = {2017},\n"
        "  url = {https://arxiv.org/abs/1608.06993}\n}"
    )


@pytest.mark.parametrize("entry", keras_arch.entries(), ids=lambda e: f"{e.room}.{e.name}")
def test_everything_can_be_cited(entry):
    text = keras_arch.cite(entry.name, entry.room)
    assert text.count("{") == text.count("}")
    assert str(entry.year) in text


def test_a_preset_may_have_a_publication_of_its_own(catalogue):
    other = {"paper": "Another Member", "authors": "Two", "year": 2002}

    @keras_arch.register(**FACTS, presets={"Old": {}, "New": {}}, publications={"New": other})
    def CitedFamily(name="cited"):
        """Nothing."""

    assert keras_arch.info("New")["paper"] == "Another Member"
    assert keras_arch.cite("New").startswith("@misc{two2002another,")
    assert (
        keras_arch.info("Old")["paper"] == keras_arch.info("CitedFamily")["paper"] == FACTS["paper"]
    )


@pytest.mark.parametrize("entry", keras_arch.entries(), ids=lambda entry: entry.name)
def test_what_is_said_of_presets_is_of_presets_that_exist(entry):
    assert entry.publications.keys() <= entry.presets.keys()
    assert entry.parameters.keys() <= {entry.name, *entry.presets}
