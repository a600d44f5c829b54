"""What a wheel holds, and that the files which name versions agree with one another."""

import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version
from setuptools import Distribution

import sentiment_pl

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
GROUPS = {"core": PROJECT["dependencies"], **PROJECT["optional-dependencies"]}
NAME = canonicalize_name(PROJECT["name"])


def pins() -> dict[str, str]:
    """constraints.txt as {canonical name: version}."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    found = [line.partition("==") for line in lines if line and not line.startswith("#")]
    assert all(version for _, _, version in found), "every line is NAME==VERSION"
    return {canonicalize_name(name): version for name, _, version in found}


def copy_tree(target: Path) -> Path:
    """What a build reads, without what earlier builds and runs left in the checkout."""
    ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for folder in ("sentiment_pl", "conf"):
        shutil.copytree(ROOT / folder, target / folder, ignore=ignore)
    for file in ("pyproject.toml", "README.md", "LICENSE"):
        if (ROOT / file).exists():
            shutil.copy(ROOT / file, target)
    return target


def expected_files() -> set[str]:
    """Every module, template and config of the checkout, by its path inside a wheel."""
    modules = {str(path.relative_to(ROOT)) for path in (ROOT / "sentiment_pl").rglob("*.py")}
    configs = {f"sentiment_pl/{p.relative_to(ROOT)}" for p in (ROOT / "conf").rglob("*.yaml")}
    assert configs, "conf/ holds no YAML file"
    templates = {
        str(p.relative_to(ROOT))
        for suffix in ("html", "j2", "json")
        for p in (ROOT / "sentiment_pl").rglob(f"*.{suffix}")
    }
    return modules | configs | templates | {"sentiment_pl/py.typed"}


def test_wheel_would_hold_every_module_and_config(tmp_path, monkeypatch):
    monkeypatch.chdir(copy_tree(tmp_path))
    distribution = Distribution({"script_name": "setup.py"})
    distribution.parse_config_files()  # reads pyproject.toml of the working directory
    distribution.include_package_data = False  # package-data alone, not an old list of files
    build = distribution.get_command_obj("build_py")
    build.ensure_finalized()
    listed = {Path(file).as_posix() for _, _, file in build.find_all_modules()}
    for package, _, _, files in build.data_files:
        listed |= {f"{package.replace('.', '/', 1)}/{file}" for file in files}
    as_installed = {f"sentiment_pl/{f}" if f.startswith("conf/") else f for f in listed}
    assert expected_files() - as_installed == set()


def test_versions_agree():
    assert PROJECT["version"] == sentiment_pl.__version__


def test_the_citation_agrees():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert citation["version"] == PROJECT["version"]
    assert citation["license"] == PROJECT["license"]
    assert citation["title"].startswith(f"{PROJECT['name']}: ")
    assert citation["keywords"] == PROJECT["keywords"]


def test_console_scripts_name_modules_that_exist():
    for target in PROJECT["scripts"].values():
        module, _, function = target.partition(":")
        source = (ROOT / module.replace(".", "/")).with_suffix(".py").read_text()
        assert re.search(rf"^def {function}\(", source, re.MULTILINE), target


@pytest.mark.parametrize("group", GROUPS)
def test_every_dependency_is_pinned_within_its_bounds(group):
    for text in GROUPS[group]:
        requirement = Requirement(text)
        name = canonicalize_name(requirement.name)
        if name == NAME:  # an extra that includes another one
            assert requirement.extras <= GROUPS.keys()
            continue
        assert name in pins(), f"{name} of {group} is missing in constraints.txt"
        assert requirement.specifier.contains(pins()[name]), f"{text}, pinned to {pins()[name]}"


def needed(requirement: Requirement) -> Iterator[str]:
    """The requirement's name and, where the pinned version is installed, all that it asks for."""
    seen: set[tuple[str, str]] = set()
    todo = [(requirement.name, extra) for extra in {"", *requirement.extras}]
    while todo:
        name, extra = todo.pop()
        if (name, extra) in seen:
            continue
        seen.add((name, extra))
        yield canonicalize_name(name)
        try:
            installed = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        if Version(installed.version).public != pins().get(canonicalize_name(name)):
            continue
        for text in installed.requires or []:
            asked = Requirement(text)
            if asked.marker is None or asked.marker.evaluate({"extra": extra}):
                todo += [(asked.name, e) for e in {"", *asked.extras}]


@pytest.mark.skipif(sys.platform != "linux", reason="constraints.txt was resolved on Linux")
def test_what_the_dependencies_bring_along_is_pinned():
    direct = [Requirement(text) for texts in GROUPS.values() for text in texts]
    names = {name for r in direct if canonicalize_name(r.name) != NAME for name in needed(r)}
    assert names - pins().keys() == set()


def test_constraints_are_sorted_and_fit_any_build_of_torch():
    names = list(pins())
    assert names == sorted(names)
    assert "+" not in "".join(pins().values()), "a local version fits one index only"


def test_pre_commit_runs_the_pinned_ruff():
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    revisions = {repo["repo"].rpartition("/")[2]: repo.get("rev") for repo in config["repos"]}
    assert revisions["ruff-pre-commit"] == f"v{pins()['ruff']}"


def run(*command: str | Path, cwd: Path, pythonpath: Path | None = None) -> str:
    """The command's output; a failure shows all of it."""
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    if pythonpath is not None:
        environment["PYTHONPATH"] = str(pythonpath)
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, f"{command}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """A wheel, built from a copy of the tree."""
    tree = copy_tree(tmp_path_factory.mktemp("tree"))
    # --no-isolation: the extra `dev` holds the setuptools that builds it, so no index is asked
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", "dist", cwd=tree)
    (built,) = (tree / "dist").glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The wheel alone, installed into an empty folder."""
    site = tmp_path_factory.mktemp("site")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    run(*pip, "--target", site, wheel, cwd=site)
    return site


@pytest.mark.slow
def test_wheel_holds_the_package_its_configs_and_the_licence(wheel):
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    assert expected_files() - held == set()
    assert not {name for name in held if name.startswith(("tests/", "conf/", "outputs/"))}
    assert any(name.endswith("/licenses/LICENSE") for name in held)


@pytest.mark.slow
def test_installed_wheel_runs_from_anywhere_with_its_own_configs(installed, tmp_path):
    where = "import sentiment_pl.config.composed as c; print(c.__file__, c.CONF, sep='\\n')"
    module, conf = run(sys.executable, "-c", where, cwd=tmp_path, pythonpath=installed).splitlines()
    assert Path(module).is_relative_to(installed)
    assert Path(conf).resolve() == (installed / "sentiment_pl" / "conf").resolve()

    train = [sys.executable, "-m", "sentiment_pl.train"]
    assert run(*train, "--help", cwd=tmp_path, pythonpath=installed)
    composed = run(*train, "--cfg", "job", cwd=tmp_path, pythonpath=installed)
    assert "_target_: sentiment_pl.models" in composed
    assert list(tmp_path.iterdir()) == [], "asking for help leaves nothing behind"
