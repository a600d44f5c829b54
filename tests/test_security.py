"""What comes from elsewhere runs nothing, writes nowhere and is shown as what it is."""

import ast
import contextlib
import os
import pickle
import shutil
import sys
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sentiment_pl
from sentiment_pl.data.sources import Hub, Imdb
from sentiment_pl.data.sources.hub_repository import HubRepository
from sentiment_pl.embeddings.vectors import read_vectors
from sentiment_pl.errors import DataError
from sentiment_pl.models import load_checkpoint
from sentiment_pl.predict import main
from tests.helpers import NO_EVENTS, SMALL, refusal

RUN = [*SMALL, *NO_EVENTS, "model=mlp", "trainer.max_epochs=1", "hydra.run.dir=run"]


class Malicious:
    """Leaves a mark where it is unpickled."""

    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return os.system, (f"touch '{self.mark}'",)


def zipped(content, path):
    torch.save(content, path)


def legacy(content, path):
    torch.save(content, path, _use_new_zipfile_serialization=False)


def pickled(content, path):
    path.write_bytes(pickle.dumps(content, protocol=2))


def pickled_anew(content, path):
    path.write_bytes(pickle.dumps(content))


FORMS = [zipped, legacy, pickled, pickled_anew]


def poisoned(checkpoint, path, form, mark):
    """Write a checkpoint that is whole and has something more in it."""
    content = torch.load(checkpoint, weights_only=True)
    form({**content, "payload": Malicious(mark)}, path)
    return path


@pytest.mark.parametrize("form", FORMS)
def test_the_payload_works(tmp_path, form):
    """Or else the tests below would show nothing."""
    form({"payload": Malicious(tmp_path / "mark")}, tmp_path / "file")
    with contextlib.suppress(RuntimeError):  # no magic number in front of a plain pickle
        torch.load(tmp_path / "file", weights_only=False)
    assert (tmp_path / "mark").exists()


@pytest.mark.parametrize("form", FORMS)
def test_a_malicious_checkpoint_runs_nothing(
    in_process, capsys, saved, tmp_path, monkeypatch, form
):
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")  # some people have that
    mark = tmp_path / "mark"
    evil = poisoned(saved("mlp"), tmp_path / "evil.ckpt", form, mark)
    assert f"{evil} cannot be read as a checkpoint" in refusal(capsys, main, evil, "a text")
    for door, key in (("evaluate", "checkpoint"), ("train", "ckpt_path")):
        output = in_process(door, *SMALL, f"{key}={evil}", code=1)
        assert f"{evil} cannot be read as a checkpoint" in output
        assert "Traceback" not in output
    if form is zipped:
        assert "holds more than weights and asks for posix.system; nothing of it was run" in output
    assert not mark.exists()


@pytest.mark.parametrize("name", ["last", "best"])
def test_a_malicious_checkpoint_in_a_run_folder_runs_nothing(in_process, tmp_path, name):
    in_process("train", *RUN)
    mark, path = tmp_path / "mark", tmp_path / "run" / "checkpoints" / f"{name}.ckpt"
    poisoned(path, path, zipped, mark)
    (tmp_path / "run" / "metrics.json").unlink()
    output = in_process("train", *RUN, code=1)
    assert f"{path} cannot be read as a checkpoint: it holds more than weights" in output
    assert "Traceback" not in output
    assert not mark.exists()


def members():
    """Names that lead out of a folder, links and devices."""
    for name in ("../../{}", "/tmp/{}", "a/../../../{}"):
        yield name, tarfile.REGTYPE
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE):
        yield "{}", kind


def packed(path, name, kind, content):
    with tarfile.open(path, "w:gz") as archive:
        for each, of_kind in (("aclImdb/train/neg/0_1.txt", tarfile.REGTYPE), (name, kind)):
            member = tarfile.TarInfo(each)
            member.type = of_kind
            member.linkname = "/etc/passwd"
            member.size = len(content) if of_kind == tarfile.REGTYPE else 0
            archive.addfile(member, BytesIO(content))
    return path


