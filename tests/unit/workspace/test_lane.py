"""A lane: every job ends and is told so, whatever befalls the thread between two of them."""

import threading

from codeintel_ls.workspace.lane import Job, Lane


def test_the_lane_outlives_what_fails_while_it_is_idle() -> None:
    failed = threading.Semaphore(0)

    def idle() -> None:
        failed.release()
        raise OSError

    lane = Lane("lane", idle=idle, idle_seconds=0.001)
    assert failed.acquire(timeout=10)
    assert failed.acquire(timeout=10)
    job = lane.add("work", lambda _: None)
    assert job.ended.wait(10)
    lane.close()


def test_a_job_that_was_cancelled_in_the_queue_stands_for_nothing() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def first(_job: Job) -> None:
        begun.set()
        go_on.wait(10)

    lane = Lane("lane")
    lane.add("first", first)
    assert begun.wait(10)
    waiting = lane.add("rescan", lambda _: None)
    assert lane.has_waiting("rescan")
    waiting.cancellation.cancel()
    assert not lane.has_waiting("rescan")
    go_on.set()
    assert waiting.ended.wait(10)
    lane.close()


def test_closing_ends_every_job() -> None:
    begun = threading.Event()

    def first(job: Job) -> None:
        begun.set()
        stopped = threading.Event()
        with job.cancellation.stopping(stopped.set):
            stopped.wait(10)
        job.cancellation.raise_if_cancelled()

    lane = Lane("lane")
    jobs = [lane.add("first", first), lane.add("second", lambda _: None)]
    assert begun.wait(10)
    lane.close()
    jobs.append(lane.add("late", lambda _: None))
    assert all(job.ended.is_set() and job.error for job in jobs)
