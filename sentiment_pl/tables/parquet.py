"""Parquet files, read a batch of rows at a time."""

from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sentiment_pl.errors import DataError
from sentiment_pl.tables import base
from sentiment_pl.tables.base import Chunk, Reader
from sentiment_pl.tables.options import TableOptions
from sentiment_pl.tables.packed import refuse_pointer


class Parquet(Reader):
    """A Parquet file. Columns that are not needed are not read."""

    def __init__(self, path: Path, options: TableOptions) -> None:
        super().__init__(path, options)
        self._done = 0
        try:
            with path.open("rb") as file:
                start = file.read(base.START)
        except PermissionError as error:
            raise DataError(f"{path}: you have no permission to read it") from error
        refuse_pointer(start, path)
        if not start.startswith(b"PAR1"):
            raise DataError(f"{path} is not a Parquet file")
        try:
            self._parquet = pq.ParquetFile(path)
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{path}: cannot be read as Parquet, or cut short: {error}") from error
        self._total = max(self._parquet.metadata.num_rows, 1)

    @property
    def schema(self) -> pa.Schema:
        """The columns and their types."""
        return self._parquet.schema_arrow

    def chunks(
        self, columns: Collection[str] | None = None, lenient: Collection[str] = ()
    ) -> Iterator[Chunk]:
        """Yield the rows; see `Reader`."""
        names = None if columns is None else [name for name in self.columns if name in columns]
        self._done = 0
        try:
            batches = self._parquet.iter_batches(
                batch_size=self._rows(), columns=names, use_threads=False
            )
            for batch in batches:
                # The size in the metadata is too small where repeated values are stored once.
                step = max(1, len(batch) * base.CHUNK_SIZE // max(batch.nbytes, base.CHUNK_SIZE))
                for start in range(0, len(batch), step):
                    part = batch.slice(start, step)
                    numbers = np.arange(self._done, self._done + len(part))
                    self._done += len(part)
                    yield Chunk(pa.Table.from_batches([part]), numbers, [])
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{self.path}: damaged after row {self._done}: {error}") from error

    def _rows(self) -> int:
        """Return how many rows to read at a time, for the row group with the longest rows."""
        meta = self._parquet.metadata
        groups = [meta.row_group(i) for i in range(meta.num_row_groups)]
        longest = max(
            [group.total_byte_size / max(group.num_rows, 1) for group in groups], default=0
        )
        return max(1, min(base.CHUNK, int(base.CHUNK_SIZE / max(longest, 1))))

    def share_read(self) -> float:
        """Return the share of the file that has been read, from 0 to 1."""
        return self._done / float(self._total)
