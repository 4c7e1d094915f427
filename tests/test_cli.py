"""The command line, command by command."""

import json
import pathlib

import keras
import numpy as np
import pytest
from PIL import Image

import keras_arch
from keras_arch import cli
from keras_arch.serving import Server


def said(capsys, *argv):
    cli.main(argv)
    return capsys.readouterr().out


def refused(*argv):
    with pytest.raises(SystemExit) as stopped:
        cli.main(argv)
    return stopped.value.code


def test_list(capsys):
    assert said(capsys, "list").split() == keras_arch.list_models()
    assert said(capsys, "list", "vgg1?").split() == ["VGG11", "VGG13", "VGG16", "VGG19"]
    assert "GCN" in said(capsys, "list", "--task", "node-classification").split()
    assert "VGG" not in said(capsys, "list", "--room", "graph").split()


def test_info_and_cite(capsys):
    text = said(capsys, "info", "ResNet50")
    assert "Deep Residual Learning" in text
    assert "25,636,712" in text
    assert json.loads(said(capsys, "info", "ResNet50", "--json"))["year"] == 2016
    assert said(capsys, "cite", "ResNet50").strip() == keras_arch.cite("ResNet50")


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("info", "ResNet5O"), "ResNet50"),
        (("cite", "VGG15"), "VGG16"),
        (("train", "vision.classfy"), "vision.classify"),
        (("export", "no_such.keras", "served"), "no_such.keras"),
        (("export", "ResNet5O", "served"), "ResNet50"),
        (("prepare", "cifra10"), "cifar10"),
        (("predict", "digits", "no_such.png", "--server", "ftp://here"), "grpc://"),
    ],
)
def test_a_mistake_is_one_line_that_helps(argv, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    message = refused(*argv)
    assert message.startswith("keras-arch: ")
    assert words in message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("argv", [("list", "--no-such-option"), ("no-such-command",), ()])
def test_an_unknown_argument_is_a_usage_error(argv, capsys):
    assert refused(*argv) == 2
    assert "usage: keras-arch" in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", ["list", "info", "cite", "prepare", "train", "export", "serve", "predict"]
)
def test_help_teaches(command, capsys):
    assert command in (said_help := _help(capsys))
    assert "examples:" in said_help
    assert refused(command, "--help") in (0, None)
    assert "usage" in capsys.readouterr().out.lower()


def _help(capsys):
    assert refused("--help") == 0
    return capsys.readouterr().out


def test_train_lists_recipes(capsys):
    lines = said(capsys, "train").splitlines()
    assert [line.split()[0] for line in lines] == keras_arch.recipes.names()


def test_train_teaches_and_lists(capsys):
    assert refused("train", "--help") == 0
    out = capsys.readouterr().out
    assert out.startswith("usage: keras-arch train")
    assert "\nvision.classify " in out
    assert refused("train", "--seed=1") == 2


def test_train_passes_options_on(tmp_path, capsys):
    out = said(capsys, "train", "graph.gcn_karate", "--steps", "2", "--output", f"{tmp_path}/run")
    assert "accuracy" in out
    assert json.loads((tmp_path / "run" / "run.json").read_text())["options"]["steps"] == 2


@pytest.fixture
def trained(tmp_path):
    """A file whose model says 1 for a white image, and 0 for a black one."""
    image = keras.Input((4, 4, 1), name="image")
    x = keras.layers.GlobalAveragePooling2D(name="pool")(image)
    head = keras.layers.Dense(2, "softmax", name="head")
    model = keras.Model(image, head(x), name="shade")
    head.set_weights([np.array([[-9.0, 9.0]]), np.array([4.5, -4.5])])
    model.save(tmp_path / "shade.keras")
    return tmp_path / "shade.keras"


@pytest.mark.parametrize("protocol", ["grpc", "http"])
def test_export_serve_predict(trained, tmp_path, capsys, protocol):
    path = said(capsys, "export", str(trained), str(tmp_path / "served")).strip()
    assert path.endswith("1")
    shades = {"black": 0, "white": 255}
    for name, level in shades.items():
        Image.fromarray(np.full((4, 4), level, "uint8")).save(tmp_path / f"{name}.png")
    files = [str(tmp_path / f"{name}.png") for name in shades]
    with Server(tmp_path / "served", "shade") as server:
        port = {"grpc": server.grpc_port, "http": server.rest_port}[protocol]
        address = f"{protocol}://127.0.0.1:{port}"
        lines = said(capsys, "predict", "shade", *files, "--server", address, "--top", "1")
        assert [line.split(": ")[1][0] for line in lines.splitlines()] == ["0", "1"]
        message = refused("predict", "no_such_model", *files, "--server", address)
        assert "no_such_model" in message


def test_export_takes_the_options_of_the_function(trained, tmp_path, capsys):
    (tmp_path / "names.txt").write_text("dark\nlight\n")
    levels = np.linspace(0, 1, 60, dtype="float32").reshape(60, 1, 1, 1)
    np.save(tmp_path / "images.npy", np.broadcast_to(levels, (60, 4, 4, 1)))
    argv = ["export", str(trained), str(tmp_path / "served"), "--optimize=fold+bf16"]
    argv += ["--signatures=top_k", f"--class_names={tmp_path / 'names.txt'}"]
    assert "calibration" in refused(*argv)
    argv += [f"--calibration={tmp_path / 'images.npy'}"]
    path = pathlib.Path(said(capsys, *argv).strip())
    manifest = json.loads((path / "assets.extra" / "manifest.json").read_text())
    assert manifest["optimize"] == "fold+bf16"
    assert manifest["signatures"] == ["serving_default", "top_k"]
    assert "'fold+bf16'" in refused(*argv[:3], "--optimize=fast")


def test_predict_without_a_server_says_so(tmp_path):
    image = tmp_path / "a.png"
    Image.fromarray(np.zeros((4, 4), "uint8")).save(image)
    message = refused("predict", "digits", str(image), "--server", "http://127.0.0.1:9")
    assert message.startswith("keras-arch: ")


def test_serve_refuses_what_it_cannot_serve(tmp_path, capsys):
    status = refused("serve", f"--model_base_path={tmp_path}/none", "--model_name=none")
    assert status not in (0, None)
