"""The command that reads texts: what it prints, as text, JSON and HTML."""

import io
import itertools
import json
import math
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest
import torch

from sentiment_pl.data.truncation import Truncation
from sentiment_pl.explain import pages, terminal
from sentiment_pl.explain.arguments import MOST_DRAWN
from sentiment_pl.explain.verdicts import Opinion, Verdict, names
from sentiment_pl.models import load_checkpoint
from sentiment_pl.models.reading import Reading
from sentiment_pl.predict import main
from tests.extending import ALLOW, models


@pytest.fixture(scope="module")
def mlp(saved):
    return saved("mlp")


@pytest.fixture(scope="module")
def weighted(saved):
    return saved("weighted_mlp", labels=("bad", "good"))


def refused(capsys, *arguments):
    """What the command says, and nothing else, when it ends with an error."""
    with pytest.raises(SystemExit) as stop:
        main([str(argument) for argument in arguments])
    message = stop.value.code if isinstance(stop.value.code, str) else capsys.readouterr().err
    assert stop.value.code != 0
    assert "Traceback" not in message
    return message


def test_label_probability_and_every_word_with_its_score(capsys, mlp):
    main([str(mlp), "Not what I xyzzy"])
    (reading,) = load_checkpoint(mlp).read(["Not what I xyzzy"])
    first, *lines = capsys.readouterr().out.splitlines()
    label = "positive" if reading.probability >= 0.5 else "negative"
    sure = max(reading.probability, 1 - reading.probability)
    probability = f"P(positive) = {reading.probability:.4f}"
    assert first == f"{label}, {100 * sure:.0f} % sure  {probability}  Not what I xyzzy"
    assert [line.split()[0] for line in lines] == ["not", "what", "i", "xyzzy"]
    assert [float(line.split()[1]) for line in lines] == [round(s, 3) for s in reading.scores]
    assert ["unknown" in line for line in lines] == [False, False, False, True]


def test_weights_are_shown_where_there_are_some(capsys, weighted):
    main([str(weighted), "not what"])
    first, *lines = capsys.readouterr().out.splitlines()
    assert "P(good)" in first
    assert sum(float(line.split()[3]) for line in lines) == pytest.approx(1, abs=2e-3)


def test_a_text_without_words_has_a_message_and_no_blank_line(capsys, mlp):
    main([str(mlp), "...;", ";"])
    lines = capsys.readouterr().out.splitlines()
    assert all(line.strip() for line in lines)
    assert lines[-1].strip() == terminal.NO_WORDS


def test_standard_input_line_by_line(capsys, monkeypatch, mlp):
    monkeypatch.setattr(sys, "stdin", io.StringIO("not what\r\ngood movie\n"))
    main([str(mlp)])
    piped = capsys.readouterr().out
    main([str(mlp), "not what", "good movie"])
    assert piped == capsys.readouterr().out


@pytest.mark.parametrize("option", ["text", "--json", "--html", "--figure"])
def test_bytes_that_are_no_utf8_are_shown_as_such(capsys, monkeypatch, tmp_path, mlp, option):
    options = {"text": [], "--json": ["--json"]}.get(option, [option, str(tmp_path / "out.svg")])
    outputs = []
    for texts in ([], [b"good caf\xe9".decode(errors="surrogateescape")]):
        stdin = io.TextIOWrapper(io.BytesIO(b"good caf\xe9\n"), "utf-8")
        monkeypatch.setattr(sys, "stdin", stdin)
        main([str(mlp), *options, *texts])
        outputs.append(capsys.readouterr().out.encode().decode())
        if option.startswith("--html"):
            outputs[-1] = (tmp_path / "out.svg").read_text(encoding="utf-8")
    assert outputs[0] == outputs[1]
    assert option == "--figure" or "caf\ufffd" in outputs[0]


def test_a_figure_of_no_text_and_of_too_many(capsys, monkeypatch, tmp_path, mlp, weighted):
    out = tmp_path / "a.png"
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    assert "there is no text to draw" in refused(capsys, mlp, "--figure", out)
    many = ["good"] * (MOST_DRAWN + 1)
    message = refused(capsys, mlp, "--figure", out, *many)
    assert "draws at most 20 texts: name fewer, or choose --html" in message
    monkeypatch.setattr(sys, "stdin", (f"good {i}\n" for i in itertools.count()))
    message = refused(capsys, mlp, weighted, "--figure", out)
    assert "at most 20 texts, with 2 checkpoints 10: " in message
    assert not list(tmp_path.iterdir())


