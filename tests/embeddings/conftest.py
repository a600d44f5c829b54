"""Files of word vectors."""

import gzip

import pytest


@pytest.fixture
def write(tmp_path):
    """Write lines into a file of vectors and return its path."""

    def write(lines, name="vectors.txt"):
        path = tmp_path / name
        data = b"\n".join(x if isinstance(x, bytes) else x.encode() for x in lines) + b"\n"
        if name.endswith(".gz"):
            data = gzip.compress(data)
        path.write_bytes(data)
        return path

    return write
