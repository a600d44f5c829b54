"""Whatever checkpoints are kept, where and under which names: a run goes on, and can be used."""

import shutil
from pathlib import Path

import pytest
import torch

from sentiment_pl.models import load_checkpoint
from sentiment_pl.runs import kept_checkpoints as run_checkpoints
from sentiment_pl.training.checkpoint_files import AtomicCheckpointIO
from tests.training.runs import EVERY_BATCH, points, ran

FEW_BATCHES = ["data.train=270", "callbacks.dashboard.graph=false",
               "callbacks.dashboard.projector=0"]  # fmt: skip
"""Three batches an epoch: the first one, one in the middle, and the last one."""

EMA = ["+callbacks.ema._target_=lightning.pytorch.callbacks.EMAWeightAveraging",
       "+callbacks.ema.decay=0.8"]  # fmt: skip

OPTIONS = {
    "averaged weights": EMA,
    "weights alone": ["+callbacks.checkpoint.save_weights_only=true"],
    "averaged weights alone": [*EMA, "+callbacks.checkpoint.save_weights_only=true"],
    "a name with a metric": ["callbacks.checkpoint.filename='{epoch}-{val/auc:.3f}'"],
    "the best three": ["+callbacks.checkpoint.save_top_k=3"],
}
MORE_OPTIONS = {
    "as they come": [],
    "weights alone under a name": ["+callbacks.checkpoint.save_weights_only=true",
                                   "callbacks.checkpoint.filename='e{epoch}'"],
    "all": ["+callbacks.checkpoint.save_top_k=-1"],
    "none": ["+callbacks.checkpoint.save_top_k=0"],
    "no best one": ["~callbacks.checkpoint"],
    "the last one under a name": ["+callbacks.last_checkpoint.filename='e{epoch}'"],
    "every last one": ["+callbacks.last_checkpoint.filename='e{epoch}'",
                       "+callbacks.last_checkpoint.save_top_k=-1"],
    "no further last one": ["+callbacks.last_checkpoint.save_top_k=0"],
    "elsewhere": ["callbacks.checkpoint.dirpath=${run_dir}/kept"],
    "the last one elsewhere": ["callbacks.last_checkpoint.dirpath=${run_dir}/kept"],
    "versions": ["callbacks.checkpoint.enable_version_counter=true"],
    "versions of the best two": ["callbacks.checkpoint.enable_version_counter=true",
                                 "+callbacks.checkpoint.save_top_k=2"],
    "save_last": ["+callbacks.checkpoint.save_last=true"],
    "a linked save_last": ["+callbacks.checkpoint.save_last=link"],
    "save_last of weights": ["+callbacks.checkpoint.save_last=true",
                             "+callbacks.checkpoint.save_weights_only=true"],
    "by steps": ["+callbacks.checkpoint.every_n_train_steps=2",
                 "callbacks.checkpoint.filename='s{step}'"],
    "every second epoch": ["+callbacks.checkpoint.every_n_epochs=2"],
    "by the loss": ["callbacks.checkpoint.monitor=val/loss"],
    "the latest": ["callbacks.checkpoint.monitor=null"],
    "on an error": ["+callbacks.checkpoint.save_on_exception=true"],
    "a second one": ["+callbacks.other._target_=lightning.pytorch.callbacks.ModelCheckpoint",
                     "+callbacks.other.dirpath=${run_dir}/checkpoints",
                     "+callbacks.other.monitor=val/f1", "+callbacks.other.filename=f1"],
    "validation within the epoch": ["+trainer.val_check_interval=2",
                                    "callbacks.checkpoint.filename='{epoch}-{step}'"],
    "averaged weights, validation within the epoch": [*EMA, "+trainer.val_check_interval=2"],
    "averaged weights by epochs": [*EMA, "+callbacks.ema.update_starting_at_epoch=1",
                                   "+callbacks.ema.update_every_n_steps=2"],
    "no loggers": ["logger={}", "~callbacks.lr_monitor"],
}  # fmt: skip


def weights(folder, name):
    path = run_checkpoints.best(folder) if name == "best" else run_checkpoints.last(folder)
    return torch.load(path, weights_only=True)["state_dict"]


def states_of(folder, monkeypatch, *overrides):
    """Train, keeping the folder as it is whenever there is something new to go on from."""
    saved = []
    save = AtomicCheckpointIO.save_checkpoint

    def spy(self, checkpoint, path, storage_options=None):
        save(self, checkpoint, path, storage_options)
        if Path(path) == run_checkpoints.last_path(folder):
            saved.append(folder.parent / f"saved-{len(saved)}")
            shutil.copytree(folder, saved[-1], symlinks=True)

    with monkeypatch.context() as patched:
        patched.setattr(AtomicCheckpointIO, "save_checkpoint", spy)
        whole = ran(folder, *overrides)
    return whole, saved


@pytest.mark.parametrize(
    ("overrides", "step"),
    [*(pytest.param(value, 6, id=key) for key, value in OPTIONS.items()),
     *(pytest.param(value, 1, id=key, marks=pytest.mark.slow)
       for key, value in (OPTIONS | MORE_OPTIONS).items())],
)  # fmt: skip
def test_any_mix_of_checkpoint_options_resumes(tmp_path, monkeypatch, overrides, step):
    folder = tmp_path / "run"
    overrides = [EVERY_BATCH, *(FEW_BATCHES if step == 1 else []), *overrides]
    logged = "logger={}" not in overrides
    whole, saved = states_of(folder, monkeypatch, *overrides)
    best, last = weights(folder, "best"), weights(folder, "last")
    curves = points(folder) if logged else None
    # What was measured is what the best checkpoint holds.
    read = load_checkpoint(folder).state_dict()
    assert all(torch.equal(read[key], best[key]) for key in read)
    assert len(saved) > 5
    for state in saved[4 if step > 1 else 0 :: step]:
        shutil.rmtree(folder)
        shutil.copytree(state, folder, symlinks=True)
        again = ran(folder, *overrides, f"ckpt_path={folder}")
        assert again == whole
        for name, before in (("best", best), ("last", last)):
            now = weights(folder, name)
            assert all(torch.equal(now[key], before[key]) for key in before), name
        if logged:
            assert points(folder)[0] == curves[0]
            assert sorted(map(str, points(folder)[1])) == sorted(map(str, curves[1]))
