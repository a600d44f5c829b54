"""A run folder that was moved, and a run that goes on from the checkpoint of another."""

import re
import shutil
from pathlib import Path

import pytest
import torch

from sentiment_pl.training.checkpoint_files import AtomicCheckpointIO
from tests.helpers import NO_EVENTS, SMALL
from tests.training.runs import DROPOUTS, assert_same, trained

RUN = [
    *DROPOUTS, "model=mlp", "trainer.max_epochs=4", "data.batch_size=96",
    # The first epoch is the best: no other one has a higher F1, and it must not be forgotten.
    "monitor=val/f1", "callbacks.early_stopping.patience=9",
]  # fmt: skip


@pytest.fixture(scope="module")
def whole_run(tmp_path_factory):
    """A copy of the folder of a run after the second of four epochs, and how the run ended.

    The whole run is moved away, so that nothing stands at the paths that checkpoints name.
    """
    base = tmp_path_factory.mktemp("base")
    folder, copy = base / "run", base / "copy"
    save = AtomicCheckpointIO.save_checkpoint

    def spy(self, checkpoint, path, storage_options=None):
        save(self, checkpoint, path, storage_options)
        if str(path).endswith("last.ckpt") and checkpoint["epoch"] == 1:
            shutil.copytree(folder, copy)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AtomicCheckpointIO, "save_checkpoint", spy)
        whole = trained(folder, *RUN)
    folder.rename(base / "whole")
    state = states(copy / "checkpoints" / "last.ckpt")
    assert state["best_model_path"] == str(folder / "checkpoints" / "best.ckpt")
    for run in (copy, base / "whole"):
        assert torch.load(run / "checkpoints" / "best.ckpt", weights_only=True)["epoch"] == 0
    return copy, whole


@pytest.fixture
def interrupted(tmp_path, whole_run):
    """A folder as a kill would leave it, and the weights and figures that the run would have."""
    copy, whole = whole_run
    yield shutil.copytree(copy, tmp_path / "copy"), whole
    shutil.rmtree(copy.parent / "run", ignore_errors=True)


def states(path):
    callbacks = torch.load(path, weights_only=True)["callbacks"]
    return next(state for key, state in callbacks.items() if key.startswith("ModelCheckpoint"))


def listing(folder):
    return {
        path.relative_to(folder): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }  # fmt: skip


def test_a_run_folder_that_was_moved_goes_on(interrupted, tmp_path, recwarn):
    copy, whole = interrupted
    moved = copy.rename(tmp_path / "elsewhere")
    again = trained(moved, *RUN, f"ckpt_path={moved}/checkpoints/last.ckpt")
    assert_same(again, whole)
    state = states(moved / "checkpoints" / "last.ckpt")
    assert state["best_model_path"] == str(moved / "checkpoints" / "best.ckpt")
    assert not [str(w.message) for w in recwarn if "dirpath" in str(w.message)]


@pytest.mark.parametrize("stands", ["where it was written", "beside the checkpoint"])
def test_a_run_goes_on_from_another_and_leaves_that_as_it_was(interrupted, tmp_path, stands):
    other, whole = interrupted
    if stands == "where it was written":
        written = states(other / "checkpoints" / "last.ckpt")["best_model_path"]
        shutil.copytree(other, Path(written).parents[1])
        (other / "checkpoints" / "best.ckpt").unlink()
    before = listing(other)
    again = trained(tmp_path / "new", *RUN, f"ckpt_path={other}/checkpoints/last.ckpt")
    assert_same(again, whole)
    assert (tmp_path / "new" / "checkpoints" / "best.ckpt").exists()
    assert listing(other) == before


@pytest.mark.parametrize("lost", ["gone", "replaced by a later one"])
def test_a_lost_best_checkpoint_is_reported(interrupted, tmp_path, caplog, lost):
    other, _ = interrupted
    best = other / "checkpoints" / "best.ckpt"
    if lost == "gone":
        best.unlink()
    else:
        checkpoint = torch.load(best, weights_only=True)
        (state,) = (
            s for key, s in checkpoint["callbacks"].items() if key.startswith("ModelCheckpoint")
        )
        state["best_k_models"] = {key: value + 1 for key, value in state["best_k_models"].items()}
        torch.save(checkpoint, best)
    trained(tmp_path / "new", *RUN, f"ckpt_path={other}/checkpoints/last.ckpt")
    assert "the best checkpoint so far" in caplog.text
    assert "the best of the epochs that follow counts" in caplog.text
    state = states(tmp_path / "new" / "checkpoints" / "last.ckpt")
    assert state["best_model_path"] == str(tmp_path / "new" / "checkpoints" / "best.ckpt")


