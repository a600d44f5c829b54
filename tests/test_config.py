"""What is done with the command line and the configuration before anything runs."""

from sentiment_pl import config


def test_paths_with_an_equals_sign_are_quoted(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("model.hidden=4,seed=0", "seed=1", "plain"):
        (tmp_path / name).mkdir()
    for typed, taken in {
        "checkpoint=model.hidden=4,seed=0": "checkpoint='model.hidden=4,seed=0'",
        "checkpoint=[model.hidden=4,seed=0,seed=1,plain]":
            "checkpoint=['model.hidden=4,seed=0','seed=1','plain']",
        "checkpoint=[seed=1, plain]": "checkpoint=['seed=1','plain']",
        "checkpoint=plain": "checkpoint=plain",
        "checkpoint=[seed=1,absent=2]": "checkpoint=[seed=1,absent=2]",
        "hydra.run.dir=seed=1": "hydra.run.dir='seed=1'",
        "model.hidden=64,96": "model.hidden=64,96",
        "--config-dir=a=b": "--config-dir=a=b",
        "checkpoint=a=" + "b" * 5000: "checkpoint=a=" + "b" * 5000,
    }.items():  # fmt: skip
        assert config.quoted(typed) == taken
