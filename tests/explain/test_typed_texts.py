"""`predict RUN` without texts: at a terminal, and with nothing in a pipe."""

import pytest

from sentiment_pl.explain import typed_texts
from tests.terminals import lines, run_in_terminal


@pytest.mark.parametrize(("last", "code"), [(b"\x04", 0), (b"\x03", 130)], ids=["Ctrl-D", "Ctrl-C"])
def test_reviews_typed_at_a_terminal(saved, tmp_path, last, code):
    texts = [b"a good movie\n", b"\n", b"not what i expected\n"]
    ended, written = run_in_terminal(
        ["sentiment_pl.predict", str(saved("mlp"))], cwd=tmp_path, columns=80, keys=[*texts, last],
        prompt=typed_texts.PROMPT,
    )  # fmt: skip
    screen = lines(written)
    assert ended == code, written
    assert typed_texts.INVITATION in screen
    assert "Traceback" not in written
    assert "interrupted" not in written
    answers = [line for line in screen if "P(positive) = " in line]
    if last == b"\x04":
        assert [line.rpartition("  ")[2] for line in answers] == [
            "a good movie", "not what i expected",
        ]  # fmt: skip


def test_an_empty_pipe(command, saved):
    done = command("predict", str(saved("mlp")), code=2)
    assert done.stderr == (
        "error: standard input holds no text: write texts behind the checkpoint, or give one a"
        " line\n"
    )
    assert done.stdout == ""
