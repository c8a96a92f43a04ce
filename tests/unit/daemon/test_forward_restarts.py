"""How often a daemon is started again."""

import pytest

from codeintel_ls.daemon.connect_restarts import MOST, WITHIN_SECONDS, Restarts


def test_the_first_comes_at_once_and_each_after_a_longer_pause():
    restarts = Restarts()
    given = [restarts.pause(0.0) for _ in range(MOST)]
    assert given[0] == 0
    pauses = [pause for pause in given if pause is not None]
    assert len(pauses) == MOST
    assert sorted(set(pauses)) == pauses, "each longer than the one before"


def test_too_many_in_a_short_time_are_none_until_there_is_room():
    restarts = Restarts()
    for second in range(MOST):
        restarts.pause(float(second))
    assert restarts.pause(10.0) is None
    assert restarts.until_room(10.0) == pytest.approx(WITHIN_SECONDS - 10)
    assert restarts.pause(WITHIN_SECONDS) is not None
    assert restarts.pause(WITHIN_SECONDS) is None


def test_accidents_that_lie_apart_are_mended_at_once():
    restarts = Restarts()
    assert {restarts.pause(number * WITHIN_SECONDS) for number in range(100)} == {0.0}
