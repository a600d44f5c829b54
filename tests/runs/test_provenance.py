"""What a result was computed with."""

import subprocess
from pathlib import Path

import pytest

import sentiment_pl
from sentiment_pl.runs.provenance import commit, versions

CHECKOUT = Path(sentiment_pl.__file__).parents[1]


@pytest.mark.skipif(not (CHECKOUT / ".git").exists(), reason="no checkout")
def test_the_commit_of_a_checkout():
    head = subprocess.run(
        ["git", "-C", str(CHECKOUT), "rev-parse", "HEAD"],
        capture_output=True,
        text=True,
        check=True,
    )
    found = commit()
    assert found is not None
    assert found.removesuffix("-dirty") == head.stdout.strip()


def test_an_installed_package_has_no_commit(tmp_path, monkeypatch):
    monkeypatch.setattr(sentiment_pl, "__file__", str(tmp_path / "sentiment_pl" / "__init__.py"))
    assert commit() is None


def test_versions_name_this_package():
    assert versions()["sentiment_pl"] == sentiment_pl.__version__