def test_a_pipe_gets_no_colours_and_a_terminal_black_on_red_and_blue(capsys, monkeypatch, mlp):
    main([str(mlp), "not what i expected"])
    plain = capsys.readouterr().out
    assert "\x1b" not in plain
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLORTERM", "truecolor")
    main([str(mlp), "not what i expected"])
    coloured = capsys.readouterr().out
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == plain
    shades = {}
    for line in coloured.splitlines()[1:]:
        r, b, score = re.search(r"48;2;(\d+);\d+;(\d+)m\s*([+-][\d.]+)", line).groups()
        shades[float(score)] = (int(r), int(b))
    for score, (red, blue) in shades.items():
        assert (blue > red) == (score > 0)
    strongest = max(shades, key=abs)
    assert min(shades[strongest]) == min(map(min, shades.values())) == 105


def test_control_characters_in_a_text_do_not_reach_the_terminal(capsys, mlp):
    main([str(mlp), "good \x1b[31m movie \x07"])
    assert not {"\x1b", "\x07"} & set(capsys.readouterr().out)


def test_several_models_side_by_side(capsys, mlp, weighted):
    main([str(mlp), str(weighted), "Not xyzzy"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Not xyzzy"
    assert lines[1].split()[0] == "mlp"
    assert lines[2].split()[0] == "weighted_mlp"
    assert lines[3].split() == ["mlp", "weighted_mlp"]
    readings = [load_checkpoint(path).read(["Not xyzzy"])[0] for path in (mlp, weighted)]
    found = [float(number) for number in re.findall(r"[+-]\d+\.\d+", lines[4])]
    assert found == [round(r.scores[0], 3) for r in readings]
    assert "(unknown word)" in lines[5]


def test_models_that_split_texts_in_other_ways_stand_below_one_another(capsys):
    def verdict(name, words):
        scores = [1.0] * len(words)
        return Verdict(name, ("n", "p"), Reading(words, [True] * len(words), scores, None, 0.7))

    console = terminal.console()
    terminal.show(console, Opinion("a-b", [verdict("x", ["a-b"]), verdict("y", ["a", "b"])]))
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [line[0] for line in lines[3:]] == ["a-b", "a", "b"]


def test_which_arguments_are_checkpoints(capsys, mlp, weighted, tmp_path):
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    (run / "checkpoints" / "best.ckpt").write_bytes(mlp.read_bytes())

    def parsed(*arguments):
        main(["--json", *map(str, arguments)])
        found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        return [entry["text"] for entry in found], [m["model"] for m in found[0]["models"]]

    assert parsed(mlp, "good") == (["good"], ["mlp"])
    assert parsed(run, weighted, "good", "bad") == (["good", "bad"], ["mlp", "weighted_mlp"])
    assert parsed(mlp, "good", weighted)[0] == ["good", str(weighted)], "leading ones alone"
    assert parsed(mlp, "--", weighted)[0] == [str(weighted)]
    assert parsed(mlp, weighted, "--", "-- no")[0] == ["-- no"]
    assert parsed(mlp, str(tmp_path)) == ([str(tmp_path)], ["mlp"]), "a folder, but of no run"
    _, models = parsed(mlp, run, "good")
    assert len(set(models)) == 2
    assert all(name.startswith("mlp ") for name in models)
    assert str(mlp).endswith(models[0].split()[1])


def test_a_file_for_a_text_is_a_forgotten_option(capsys, monkeypatch, mlp, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in ("reviews.csv", "more reviews.tsv", "notes", "ünlü.parquet"):
        (tmp_path / name).write_text("text\ngood movie\n")
        message = refused(capsys, mlp, name)
        assert f"{name} is a file: to score its rows, --file {name} --output OUT;" in message
        assert "write -- before it" in message
        assert "is a file" in refused(capsys, mlp, "--json", tmp_path / name)
        main([str(mlp), "--json", "--", name])
        assert json.loads(capsys.readouterr().out)["text"] == name
    assert "each of the others likewise" in refused(capsys, mlp, "reviews.csv", "notes")
    for name in ("revews.csv", "data/train.jsonl.gz", "REVIEWS.TSV"):
        assert f"there is no file {name}; to score" in refused(capsys, mlp, name)
    # What is only like a file, or not the only text, is a text.
    texts = ["good", "notes.", "a review of reviews.csv", "x" * 5_000, "~stranger/x", "a\0b", "3.5"]
    for text in texts:
        main([str(mlp), "--json", text])
        assert json.loads(capsys.readouterr().out)["text"] == text
    main([str(mlp), "--json", "reviews.csv", "is my favourite file"])
    assert len(capsys.readouterr().out.splitlines()) == 2


CUTS = [
    (Truncation(3, "head"), "not what i", "The first 3 of 6 words"),
    (Truncation(3, "tail"), "good movie ever", "The last 3 of 6 words"),
    (Truncation(3, "both"), "not what ever", "The first 2 and the last 1 of 6 words"),
]


@pytest.mark.parametrize(("cut", "words", "note"), CUTS)
@pytest.mark.parametrize("name", ["gru", "weighted_mlp"])
def test_what_is_not_read_is_noted_and_not_shown(capsys, saved, tmp_path, name, cut, words, note):
    path, text = str(saved(name, cut=cut)), "Not what I: good movie, ever"
    note = f"{note} were read, as in training; --full reads all"
    main([path, text, "good"])
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[1:4]] == words.split()
    assert lines[4] == f"  ({note})"
    assert len(lines) == 7, "nothing of the short text"
    main([path, "--full", text])
    assert "".join(capsys.readouterr().out).count("\n") == 7
    main([path, "--json", text, "good"])
    long, short = [*map(json.loads, capsys.readouterr().out.splitlines())]
    (entry,), (other,) = long["models"], short["models"]
    assert long["text"] == text
    assert [word["word"] for word in entry["words"]] == words.split()
    assert entry["words_in_text"] == 6
    assert f"{entry['cut'][0].upper()}{entry['cut'][1:]}" == note.partition(" were")[0]
    assert (other["words_in_text"], other["cut"]) == (1, None)
    main([path, "--html", str(tmp_path / "page.html"), text])
    page = Page((tmp_path / "page.html").read_text(encoding="utf-8"))
    assert [word for word, _ in page.words] == words.split()
    assert note in page.text


def test_models_that_read_other_parts_of_a_text_stand_below_one_another(capsys, saved):
    paths = [str(saved("mlp", cut=cut)) for cut, _, _ in CUTS[:2]]
    main([*paths, "not what i expected"])
    lines = capsys.readouterr().out.splitlines()
    heads = [line.strip() for line in lines if "were read" in line]
    assert [head.partition(".ckpt: ")[2].partition(" were")[0] for head in heads] == [
        "The first 3 of 4 words", "The last 3 of 4 words",
    ]  # fmt: skip
    assert [line.split()[0] for line in lines if re.match(r"  (not|what|i|expected) ", line)] == [
        "not", "what", "i", "what", "i", "expected",
    ]  # fmt: skip


def test_full_goes_with_what_is_read(capsys, mlp):
    message = refused(capsys, mlp, "--full", "--lexicon", "x.csv")
    assert "--full goes with texts or --file, not with --lexicon" in message
    message = refused(capsys, mlp, "--full", "--export", "x.onnx")
    assert "the example beside the graph has a --full" in message


def test_names_of_the_same_checkpoint_twice_differ(mlp):
    model = load_checkpoint(mlp)
    assert len(set(names([model, model], [mlp, mlp]))) == 2


def test_a_mistyped_checkpoint_is_no_text(capsys, mlp):
    assert "there is no checkpoint b.ckpt" in refused(capsys, mlp, "b.ckpt", "good")
    assert "there is no checkpoint a.ckpt" in refused(capsys, "a.ckpt", "good")
    assert "name a checkpoint" in refused(capsys)


def test_the_folder_of_a_run_without_a_checkpoint_is_no_text(capsys, mlp, tmp_path):
    (tmp_path / "run" / ".hydra").mkdir(parents=True)
    message = refused(capsys, mlp, tmp_path / "run", "good")
    assert "is the folder of a run, but it holds no checkpoint yet" in message


def test_json_holds_what_the_model_predicts(capsys, mlp, weighted):
    main([str(mlp), str(weighted), "--json", 'Not "xyzzy" ü'])
    (line,) = capsys.readouterr().out.splitlines()
    entry = json.loads(line)
    assert entry["text"] == 'Not "xyzzy" ü'
    for path, verdict in zip((mlp, weighted), entry["models"], strict=True):
        (reading,) = load_checkpoint(path).read([entry["text"]])
        assert verdict["logit"] == reading.logit
        assert verdict["probability"] == reading.probability
        assert [word["word"] for word in verdict["words"]] == reading.words
        assert [word["known"] for word in verdict["words"]] == reading.known
        assert [word["score"] for word in verdict["words"]] == reading.scores
        assert [word.get("weight") for word in verdict["words"]] == (reading.weights or [None] * 3)
    assert entry["models"][1]["label"] in ("bad", "good")
    assert entry["models"][1]["probability_of"] == "good"


class Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.words, self.text = [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag == "span":
            self.words.append(["", dict(attrs)])

    def handle_data(self, data):
        self.text += data
        if self.words and self.tags[-1][0] == "span" and not self.words[-1][0]:
            self.words[-1][0] = data


def test_html_page_stands_alone_and_escapes(capsys, tmp_path, mlp, weighted):
    evil = "<script>alert('good')</script> & \"movie\""
    out = tmp_path / "page.html"
    main([str(mlp), str(weighted), "--html", str(out), evil, "not xyzzy"])
    assert capsys.readouterr().out == ""
    source = out.read_text(encoding="utf-8")
    page = Page(source)
    assert evil in page.text
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "link", "img", "iframe"})
    assert not re.search(r"https?://|url\(|@import", source)
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in (
        page.tags
    )
    (reading,) = load_checkpoint(weighted).read(["not xyzzy"])
    word, attributes = page.words[-1]
    assert word == "xyzzy"
    assert attributes["class"] == "unknown"
    assert (
        f"score {reading.scores[1]:+.3f}, weight {reading.weights[1]:.3f}"
        in (attributes["data-note"])
    )
    assert "unknown word" in attributes["data-note"]
    assert [p.name for p in tmp_path.iterdir()] == ["page.html"], "nothing half-written"


def test_shades_of_the_page_grow_with_the_score():
    reading = Reading(["a", "b", "c"], [True] * 3, [2.0, -1.0, math.nan], None, 0.7)
    html = pages.words_page([Opinion("a b c", [Verdict("m", ("n", "p"), reading)])])
    page = Page(html)
    assert [attributes["style"] for _, attributes in page.words] == [
        "background: rgb(var(--one) / 1.000)",
        "background: rgb(var(--zero) / 0.500)",
        "background: rgb(var(--zero) / 0.000)",
    ]
    assert "<div>n −2</div>" in html
    assert "<div>+2 p</div>" in html
    assert "scale of its own" not in html


def test_each_model_of_a_page_has_one_scale_for_all_texts():
    def opinion(text, first, second):
        readings = [Reading([text], [True], [score], None, 0.7) for score in (first, second)]
        verdicts = zip(("m", "k"), readings, strict=True)
        return Opinion(text, [Verdict(name, ("n", "p"), reading) for name, reading in verdicts])

    html = pages.words_page([opinion("a", 2.0, 8.0), opinion("b", 1.0, -4.0)])
    assert [attributes["style"][-6:-1] for _, attributes in Page(html).words] == [
        "1.000", "1.000", "0.500", "0.500",
    ]  # fmt: skip
    assert html.count('class="scale"') == 2
    assert "Each model has a scale of its own" in html
    assert "prefers-color-scheme: dark" in html


def test_a_page_that_cannot_be_written_is_refused_before_the_work(capsys, tmp_path, mlp):
    assert "there is no folder" in refused(capsys, mlp, "--html", tmp_path / "no" / "x.html", "a")


@pytest.mark.parametrize("name", models())
def test_every_architecture_alone_on_any_machine(capsys, saved, name):
    main([str(saved(name)), "--allow", *ALLOW, "not what i expected"])
    assert len(capsys.readouterr().out.splitlines()) == 5


def test_help_needs_no_torch():
    probe = (
        "import sys\nfrom sentiment_pl.predict import main\n"
        "try: main(['--help'])\nexcept SystemExit: pass\n"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert "Which arguments are checkpoints" in done.stdout


@pytest.mark.parametrize("options", [[], ["--full"]])
def test_where_memory_is_short_full_may_be_left_out(capsys, monkeypatch, mlp, options):
    def short(*arguments):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")

    monkeypatch.setattr("sentiment_pl.models.lexicon.Lexicon.read", short)
    message = refused(capsys, mlp, *options, "good")
    assert "plit the longest texts: shorter texts need less" in message
    assert ("Leave --full out" in message) == bool(options)
