"""Calls that come later: all of them, in their order, by one thread that does not stay for ever."""

import threading

import pytest

from codeintel_ls.git.alarms import Alarms
from tests.waiting import until

SECONDS = 30.0


def kinds() -> list[str]:
    return [thread.name for thread in threading.enumerate()]


@pytest.fixture
def alarms():
    return Alarms(idle_seconds=0.2)


def test_they_come_in_the_order_of_their_times(alarms):
    heard: list[int] = []
    last = threading.Event()
    before = kinds().count("git-alarms")
    alarms.after(0.3, lambda: (heard.append(3), last.set()))
    alarms.after(0.1, lambda: heard.append(1))
    alarms.after(0.2, lambda: heard.append(2))
    assert kinds().count("git-alarms") == before + 1
    assert last.wait(SECONDS)
    assert heard == [1, 2, 3]


def test_what_is_cancelled_does_not_come(alarms):
    heard: list[str] = []
    last = threading.Event()
    alarm = alarms.after(0.05, lambda: heard.append("cancelled"))
    alarms.after(0.2, last.set)
    alarm.cancel()
    assert alarm.cancelled
    assert last.wait(SECONDS)
    assert heard == []


def test_a_call_may_set_the_next(alarms):
    last = threading.Event()
    alarms.after(0.0, lambda: alarms.after(0.0, last.set))
    assert last.wait(SECONDS)


def test_the_thread_ends_and_begins_again(alarms):
    before = kinds().count("git-alarms")
    for _ in range(2):
        heard = threading.Event()
        alarms.after(0.0, heard.set)
        assert heard.wait(SECONDS)
        until(lambda: kinds().count("git-alarms") <= before)


def test_many_at_once_all_come(alarms):
    done = threading.Semaphore(0)
    threads = [
        threading.Thread(target=lambda: [alarms.after(0.01, done.release) for _ in range(50)])
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for _ in range(400):
        assert done.acquire(timeout=SECONDS)


def test_one_that_fails_keeps_no_other_from_coming(alarms, caplog):
    last = threading.Event()

    def fail():
        raise RuntimeError("not today")

    alarms.after(0.0, fail)
    alarms.after(0.05, last.set)
    assert last.wait(SECONDS)
    assert "not today" in caplog.text


def test_a_thread_that_cannot_be_started_is_tried_again(alarms, monkeypatch):
    def refuse(_: threading.Thread):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError):
            alarms.after(0.0, list)
    last = threading.Event()
    alarms.after(0.0, last.set)
    assert last.wait(SECONDS)
