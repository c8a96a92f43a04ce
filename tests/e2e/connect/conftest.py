"""A forwarder between two ends that a test holds."""

import pytest

from tests.e2e.connect.fake_daemon import FakeDaemon, forwarder


@pytest.fixture
def daemon(tmp_path):
    daemon = FakeDaemon(tmp_path)
    yield daemon
    daemon.close()


@pytest.fixture
def editor(environment, daemon):
    pipe = forwarder(environment, daemon.path)
    yield pipe
    pipe.close()
