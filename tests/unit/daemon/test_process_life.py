"""How a process ends, in processes of their own."""

import os
import subprocess
import sys
import threading

from codeintel_ls.daemon.process_life import watch_process

SECONDS = 30.0


def run(code: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=SECONDS)


def sleeper() -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])


def test_a_thread_that_hangs_does_not_keep_the_process():
    done = run(
        "import threading, time\n"
        "from codeintel_ls.daemon.process_life import exit_hard_after\n"
        "threading.Thread(target=time.sleep, args=(600,)).start()\n"
        "exit_hard_after(0.1, 7)\n"
    )
    assert done.returncode == 7


def test_the_end_of_a_watched_process_is_noticed():
    process, ended = sleeper(), threading.Event()
    watch_process(process.pid, ended.set)
    assert not ended.is_set()
    process.kill()
    assert ended.wait(SECONDS)
    process.wait()


def test_a_process_that_is_not_there_is_not_watched():
    process = sleeper()
    process.kill()
    process.wait()
    before, ended = threading.active_count(), threading.Event()
    for pid in (process.pid, 0, -1, os.getpid()):
        watch_process(pid, ended.set)
    assert threading.active_count() == before
    assert not ended.is_set()


def test_standard_output_is_the_protocols_alone():
    done = run(
        "import os, subprocess, sys\n"
        "from codeintel_ls.daemon.process_life import reserve_stdin, reserve_stdout\n"
        "reserve_stdin()\n"
        "out = reserve_stdout()\n"
        "print('python', flush=True)\n"
        "os.write(1, b'native')\n"
        "subprocess.run([sys.executable, '-c', 'print(\"child\")'])\n"
        "os.write(out, b'protocol')\n"
    )
    assert done.stdout == b"protocol"
    for words in (b"python", b"native", b"child"):
        assert words in done.stderr