@pytest.mark.parametrize(("name", "kind"), members())
def test_an_archive_of_reviews_leads_nowhere(tmp_path, name, kind):
    (tmp_path / "in" / "scratch").mkdir(parents=True)
    name = name.format("train/pos/0_9.txt")
    path = packed(tmp_path / "in" / "aclImdb_v1.tar.gz", name, kind, b"a film")
    before = sorted(tmp_path.rglob("*.txt"))
    if kind == tarfile.REGTYPE:
        rows = Imdb(str(path)).load(tmp_path / "in" / "scratch")["train"]
        assert rows["text"][:] == ["a film", "a film"]
    else:
        with pytest.raises(DataError, match=r"0_9\.txt is a link or a device"):
            Imdb(str(path)).load(tmp_path / "in" / "scratch")
    assert sorted(tmp_path.rglob("*.txt")) == before
    assert not Path("/tmp/train/pos/0_9.txt").exists()


@pytest.mark.parametrize("name", ["../../evil.2d.txt", "/tmp/evil.2d.txt"])
def test_an_archive_of_vectors_leads_nowhere(tmp_path, name):
    path = tmp_path / "in" / "glove.zip"
    path.parent.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, "good 1 2\n")
    _, vectors = read_vectors(path, {"good"}, 2)
    assert vectors["good"].tolist() == [1, 2]
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == [path]
    assert not Path("/tmp/evil.2d.txt").exists()


def zip_of_files(path, name, content):
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(name, content)


def tar_of_files(path, name, content):
    with tarfile.open(path, "w:gz") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(content)
        archive.addfile(member, BytesIO(content))


@pytest.mark.parametrize(("suffix", "pack"), [(".zip", zip_of_files), (".tar.gz", tar_of_files)])
@pytest.mark.parametrize("name", ["../../../../evil.csv", "{}/evil.csv"])
def test_an_archive_of_the_hub_leads_nowhere(tmp_path, monkeypatch, suffix, pack, name):
    """The library `datasets` unpacks these."""
    hub, scratch, out = (tmp_path / part for part in ("hub", "a/b/c/d/scratch", "out"))
    for folder in (hub, scratch, out):
        folder.mkdir(parents=True)
    pack(hub / f"train{suffix}", name.format(out), b"text,label\na,0\nb,1\n")
    monkeypatch.setattr(HubRepository, "commit", lambda self: "0")
    monkeypatch.setattr(HubRepository, "fetch", lambda self, *_, **__: hub)
    with contextlib.suppress(DataError):  # refused
        Hub("a/b").load(scratch)
    assert not [file for file in tmp_path.rglob("evil.csv") if scratch not in file.parents]


@pytest.fixture
def named(saved, tmp_path, monkeypatch):
    """A checkpoint that names a class of a module, and the mark that its import would leave."""
    mark = tmp_path / "mark"
    for package in ("", "package"):
        folder = tmp_path / package
        folder.mkdir(exist_ok=True)
        (folder / "__init__.py").write_text("")
        (folder / "evil_module.py").write_text(f"open({str(mark)!r}, 'w').close()\n")
    monkeypatch.syspath_prepend(tmp_path)

    def make(name):
        checkpoint = torch.load(saved("mlp"), weights_only=True)
        checkpoint["sentiment_pl"]["model"] = name
        torch.save(checkpoint, tmp_path / "named.ckpt")
        return tmp_path / "named.ckpt"

    yield make, mark
    for module in ("evil_module", "package.evil_module", "package"):
        sys.modules.pop(module, None)


NAMES = ["evil_module.Mine", "package.evil_module.Mine"]


@pytest.mark.parametrize("name", NAMES)
def test_the_import_would_leave_its_mark(named, name):
    """Or else the tests below would show nothing."""
    make, mark = named
    with pytest.raises(DataError, match=f"there is no {name}"):
        load_checkpoint(make(name), allow=[name.rpartition(".")[0]])
    assert mark.exists()


@pytest.mark.parametrize("name", [*NAMES, "sentiment_pl.models.gru.evil_module.Mine"])
@pytest.mark.parametrize(
    "allow",
    [[], [""], ["."], ["evil"], ["evil_modul"], ["evil_module.Min"], ["evil_module.Mine.x"],
     ["module"], ["pack"], ["package.evil"], ["*"], ["my_project.models", "package.other"]],
)  # fmt: skip
def test_a_checkpoint_imports_nothing_that_is_not_allowed(named, name, allow):
    make, mark = named
    with pytest.raises(DataError, match=r"holds a model .* which is not part of sentiment_pl"):
        load_checkpoint(make(name), allow=allow)
    assert not mark.exists()


