"""GradientFlow on JAX and on two replicas: the numbers are those of a step by hand."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

HERE = pathlib.Path(__file__).parent


@pytest.mark.parametrize(("where", "backend"), [("jax", "jax"), ("replicas", "tensorflow")])
def test_numbers_and_weights(tmp_path, where, backend):
    done = subprocess.run(
        [sys.executable, HERE / "flow_elsewhere.py", where, tmp_path],
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1]), "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    for name, found in json.loads(done.stdout.splitlines()[-1]).items():
        assert set(found["same"]) == {True}, name
        assert found["alarms"] == []
        assert found.get("without_tensorflow", True)
        assert len(found["wanted"]) == 4
        for step, wanted in enumerate(found["wanted"]):
            for tag, value in wanted.items():
                logged = found["logged"][tag]
                assert len(logged) == 4, tag
                if tag.startswith("log10_"):  # 1e-5 of the number itself
                    close = {"rtol": 0, "atol": 1e-5 / np.log(10)}
                else:  # of a mean, single precision knows the size of what was added
                    close = {"rtol": 1e-5, "atol": 1e-6}
                np.testing.assert_allclose(logged[step], value, err_msg=tag, **close)
