"""The package as a user gets it: names, version, types, metadata."""

from __future__ import annotations

import importlib
import importlib.metadata
import re
import sys
from pathlib import Path

import pytest

import edgeagent
import edgeagent.version

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

__all__: list[str] = []

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
ROOMS = ("cache", "pricing", "providers", "telemetry", "testing", "types")


@pytest.mark.parametrize("name", edgeagent.__all__)
def test_every_listed_name_is_there(name):
    """What `__all__` lists can be had, and is the same object every time."""
    assert getattr(edgeagent, name) is getattr(edgeagent, name)
    assert name in dir(edgeagent)


def test_the_version_has_openais_names():
    """Programs read it from the package, and from its module, as either."""
    assert edgeagent.VERSION == edgeagent.version.VERSION == edgeagent.__version__


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_offers_what_it_lists(room):
    """The public packages below define what their `__all__` says."""
    module = importlib.import_module(f"edgeagent.{room}")
    assert [name for name in module.__all__ if not hasattr(module, name)] == []


def test_every_public_name_is_listed():
    """The lazily loaded names and the list of public names are the same."""
    assert sorted(edgeagent.__all__) == sorted(set(edgeagent.__all__))
    source = Path(edgeagent.__file__).read_text(encoding="utf-8")
    block = source[source.index("if TYPE_CHECKING:") : source.index("__all__")]
    typed = set(re.findall(r"\b([A-Z]\w+)\b(?=[,\n)])", block)) - {"TYPE_CHECKING"}
    assert typed <= set(edgeagent.__all__)


def test_an_unknown_name_is_an_attribute_error():
    """A name that does not exist fails like that of any module, and says which."""
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = edgeagent.no_such_name


@pytest.mark.parametrize("name", [n for n in importlib.import_module("edgeagent.errors").__all__ if n[0].isupper()])
def test_errors_are_at_top_level_too(name):
    """Every exception can be imported from the package itself."""
    assert getattr(edgeagent, name) is getattr(importlib.import_module("edgeagent.errors"), name)


def test_openai_names_are_those_of_openai():
    """Every error class that the openai package exports for a call exists here under the same name."""
    openai = pytest.importorskip("openai")
    theirs = {name for name in openai.__all__ if name.endswith("Error") and hasattr(openai, name)}
    elsewhere = {"InvalidWebhookSignatureError", "OAuthError", "SubjectTokenProviderError"}  # no part of a chat call
    elsewhere |= {name for name in theirs if name.startswith("WebSocket")}
    missing = {name for name in theirs - elsewhere if not hasattr(edgeagent, name)}
    assert missing == set()


def test_nothing_of_openais_package_is_silently_missing():
    """A name of it is here, or its error says what to use; settings are read as openai<1 had them."""
    openai = pytest.importorskip("openai")
    client = {name for name in dir(openai.OpenAI(api_key="k")) if name[0] != "_" and hasattr(openai, name)}
    names = {name for name in openai.__all__ if not name.startswith("_")} | client
    for name in [name for name in names if not hasattr(edgeagent, name)]:
        with pytest.raises(AttributeError, match=rf"'{name}': .+\.$"):
            getattr(edgeagent, name)


def test_the_version_is_stated_once():
    """The installed distribution and the module have the same version."""
    assert re.fullmatch(r"\d+\.\d+\.\d+((a|b|rc)\d+)?", edgeagent.__version__)
    assert importlib.metadata.version("edgeagent") == edgeagent.__version__


def test_the_changelog_knows_this_version():
    """CHANGELOG.md has a section for this version, or for what is not released yet."""
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert {edgeagent.__version__, "Unreleased"} & set(headings)


def test_the_package_is_typed():
    """The marker of PEP 561 is in the package."""
    assert (Path(edgeagent.__file__).parent / "py.typed").is_file()


def test_every_dependency_has_a_lower_bound():
    """Each run-time dependency states the oldest release it works with; CI installs exactly those."""
    assert [one for one in PROJECT["dependencies"] if ">=" not in one] == []


def test_the_oldest_python_is_the_one_that_the_tools_check():
    """`requires-python`, ruff and mypy name the same release."""
    tools = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert PROJECT["requires-python"] == ">=3.10"
    assert (tools["ruff"]["target-version"], tools["mypy"]["python_version"]) == ("py310", "3.10")
