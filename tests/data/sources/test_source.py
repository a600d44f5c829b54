import datasets
import pytest

from sentiment_pl.data.sources import Files
from sentiment_pl.errors import DataError
from tests.data.sources.tables import TWO, write, write_table


def test_progress_bars_and_logs_of_datasets_are_left_as_they_were(tmp_path, scratch):
    before = datasets.utils.are_progress_bars_disabled(), datasets.logging.get_verbosity()
    Files(train=write_table(tmp_path / "a.csv", TWO)).load(scratch)
    with pytest.raises(DataError):
        Files(train=write(tmp_path / "b.csv", b"")).load(scratch)
    assert before == (
        datasets.utils.are_progress_bars_disabled(),
        datasets.logging.get_verbosity(),
    )