@pytest.mark.parametrize("name", NAMES)
def test_no_command_imports_what_a_checkpoint_names(in_process, capsys, named, name):
    make, mark = named
    path = str(make(name))
    for allow in ([], ["--allow", "evil"]):
        message = refusal(capsys, main, path, *allow, "a text")
        assert f"--allow {name.rpartition('.')[0]} for predict" in message
    module = name.rpartition(".")[0]
    for allow in ([], ["allow=[my_project]"]):
        output = in_process("evaluate", *SMALL, f"checkpoint={path}", *allow, code=1)
        assert f"allow=[{module}] for evaluate" in output
    for key in ("ckpt_path", "init_from"):
        output = in_process("train", *SMALL, "model=mlp", f"{key}={path}", code=1)
        assert f"{path} holds a {name}, this run trains a" in output
    assert not mark.exists()


CALLS = {"eval", "exec", "compile", "__import__"}
SHELLS = {"system", "popen", "getoutput", "getstatusoutput", "execl", "spawnl"}
PICKLES = {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal", "joblib"}


def sources():
    root = Path(sentiment_pl.__file__).parent
    paths = list(root.rglob("*.py"))
    assert len(paths) > 50
    for path in paths:
        yield path, ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def test_no_shell_no_pickle_no_code_from_strings():
    found = []
    for path, nodes in sources():
        for node in nodes:
            if isinstance(node, ast.Import | ast.ImportFrom):
                names = [alias.name for alias in node.names] + [getattr(node, "module", "") or ""]
                found += [(path, node.lineno, n) for n in names if n.split(".")[0] in PICKLES]
            if not isinstance(node, ast.Call):
                continue
            name = getattr(node.func, "id", None) or getattr(node.func, "attr", "")
            method = isinstance(node.func, ast.Attribute)
            if (name in CALLS and not method) or (name in SHELLS and method):
                found.append((path, node.lineno, name))
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            if "shell" in given or name in ("load_from_checkpoint", "extractall", "extract"):
                found.append((path, node.lineno, name))
            owner = getattr(getattr(node.func, "value", None), "id", "")
            if (owner, name) == ("subprocess", "run") and not isinstance(
                node.args[0], ast.List | ast.Name
            ):
                found.append((path, node.lineno, "a command that is no list"))
            careful = {"torch": ("weights_only", True), "np": ("allow_pickle", False)}
            if name == "load" and owner in careful:
                key, value = careful[owner]
                if not (key in given and getattr(given[key], "value", None) is value):
                    found.append((path, node.lineno, f"{owner}.load without {key}={value}"))
    assert not found


@pytest.mark.parametrize(
    "spoil",
    [
        lambda c: c["sentiment_pl"].update(model=["mlp"]),
        lambda c: c["sentiment_pl"].update(model="os.system"),
        lambda c: c["sentiment_pl"].update(tokenizer="{"),
        lambda c: c["sentiment_pl"].update(tokenizer=None),
        lambda c: c["sentiment_pl"].update(labels="x"),
        lambda c: c["sentiment_pl"].update(trained_on=3),
        lambda c: c["sentiment_pl"].pop("labels"),
        lambda c: c["hyper_parameters"].update(hidden=["64"]),
        lambda c: c["hyper_parameters"].update(hidden=[10**12]),
        lambda c: c["hyper_parameters"].update(tokenizer=""),
        lambda c: c.update(hyper_parameters=None),
        lambda c: c.pop("hyper_parameters"),
        lambda c: c.update(state_dict={"embedding.weight": 3}),
        lambda c: c.update(state_dict=None),
        lambda c: c.pop("state_dict"),
    ],
)
def test_a_checkpoint_of_plain_values_that_make_no_sense(saved, tmp_path, spoil):
    path = shutil.copy(saved("mlp"), tmp_path / "odd.ckpt")
    checkpoint = torch.load(path, weights_only=True)
    spoil(checkpoint)
    torch.save(checkpoint, path)
    with pytest.raises(DataError, match=r"odd\.ckpt"):
        load_checkpoint(path)


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(at=st.floats(0, 1), cut=st.integers(0, 40), put=st.binary(max_size=12))
def test_a_spoilt_checkpoint_is_loaded_or_refused_by_name(whole, tmp_path, at, cut, put):
    place, path = int(at * len(whole)), tmp_path / "spoilt.ckpt"
    path.write_bytes(whole[:place] + put + whole[place + cut :])
    try:
        load_checkpoint(path)
    except DataError as error:
        message = str(error)
    else:
        message = str(path)
    assert str(path) in message


@pytest.fixture
def whole(saved):
    return saved("mlp").read_bytes()
