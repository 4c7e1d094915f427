"""One directory of prepared sets for all tests of the data room."""

import pytest


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory):
    return tmp_path_factory.mktemp("sets")
