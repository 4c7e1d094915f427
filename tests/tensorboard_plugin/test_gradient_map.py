"""The tab "Gradient map": its routes, and the page in a browser."""

import json
import threading
import time
import urllib.error
import urllib.request
import warnings

import keras
import numpy as np
import pytest
from tensorboard_plugin.browser import PATH, page

from keras_arch.callbacks import GradientFlow
from keras_arch.callbacks.depth_map import COLOURS, coloured

with warnings.catch_warnings():  # of what TensorBoard brings with it
    warnings.simplefilter("ignore", DeprecationWarning)
    from tensorboard import default, program

    from keras_arch.tensorboard_plugin.plugin import GradientMap

LAYERS, STEPS = 24, 12


def train(folder, activation, law):
    """A deep chain, a few steps; every step is recorded."""
    keras.utils.set_random_seed(0)
    image = x = keras.Input((32,), name="image")
    for index in range(LAYERS - 1):
        x = keras.layers.Dense(
            32, activation, kernel_initializer=law(seed=index), name=f"d{index}"
        )(x)
    model = keras.Model(image, keras.layers.Dense(3, name="head")(x))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(1e-3), loss, jit_compile=False)
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(16 * STEPS, 32)).astype("float32"), rng.integers(0, 3, 16 * STEPS)
    model.fit(x, y, batch_size=16, verbose=0, callbacks=[GradientFlow(folder, every=1)])


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """Of a TensorBoard with a healthy run and a sick one."""
    logs = tmp_path_factory.mktemp("logs")
    train(logs / "healthy", "relu", keras.initializers.HeNormal)
    train(logs / "sick", "sigmoid", keras.initializers.GlorotUniform)
    board = program.TensorBoard(plugins=[*default.get_static_plugins(), GradientMap])
    argv = ["", "--logdir", str(logs), "--port", "0", "--load_fast=false", "--host", "127.0.0.1"]
    board.configure(argv=argv)
    server = board._make_server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.get_url().rstrip("/")
    server.shutdown()


def get(address, route):
    with urllib.request.urlopen(
        f"{address}/data/plugin/gradient_map/{route}", timeout=30
    ) as answer:
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        return answer.read()


@pytest.fixture(scope="module")
def maps(address):
    """What the page reads, once TensorBoard has read the logs."""
    for _ in range(100):
        found = json.loads(get(address, "maps"))["runs"]
        if len(found) == 2:
            return found
        time.sleep(0.2)
    raise AssertionError(f"TensorBoard found {list(found)}")


def test_the_data_are_the_scalars(maps):
    assert list(maps) == ["healthy/gradient_flow", "sick/gradient_flow"]
    for found in maps.values():
        assert found["steps"] == list(range(STEPS))
        assert len(found["layers"]) == LAYERS
        assert found["layers"][0] == "000_d0"
        assert found["layers"][-1] == "023_head"
        assert np.shape(found["values"]) == (LAYERS, STEPS)
    healthy, sick = (np.array(found["values"]) for found in maps.values())
    assert np.median(healthy) > -2
    assert sick[0].max() < -9  # the first layer, of a net of sigmoids
    assert sick[-1].min() > -2


def test_routes(address, maps):
    assert b"export async function render" in get(address, "page.js")
    ratios = json.loads(get(address, "maps?kind=update_ratio"))
    assert set(ratios["runs"]) == set(maps)
    assert "gradient_norm" in ratios["kinds"]
    with pytest.raises(urllib.error.HTTPError, match="400"):
        get(address, "maps?kind=../etc/passwd")
    with urllib.request.urlopen(f"{address}/data/plugins_listing", timeout=30) as answer:
        listed = json.load(answer)["gradient_map"]
    assert listed["enabled"]
    assert listed["tab_name"] == "Gradient map"
    assert listed["loading_mechanism"]["module_path"].endswith("/gradient_map/page.js")


def decades(pixels):
    """Which decade a colour stands for: the next one of the scale."""
    known = np.linspace(-8, 1, 901)
    scale = coloured(known).astype(int)
    return known[[np.abs(scale - pixel).sum(axis=1).argmin() for pixel in np.array(pixels)]]


@pytest.mark.skipif(PATH is None, reason="no Chromium or Chrome on the path")
def test_the_page_in_a_browser(address, maps, tmp_path):
    with page(tmp_path / "profile") as tab:
        tab.open(f"{address}/data/plugin_entry.html?name=gradient_map")
        tab.wait_for("document.querySelectorAll('canvas').length == 2")
        seen = tab.evaluate(
            """Array.from(document.querySelectorAll('canvas')).map(canvas => ({
                run: canvas.dataset.run, width: canvas.width, height: canvas.height,
                pixels: Array.from(canvas.getContext('2d')
                    .getImageData(0, 0, canvas.width, canvas.height).data),
                labels: Array.from(canvas.previousSibling.children).map(x => x.textContent)}))"""
        )
        tips = tab.evaluate(
            """Array.from(document.querySelectorAll('canvas')).map(canvas => {
                const box = canvas.getBoundingClientRect();
                canvas.dispatchEvent(new MouseEvent('mousemove',
                    {clientX: box.right - 1, clientY: box.top + 1}));
                return document.getElementById('tip').textContent;})"""
        )
    assert [one["run"] for one in seen] == list(maps)
    medians = []
    for one, tip in zip(seen, tips, strict=True):
        found = maps[one["run"]]
        assert (one["height"], one["width"]) == (LAYERS, STEPS)  # one row a kernel
        assert one["labels"] == found["layers"]
        pixels = np.reshape(one["pixels"], (-1, 4))[:, :3]
        values = np.array(found["values"])
        np.testing.assert_allclose(pixels, coloured(values).reshape(-1, 3), atol=1)
        medians.append(np.median(decades(pixels)))
        layer, step, value = tip.split("\n")
        assert (layer, step) == ("000_d0", f"step {STEPS - 1}")
        assert float(value.split(" = ")[1]) == pytest.approx(10 ** values[0, -1], rel=0.01)
    assert medians[0] - medians[1] >= 4
    assert len(COLOURS) == 10
