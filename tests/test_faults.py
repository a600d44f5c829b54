"""What goes wrong outside of us: full and read-only disks, spoilt files, numbers that are none."""

import contextlib
import json
import shutil
import subprocess

import numpy as np
import pytest
import torch

from sentiment_pl import predict, report
from sentiment_pl.errors import mendable
from sentiment_pl.runs import folder as runs
from sentiment_pl.runs.predictions import write_predictions
from sentiment_pl.runs.states import read_run
from tests.helpers import NO_EVENTS, NO_FIGURES, SMALL, refusal

RUN = [*SMALL, *NO_EVENTS, "model=mlp", "trainer.max_epochs=2", "hydra.run.dir=run"]


@pytest.fixture
def disk(tmp_path):
    """Mount a small file system; return a function that does so."""
    mounted = []

    def mount(options):
        folder = tmp_path / f"disk{len(mounted)}"
        folder.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def in_words(done):
    """Return what a command printed, which is no trace."""
    output = done if isinstance(done, str) else done.stdout + done.stderr
    assert "Traceback" not in output
    return output


def test_no_room_for_a_checkpoint(command, disk):
    folder = disk("size=600k")  # the embedding alone takes 200 kB, the optimiser twice that
    run = [  # without logs, which fill it as well
        *SMALL, *NO_FIGURES, "model=mlp", "trainer.max_epochs=2", "logger=none",
        f"hydra.run.dir={folder}/run",
    ]  # fmt: skip
    output = in_words(command("train", *run, code=1))
    assert "last.ckpt cannot be written" in output or "best.ckpt cannot be written" in output
    assert "No space left on device" in output
    assert not list(folder.rglob(".partial-*"))
    subprocess.run(["mount", "-o", "remount,size=50m", str(folder)], check=True)
    command("train", *run)
    assert (folder / "run" / "metrics.json").exists()


def test_no_room_for_the_cache(command, disk):
    folder = disk("size=40k")
    output = in_words(command("train", *RUN, f"data.cache_dir={folder}", code=1))
    assert "No space left on device" in output
    assert "data.cache_dir=" in output
    subprocess.run(["mount", "-o", "remount,size=50m", str(folder)], check=True)
    command("train", *RUN, f"data.cache_dir={folder}")
    assert not list(folder.rglob(".partial-*"))


def test_no_room_for_a_record(disk):
    folder = disk("size=64k")
    runs.begin(folder, {"model": {"hidden": 4}}, 0)
    before = (folder / "settings.json").read_text()
    with (folder / "filler").open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"0" * 4096):
            pass
    ids = np.arange(1000)
    for write in (
        lambda: runs.write_record(folder, {"seed": 0, "history": list(range(3000))}),
        lambda: write_predictions(folder, ids, ids % 2, np.linspace(-1, 1, 1000)),
    ):
        with pytest.raises(OSError) as caught:
            write()
        assert "No space left on device" in str(mendable(caught.value))
        assert not list(folder.glob(".partial-*"))
    assert read_run(folder).state == "interrupted"
    assert (folder / "settings.json").read_text() == before


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_no_room_for_scores(disk, saved, tmp_path, suffix, capsys):
    folder = disk("size=64k")
    (tmp_path / "in.csv").write_text(
        "id,text\n" + "".join(f"{i},good film\n" for i in range(20_000))
    )
    (folder / f"out.{suffix}").write_text("precious")
    message = refusal(
        capsys, predict.main, saved("mlp"), "--file", tmp_path / "in.csv", "--overwrite",
        "--output", folder / f"out.{suffix}",
    )  # fmt: skip
    assert "No space left on device. Nothing that was complete is lost" in message
    assert [path.read_text() for path in folder.iterdir()] == ["precious"]


def test_no_room_for_a_report(disk, small_run, capsys):
    folder = disk("size=64k")
    message = refusal(capsys, report.main, small_run[0], "--output", folder / "report")
    assert "No space left on device. Nothing that was complete is lost" in message
    assert "--output" in message
    assert not list(folder.iterdir())


@pytest.mark.parametrize("several", [False, True])
def test_a_folder_that_cannot_be_written(command, disk, several):
    folder = disk("ro")
    where = "hydra.sweep.dir" if several else "hydra.run.dir"
    arguments = ["-m", "seed=0,1"] if several else []
    output = in_words(command("train", *arguments, *RUN[:-1], f"{where}={folder}/new", code=1))
    assert f"{folder}/new cannot be written: Read-only file system" in output
    assert f"{where}=" in output


def cut_short(path):
    path.write_bytes(path.read_bytes()[:-2000])


def not_ours(path):
    torch.save({"state_dict": {}, "epoch": 3}, path)