def test_the_command_goes_on_in_a_folder_that_was_moved(in_process, tmp_path, monkeypatch):
    run = [*SMALL, *NO_EVENTS, *RUN]
    in_process("train", *run, "hydra.run.dir=run", "trainer.max_epochs=2")
    (tmp_path / "run" / "metrics.json").unlink()
    best = (tmp_path / "run" / "checkpoints" / "best.ckpt").read_bytes()
    (tmp_path / "run").rename(tmp_path / "moved")
    output = in_process("train", *run, "hydra.run.dir=moved", "trainer.max_epochs=2")
    assert "going on from" in output
    assert (tmp_path / "moved" / "metrics.json").exists()
    assert (tmp_path / "moved" / "checkpoints" / "best.ckpt").read_bytes() == best
    assert not (tmp_path / "run").exists()


def test_a_complete_run_without_its_best_checkpoint_has_one_in_the_end(in_process, tmp_path):
    run = [*SMALL, *NO_EVENTS, "model=mlp", "trainer.max_epochs=1", "hydra.run.dir=run"]
    in_process("train", *run)
    (tmp_path / "run" / "metrics.json").unlink()
    (tmp_path / "run" / "checkpoints" / "best.ckpt").unlink()
    output = in_process("train", *run)
    assert "the best of the epochs that follow counts, or else the last one" in output
    best, last = (
        torch.load(tmp_path / "run" / "checkpoints" / f"{name}.ckpt", weights_only=True)
        for name in ("best", "last")
    )
    assert all(torch.equal(best["state_dict"][key], last["state_dict"][key])
               for key in last["state_dict"])  # fmt: skip


BEGUN = [*SMALL, *NO_EVENTS, "model=mlp", "schedule=constant"]
"""With a schedule that leaves open how long the next run is."""


SIZED = [*BEGUN, "data.vocab_size=300", "trainer.max_epochs=1"]
"""With a vocabulary of one size, as most are."""


@pytest.fixture(scope="module")
def complete(tmp_path_factory, run_command):
    """The folder of two complete runs."""
    folder = tmp_path_factory.mktemp("complete")
    run_command("train", *BEGUN, "trainer.max_epochs=1", "hydra.run.dir=other", cwd=folder)
    run_command("train", *SIZED, "hydra.run.dir=sized", cwd=folder)
    return folder


@pytest.fixture
def other(tmp_path, complete):
    """The last checkpoint of a complete run, from which another may begin."""
    return shutil.copytree(complete / "other", tmp_path / "other") / "checkpoints" / "last.ckpt"


def test_a_run_that_began_with_another_goes_on_from_its_own(in_process, other, tmp_path):
    cold = [*BEGUN, "trainer.max_epochs=2", "hydra.run.dir=run"]
    run = [*cold, f"ckpt_path={other}"]
    output = in_process("train", *run)
    assert "going on from" not in output
    (tmp_path / "run" / "metrics.json").unlink()
    output = in_process("train", *run)
    assert f"going on from {tmp_path}/run/checkpoints/last.ckpt" in output
    # What it began with is one of its settings, so that no report takes it for one that began cold.
    output = in_process("train", *cold, code=1)
    assert "ckpt_path was checkpoint " in output


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (["data.seed=1"], "has another vocabulary than this run"),
        (["data.words=characters"], "cuts texts into words by another rule"),
        (["optimizer.lr=1e-5", "optimizer.weight_decay=0.5"],
         r"other settings \(optimizer.lr was 0.003, is 1e-05,"
         r" optimizer.weight_decay was 0.01, is 0.5\)"),
    ],
)  # fmt: skip
def test_a_run_that_the_other_does_not_fit_is_refused(in_process, complete, overrides, words):
    path = complete / "sized" / "checkpoints" / "last.ckpt"
    output = in_process("train", *SIZED, *overrides, f"ckpt_path={path}", code=1)
    assert re.search(words, output)
    assert "Nothing was changed" in output
    assert "Traceback" not in output


def test_another_number_of_processes_is_refused(in_process, other):
    checkpoint = torch.load(other, weights_only=True)
    checkpoint["running_metrics"] *= 2
    torch.save(checkpoint, other)
    output = in_process("train", *BEGUN, f"ckpt_path={other}", code=1)
    assert "was saved by 2 processes, this run has 1: start as many as then" in output


def test_a_requested_checkpoint_is_not_deleted(in_process, other):
    output = in_process(
        "train", *BEGUN, f"ckpt_path={other}", "resume=never", "hydra.run.dir=other", code=1
    )
    assert "leave one of the two out" in output
    assert other.exists()
