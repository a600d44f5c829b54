"""`${architectures:}` lists what `model=` offers, and nothing names the architectures by hand."""

from sentiment_pl.config import model_choices
from sentiment_pl.config.composed import CONF
from sentiment_pl.models import architectures
from tests.extending import write
from tests.helpers import composed


def test_every_architecture_of_the_package_is_a_choice():
    assert model_choices.names([CONF]) == sorted(architectures())


def test_those_of_a_folder_of_ones_own_are_choices_too(tmp_path):
    write(tmp_path, ["my_conf/model/textcnn.yaml"])
    (tmp_path / "my_conf" / "model" / "wide.yaml").write_text("defaults: [textcnn]\nchannels: 64\n")
    found = model_choices.names([CONF, tmp_path / "my_conf"])
    assert found == sorted([*architectures(), "textcnn"])


def test_a_preset_trains_all_of_them(in_process, tmp_path):
    params = composed("experiment=all_architectures").hydra.sweeper.params
    assert params.model == ",".join(sorted(architectures()))
    write(tmp_path, ["my_conf/model/textcnn.yaml"])
    typed = ["--config-dir", str(tmp_path / "my_conf"), "experiment=all_architectures"]
    output = in_process("train", *typed, code=1)  # without -m it is refused, with the grid
    assert f"model: {','.join(sorted([*architectures(), 'textcnn']))}; seed: 0,1,2,3,4" in output