def a_pickle(path):
    torch.save({"payload": print}, path)


def of_other_weights(path):
    checkpoint = torch.load(path, weights_only=True)
    checkpoint["state_dict"]["embedding.weight"] = torch.zeros(3, 3)
    checkpoint["sentiment_pl"]["version"] = "0.0.1"
    torch.save(checkpoint, path)


def weights_alone(path):
    checkpoint = torch.load(path, weights_only=True)
    del checkpoint["optimizer_states"]
    torch.save(checkpoint, path)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (cut_short, "cannot be read as a checkpoint: it is cut short"),
        (not_ours, "not one that sentiment_pl wrote"),
        (a_pickle, "holds more than weights"),
        (of_other_weights, "written by sentiment_pl 0.0.1, has other weights"),
        (weights_alone, "nothing to go on from"),
    ],
)
def test_a_checkpoint_that_a_run_cannot_go_on_from(in_process, tmp_path, small_run, spoil, words):
    folder, settings = small_run
    shutil.copytree(folder, tmp_path / "run")
    run = [*settings, "hydra.run.dir=run"]
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    (tmp_path / "run" / "metrics.json").unlink()
    spoil(last)
    spoilt = last.read_bytes()
    output = in_words(in_process("train", *run, code=1))
    assert words in output
    assert str(last) in output
    assert "resume=never" in output
    assert last.read_bytes() == spoilt
    in_process("train", *run, "resume=never")


def test_a_checkpoint_of_another_version_is_gone_on_from_with_a_warning(
    in_process, tmp_path, small_run
):
    folder, settings = small_run
    shutil.copytree(folder, tmp_path / "run")
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    (tmp_path / "run" / "metrics.json").unlink()
    checkpoint = torch.load(last, weights_only=True)
    checkpoint["sentiment_pl"]["version"] = "0.0.1"
    torch.save(checkpoint, last)
    assert "was written by sentiment_pl 0.0.1" in in_words(
        in_process("train", *settings, "hydra.run.dir=run")
    )


def test_a_cache_with_flipped_bytes_is_built_again(in_process, tmp_path):
    run = [*RUN[:-1], "data.cache_dir=cache"]
    in_process("train", *run, "hydra.run.dir=first")
    (arrow,) = (tmp_path / "cache").rglob("train/*.arrow")
    content = bytearray(arrow.read_bytes())
    content[len(content) // 2] ^= 1
    arrow.write_bytes(content)
    output = in_words(in_process("train", *run, "hydra.run.dir=second"))
    assert "its files are not what was written" in output
    assert str(arrow.parents[1]) in str(tmp_path / output.split(": its files")[0].splitlines()[-1])
    figures = [json.loads((tmp_path / r / "metrics.json").read_text())["test"]
               for r in ("first", "second")]  # fmt: skip
    assert figures[0] == figures[1]
    assert "its files" not in in_words(in_process("train", *run, "hydra.run.dir=third"))


def test_a_cache_whose_files_were_purged_is_built_again(in_process, tmp_path):
    run = [*RUN[:-1], "data.cache_dir=cache"]
    in_process("train", *run, "hydra.run.dir=first")
    for path in (tmp_path / "cache").rglob("*"):
        if path.is_file():
            path.unlink()
    output = in_words(in_process("train", *run, "hydra.run.dir=second"))
    assert "its files are not what was written" in output


def test_a_cache_folder_that_is_a_file(in_process, tmp_path):
    (tmp_path / "file").write_text("")
    output = in_words(in_process("train", *RUN, "data.cache_dir=file/cache", code=1))
    assert "cannot be made: Not a directory. Choose another one with data.cache_dir=" in output
    assert "Traceback" not in output


def test_a_loss_that_is_no_number(in_process, tmp_path):
    output = in_process(
        "train", *RUN, "optimizer.lr=1e30", "trainer.gradient_clip_val=null", "schedule=constant",
        "callbacks.last_checkpoint.every_minutes=0", code=1,
    )  # fmt: skip
    in_words(output)
    assert "the training loss is nan at step" in output
    assert "batch" in output
    assert "trainer.detect_anomaly=true" in output
    last = tmp_path / "run" / "checkpoints" / "last.ckpt"
    assert f"The last good checkpoint: {last}" in output
    assert "the training loss is nan" in (tmp_path / "run" / "error.txt").read_text()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_requested_gpu_that_does_not_exist(in_process, tmp_path):
    output = in_words(
        in_process("train", *RUN, "trainer=gpu", "trainer.accelerator=gpu", "data.seed=5", code=1)
    )
    assert "trainer.accelerator, trainer.devices: No supported gpu backend found" in output
    assert "trainer=cpu" in output
    assert "preparing" not in output
