"""Encoded images through both protocols, against Pillow and numpy."""

import base64
import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from tests.serving.test_grpc import predict_request
from tests.serving.wire import rest, stubs


@pytest.fixture(scope="module")
def pictures():
    """Pixels and their PNGs."""
    pixels = np.random.default_rng(0).integers(0, 256, (3, 8, 8, 3), "uint8")
    return pixels, [encoded(image, "PNG") for image in pixels]


def encoded(pixels, kind):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def test_png_over_both_protocols(eye, eye_server, pictures):
    pixels, files = pictures
    expected = eye[0](pixels.astype("float32") / 255)
    request = predict_request("eye", {"image_bytes": np.array(files, object)}, "serving_bytes")
    with stubs(eye_server) as (service, _):
        response = service.Predict(request, timeout=30)
    np.testing.assert_allclose(
        tf.make_ndarray(response.outputs["head"]), expected, atol=1e-5, rtol=0
    )
    rows = [{"b64": base64.b64encode(file).decode()} for file in files]
    body = {"signature_name": "serving_bytes", "instances": rows}
    _, answer = rest(eye_server, "/v1/models/eye:predict", body)
    np.testing.assert_allclose(answer["predictions"], expected, atol=1e-5, rtol=0)


def test_other_sizes_and_kinds(eye, eye_server):
    grey = np.full((20, 30), 51, "uint8")  # one colour survives any resizing
    files = [encoded(grey, "PNG"), encoded(np.dstack([grey] * 3), "JPEG")]
    rows = [{"b64": base64.b64encode(file).decode()} for file in files]
    body = {"signature_name": "serving_bytes", "instances": rows}
    _, answer = rest(eye_server, "/v1/models/eye:predict", body)
    expected = eye[0](np.full((2, 8, 8, 3), 51 / 255, "float32"))
    np.testing.assert_allclose(answer["predictions"], expected, atol=1e-5, rtol=0)


def test_what_is_no_image(eye_server):
    body = {"signature_name": "serving_bytes", "instances": [{"b64": "AAAA"}]}
    status, answer = rest(eye_server, "/v1/models/eye:predict", body)
    assert status == 400
    assert "Unknown image file format" in answer["error"]
