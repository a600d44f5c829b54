"""Names of the folders of a sweep's runs: what differs, within what a file system takes."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from omegaconf import OmegaConf

from sentiment_pl.config import overrides
from sentiment_pl.config.run_names import LONGEST, run_name

TEXTS = st.text(
    st.sampled_from("ab,='\"/\\\n .é🙂${}[]0") | st.characters(exclude_categories=["Cs"]),
    max_size=400,
).map(lambda text: text.replace("\0", ""))


def test_a_slurm_job_can_name_its_folder(monkeypatch):
    pytest.importorskip("hydra_plugins.hydra_submitit_launcher.submitit_launcher")
    from sentiment_pl.launch.slurm_launcher import SlurmLauncher

    OmegaConf.clear_resolver("run_name")
    monkeypatch.setattr(
        SlurmLauncher.__base__, "__call__", lambda *_: OmegaConf.has_resolver("run_name")
    )
    assert SlurmLauncher.__call__(object.__new__(SlurmLauncher), ["seed=0"])


def test_names_of_version_0_1_0_stay():
    for typed, name in {
        ("model.hidden=64", "seed=0"): "model.hidden=64,seed=0",
        ("seed=0", "model=gru"): "model=gru,seed=0",
        ("model.hidden=[64,32,16]",): "model.hidden=[64,32,16]",
        ("+trainer.max_steps=3", "model.lr=1e-05"): "+trainer.max_steps=3,model.lr=1e-05",
        ("hydra/launcher=basic", "seed=1"): "seed=1",
    }.items():
        assert run_name(typed, ["hydra/launcher"]) == name
    assert run_name(["a=b", "c=d"], separator=" ", equals="-") == "a-b c-d"


def test_a_name_has_no_quotes_where_none_are_needed():
    assert run_name(["data.train='reseñas (1).csv'"]) == "data.train=reseñas (1).csv"
    digest = re.compile(r"data\.text_column=0-[0-9a-f]{12}")  # 0 is another value than '0'
    assert digest.fullmatch(run_name(["data.text_column='0'"]))


def test_a_value_with_a_slash_is_one_folder():
    name = run_name(["monitor=val/auc"])
    assert re.fullmatch(r"monitor=val_auc-[0-9a-f]{12}", name)
    assert name != run_name(["monitor=val_auc"])
    assert run_name(["data.train='../x.csv'"]).startswith("data.train=.._x.csv-")


def test_a_search_over_many_settings_has_a_name():
    typed = [f"callbacks.some_callback.some_setting_{n}=0.{n}123456789012345" for n in range(8)]
    name = run_name(typed)
    assert len(name) <= LONGEST
    assert name.startswith("callbacks.some_callback.some_setting_0=0.0123456789012345,")
    assert name == run_name(list(reversed(typed)))
    assert name != run_name([*typed[:7], "callbacks.some_callback.some_setting_7=0.8"])


@settings(max_examples=300, deadline=None)
@given(first=st.tuples(TEXTS, TEXTS), second=st.tuples(TEXTS, TEXTS))
def test_any_values_make_a_folder_of_their_own(tmp_path_factory, first, second):
    names = []
    for values in (first, second):
        typed = [f"{key}={overrides.quote(value)}" for key, value in zip("ab", values, strict=True)]
        name = run_name(typed)
        assert name == run_name(typed)
        assert len(name.encode()) <= LONGEST
        assert name not in (".", "..")
        assert "${" not in name  # Hydra would take it for a setting
        folder = tmp_path_factory.getbasetemp() / "names" / name
        folder.mkdir(parents=True, exist_ok=True)
        assert folder.parent.name == "names"
        names.append(name)
    assert (names[0] == names[1]) == (first == second)
