"""Small files for the tests to read."""

import gzip
import json
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

TWO = {"text": ["bad", "good"], "label": ["negative", "positive"]}


def write(path: Path, content: str | bytes) -> str:
    """One file, its folders included; its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return str(path)


def write_table(path: Path, columns: Mapping[str, list]) -> str:
    """One table in the format that the extension names."""
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    name = path.name.removesuffix(".gz")
    if name.endswith(".parquet"):
        path.parent.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table(columns), path)
        return str(path)
    if name.endswith(".jsonl"):
        content = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    elif name.endswith(".json"):
        content = json.dumps(rows)
    else:
        content = pd.DataFrame(columns).to_csv(index=False, sep="\t" if ".tsv" in name else ",")
    binary = content.encode()
    return write(path, gzip.compress(binary) if path.suffix == ".gz" else binary)


def imdb_of_the_hub(folder: Path, rows: int = 6) -> Path:
    """IMDB in the layout that it has on the hub."""
    for split, shards in {"train": 2, "test": 1, "unsupervised": 1}.items():
        for shard in range(shards):
            label = [-1 if split == "unsupervised" else i % 2 for i in range(rows)]
            texts = [f"{split} {shard} {i}" for i in range(rows)]
            name = f"plain_text/{split}-0000{shard}-of-0000{shards}.parquet"
            write_table(folder / name, {"text": texts, "label": label})
    return folder
