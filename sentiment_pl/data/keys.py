"""The column `data.id_column`, by which users know their rows."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from datasets import load_from_disk
from numpy.typing import NDArray

from sentiment_pl.data.schema import Schema


def key_column(folder: Path, schema: Schema, ids: NDArray[np.int64]) -> dict[str, Any]:
    """Return the values of the user's key for some rows.

    Args:
        folder: a split of encoded reviews, as `Dataset.save_to_disk` wrote it.
        schema: how the source was read.
        ids: [N], numbers of rows.

    Returns:
        The name of the column and its values, an Arrow array [N]; empty where no key is set.
    """
    if schema.key is None or schema.kept_key is None:
        return {}
    rows = load_from_disk(str(folder))
    table = rows.select_columns(["row", schema.kept_key]).with_format("arrow")[:]
    numbers = table["row"].to_numpy()
    order = np.argsort(numbers, kind="stable")
    places = order[np.searchsorted(numbers[order], ids)]
    return {schema.key: table[schema.kept_key].take(pa.array(places))}
