"""Memory runs out, of the GPU and of the machine."""

import json

import numpy as np
import pytest
import torch

from sentiment_pl import faults
from sentiment_pl.models import SentimentModule
from sentiment_pl.predict import main
from tests.helpers import NO_EVENTS, SMALL, refusal, timeless

RUN = [*SMALL, "trainer.max_epochs=2", "data.batch_size=96", "model.hidden=8", *NO_EVENTS]


def of_a_gpu():
    raise torch.OutOfMemoryError(
        "CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has a total capacity of 79.15 GiB"
        " of which 10.69 GiB is free. Including non-PyTorch memory, this process has 68.44 GiB"
        " memory in use. Of the allocated memory 60.00 GiB is allocated by PyTorch, and 7.00 GiB is"
        " reserved by PyTorch but unallocated. If reserved but unallocated memory is large try"
    )


def of_cublas():
    raise RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`")


def of_torch():
    torch.empty(10**15)


def of_numpy():
    np.empty(10**15)


@pytest.fixture(scope="module")
def whole(tmp_path_factory, run_command):
    """The record of a run that has enough memory."""
    folder = tmp_path_factory.mktemp("whole")
    run_command("train", *RUN, "hydra.run.dir=run", cwd=folder)
    return timeless(json.loads((folder / "run" / "metrics.json").read_text()))


@pytest.mark.parametrize(
    ("allocate", "words"),
    [
        (
            of_a_gpu,
            "out of memory on the GPU (CUDA out of memory. Tried to allocate 20.00 GiB. GPU 0 has"
            " a total capacity of 79.15 GiB of which 10.69 GiB is free). ",
        ),
        pytest.param(
            of_cublas,
            "out of memory on the GPU (CUDA error: CUBLAS_STATUS_ALLOC_FAILED",
            marks=pytest.mark.slow,
        ),
        (of_torch, "out of memory on this machine (DefaultCPUAllocator: can't allocate memory"),
        (of_numpy, "out of memory on this machine (Unable to allocate 7.11 PiB"),
    ],
)
def test_a_run_without_memory_names_the_cause(
    in_process, tmp_path, monkeypatch, whole, allocate, words
):
    train = SentimentModule.training_step

    def greedy(self, batch, batch_idx):
        if self.trainer.current_epoch == 1 and batch_idx == 2:
            allocate()
        return train(self, batch, batch_idx)

    with monkeypatch.context() as patch:
        patch.setattr(SentimentModule, "training_step", greedy)
        output = in_process("train", *RUN, "hydra.run.dir=run", code=1)
    assert words in output
    assert "grows with data.batch_size=96, data.max_tokens=400, model.hidden=8: " in output
    assert "trainer.precision=bf16-mixed" in output
    assert "Traceback" not in output
    assert words in (tmp_path / "run" / "error.txt").read_text()
    assert "going on from" in in_process("train", *RUN, "hydra.run.dir=run")
    assert timeless(json.loads((tmp_path / "run" / "metrics.json").read_text())) == whole


def test_a_sweep_outlives_a_run_without_memory(in_process, tmp_path, monkeypatch):
    train = SentimentModule.training_step

    def greedy(self, batch, batch_idx):
        return of_a_gpu() if self.hparams["hidden"] == 16 else train(self, batch, batch_idx)

    monkeypatch.setattr(SentimentModule, "training_step", greedy)
    # It takes longer than the runs.
    monkeypatch.setattr("sentiment_pl.reports.writing.report", lambda *_: None)
    output = in_process(
        "train", "-m", *RUN, "trainer.max_epochs=1", "model.hidden=16,4", "hydra.sweep.dir=s",
        code=1,
    )  # fmt: skip
    assert "model.hidden=16 failed: out of memory on the GPU" in output
    assert "Traceback" not in output
    assert [path.parent.name for path in (tmp_path / "s").glob("*/metrics.json")] == [
        "model.hidden=4"
    ]


def test_half_precision_is_not_advised_twice(in_process, monkeypatch):
    monkeypatch.setattr(SentimentModule, "training_step", lambda *_: of_a_gpu())
    output = in_process(
        "train", *RUN, "trainer.precision=bf16-mixed", "model=windowed_attention",
        "model.hidden=[4]", "model.window=null", code=1,
    )  # fmt: skip
    assert "trainer.precision" not in output
    assert "model.hidden=[4], model.window=null: lower one of them" in output


def test_a_text_that_is_too_long_for_memory(capsys, saved, monkeypatch):
    monkeypatch.setattr(SentimentModule, "read", lambda *_: of_torch())
    message = refusal(capsys, main, saved("gru"), "a text")
    assert "out of memory on this machine" in message
    assert "shorter texts" in message


def test_an_evaluation_without_memory(in_process, saved, monkeypatch):
    monkeypatch.setattr(SentimentModule, "test_step", lambda *_: of_torch())
    output = in_process("evaluate", f"checkpoint={saved('gru')}", *SMALL, code=1)
    assert "out of memory on this machine" in output
    assert "Lower data.batch_size or data.max_tokens" in output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    "error",
    [RuntimeError("mat1 and mat2 shapes cannot be multiplied"), KeyError("memory"), OSError("x")],
)
def test_what_is_a_bug_stays_one(error):
    assert faults.explain(error, memory="") is None
