"""What `predict` refuses before it loads a model, or even PyTorch."""

import subprocess
import sys

REFUSED = [
    (["none.ckpt", "good"], "there is no checkpoint none.ckpt"),
    (["m.ckpt", "--file", "none.csv", "--output", "o.csv"], "there is no file none.csv"),
    (["m.ckpt", "--file", "t.csv", "--output", "o.csv"], "t.csv has a column 'label' already"),
    (["m.ckpt", "--file", "t.csv", "--output", "t.csv"], "t.csv is the input as well"),
    (["m.ckpt", "--file", "t.csv", "--output", "o.csv", "--text-column", "x"], "'x'"),
]

ALL = """
import sys
from sentiment_pl import predict, report
for arguments in eval(sys.argv[1]):
    try:
        predict.main(arguments)
    except SystemExit as end:
        print(end.code, file=sys.stderr)
try:
    report.main(["none"])
except SystemExit as end:
    print(end.code, file=sys.stderr)
print("torch" in sys.modules)
"""


def test_a_missing_file_or_column_is_refused_before_torch_is_imported(tmp_path):
    (tmp_path / "t.csv").write_text("text,label\na,b\n")
    (tmp_path / "m.ckpt").touch()
    done = subprocess.run(
        [sys.executable, "-c", ALL, repr([arguments for arguments, _ in REFUSED])],
        cwd=tmp_path, capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    messages = done.stderr.splitlines()
    assert len(messages) == 2 * len(REFUSED) + 2
    for (_, words), message, code in zip(REFUSED, messages[:-2:2], messages[1:-2:2], strict=True):
        assert message.startswith("error: ")
        assert words in message
        assert code == "1"
    assert messages[-2:] == ["error: none: no such folder", "1"]
    assert done.stdout == "False\n"
    assert {path.name for path in tmp_path.iterdir()} == {"t.csv", "m.ckpt"}
