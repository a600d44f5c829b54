"""The names of the files in a run folder stand in one place; conf/ agrees with it."""

from pathlib import Path

from omegaconf import OmegaConf

from sentiment_pl.runs import file_names
from tests.helpers import composed


def test_conf_writes_to_the_files_of_these_names():
    cfg = composed()
    callbacks = OmegaConf.to_container(cfg.callbacks, resolve=False)
    for key in ("checkpoint", "last_checkpoint"):
        assert callbacks[key]["dirpath"] == f"${{run_dir}}/{file_names.CHECKPOINTS}"
    log = OmegaConf.to_container(cfg.hydra.job_logging, resolve=False)["handlers"]["file"]
    assert Path(log["filename"]).name == file_names.LOG
    assert callbacks["checkpoint"]["filename"] == Path(file_names.BEST).stem
