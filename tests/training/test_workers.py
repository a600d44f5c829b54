"""Processes that load batches die or fail in the middle of a run."""

import json
import os
import signal
import subprocess
import sys

import pytest
from torch._utils import ExceptionWrapper
from torch.utils.data import get_worker_info

from sentiment_pl import faults
from sentiment_pl.data.batching import EncodedReviews
from sentiment_pl.errors import DataError
from tests.helpers import NO_EVENTS, SMALL, timeless

RUN = [
    *SMALL, *NO_EVENTS, "model=mlp", "trainer.max_epochs=2", "data.batch_size=96",
    "data.num_workers=2",
]  # fmt: skip

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="workers are forked, with what is patched here"
)


def killed():
    os.kill(os.getpid(), signal.SIGKILL)


def left():
    os._exit(3)


def failed():
    raise LookupError("a wrong\nturn")


def out_of_memory():
    raise MemoryError("Unable to allocate 8.00 GiB for an array")


@pytest.fixture(scope="module")
def whole(tmp_path_factory, run_command):
    """The record of a run that loses no worker."""
    folder = tmp_path_factory.mktemp("whole")
    run_command("train", *RUN, "hydra.run.dir=run", cwd=folder)
    return timeless(json.loads((folder / "run" / "metrics.json").read_text()))


@pytest.mark.parametrize(
    ("fate", "words"),
    [
        (killed, "a worker process that loads batches died (killed by signal: Killed)"),
        pytest.param(
            left,
            "a worker process that loads batches died (exited unexpectedly",
            marks=pytest.mark.slow,
        ),
        (failed, "a worker process that loads batches failed: LookupError: a wrong turn. "),
        (out_of_memory, "out of memory on this machine (Unable to allocate 8.00 GiB for an array)"),
    ],
)
def test_a_run_whose_worker_is_lost_goes_on(in_process, tmp_path, monkeypatch, whole, fate, words):
    fetch = EncodedReviews.__getitems__
    fetched = []

    def spoilt(self, rows):
        if get_worker_info() is not None and len(self) > 200:  # the training split
            fetched.append(rows)
            if len(fetched) == 4:  # of the five batches of an epoch a worker sees two or three
                fate()
        return fetch(self, rows)

    with monkeypatch.context() as patch:
        patch.setattr(EncodedReviews, "__getitems__", spoilt)
        output = in_process("train", *RUN, "hydra.run.dir=run", code=1)
    assert words in output
    assert "Traceback" not in output
    assert "data.num_workers=0" in output or "data.batch_size=96" in output
    assert "it goes on from the last checkpoint" in output
    assert words in (tmp_path / "run" / "error.txt").read_text()
    assert (tmp_path / "run" / "checkpoints" / "last.ckpt").exists()  # of the first epoch
    assert "going on from" in in_process("train", *RUN, "hydra.run.dir=run")
    assert not (tmp_path / "run" / "error.txt").exists()
    assert timeless(json.loads((tmp_path / "run" / "metrics.json").read_text())) == whole


def test_no_room_for_batches_in_shared_memory(tmp_path, cache):
    """Nor does the training wait for ever for a batch that cannot be sent."""
    small = "mount -t tmpfs -o size=64k tmpfs /dev/shm && exec "
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", f'{small} "$@"', "sh", sys.executable, "-m",
         "sentiment_pl.train", *RUN, "hydra.run.dir=run"],
        cwd=tmp_path, env={**os.environ, "SENTIMENT_PL_CACHE": str(cache), "OMP_NUM_THREADS": "1"},
        capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    output = done.stdout + done.stderr
    if "unshare:" in output or "mount:" in output:
        pytest.skip(f"/dev/shm cannot be replaced here: {output.strip()}")
    assert done.returncode == 1, output
    assert "a worker process that loads batches died (unable to allocate shared memory" in output
    assert "room in /dev/shm" in output
    assert "Traceback" not in output


def test_a_worker_that_dies_while_it_hands_over_a_batch(in_process, monkeypatch):
    """Where the loader sees the end of the connection before that of the process."""

    def cut_off(self):
        raise ConnectionResetError(104, "Connection reset by peer")

    monkeypatch.setattr("multiprocessing.resource_sharer.DupFd.detach", cut_off)
    output = in_process("train", *RUN, "hydra.run.dir=run", code=1)
    assert "a worker process that loads batches died (why is unknown)" in output
    assert "Traceback" not in output


def test_errors_in_a_ring():
    one, other = ValueError("one"), ValueError("other")
    one.__context__, other.__cause__ = other, one
    assert faults.explain(one, memory="") is None
    one.__cause__ = DataError("that")
    one.__cause__.__context__ = other
    assert str(faults.explain(one, memory="")) == "that"


def test_a_known_error_is_reported_without_the_trace_of_the_worker():
    def raised_in_a_worker(error):
        try:
            try:
                raise error
            except Exception:
                ExceptionWrapper(where="in DataLoader worker process 0").reraise()
        except Exception as error:
            return error

    error = faults.explain(raised_in_a_worker(DataError("x.csv, line 3: no\ntext")), memory="")
    assert str(error) == "x.csv, line 3: no\ntext"
    error = faults.explain(raised_in_a_worker(KeyError()), memory="")
    assert "failed: KeyError. data.num_workers=0" in str(error)
