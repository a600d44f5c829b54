"""What a run that fails leaves behind."""

from tests.helpers import NO_FIGURES, SMALL


def test_a_setting_that_only_the_model_refuses_leaves_no_folder(in_process, tmp_path):
    printed = in_process("train", *SMALL, "model=mlp", "model.hidden=[0]", code=1)
    assert "model.hidden" in printed
    assert list((tmp_path / "outputs" / "runs").iterdir()) == []


def test_a_folder_with_files_of_the_users_own_is_kept(in_process, tmp_path):
    mine = tmp_path / "mine" / "notes.txt"
    mine.parent.mkdir()
    mine.write_text("mine")
    for folder in ("mine", "."):
        in_process("train", *SMALL, "model=mlp", "model.hidden=[0]", f"hydra.run.dir={folder}",
                   code=1)  # fmt: skip
    assert mine.read_text() == "mine"


def test_the_working_folder_is_kept(in_process, tmp_path, monkeypatch):
    in_process("train", *SMALL, "model=mlp", "model.hidden=[0]", "hydra.run.dir=.", code=1)
    assert tmp_path.is_dir()


def test_a_sweep_names_it_and_goes_on(in_process, tmp_path):
    in_process(
        "train", "-m", *SMALL, *NO_FIGURES, "model=mlp", "model.hidden=[0],[4]",
        "trainer.max_epochs=1", "hydra.sweep.dir=sweep", code=1,
    )  # fmt: skip
    assert len(list((tmp_path / "sweep").glob("*/error.txt"))) == 1
    assert len(list((tmp_path / "sweep").glob("*/metrics.json"))) == 1
