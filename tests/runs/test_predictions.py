"""The table of predictions."""

import pyarrow as pa
import pyarrow.parquet as pq

from sentiment_pl.runs.predictions import read_predictions


def test_predictions_are_found_by_the_names_of_their_columns(tmp_path):
    table = {"key": ["a", "b"], "probability": [0.25, 0.5], "label": [0, 1], "id": [0, 1]}
    pq.write_table(pa.table(table), tmp_path / "predictions.parquet")
    ids, labels, probabilities = read_predictions(tmp_path)
    assert (ids.tolist(), labels.tolist(), probabilities.tolist()) == ([0, 1], [0, 1], [0.25, 0.5])
