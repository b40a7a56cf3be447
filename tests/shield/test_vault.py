"""Vaults: placeholders over several turns, and at rest."""

from __future__ import annotations

import os
import pickle
import stat
from pathlib import Path
from threading import Event, Thread

import pytest

from edgeagent.errors import ConfigurationError
from edgeagent.shield import Shield, Vault
from tests.shield.finding import Forms
from tests.support.children import forked

KEY = bytes(range(32))


def test_one_value_has_one_placeholder() -> None:
    """Values are numbered by their label, in the order in which they come; spellings of one are one."""
    vault = Vault()
    told = [("EMAIL_ADDRESS", "a@x.com"), ("EMAIL_ADDRESS", "A@X.COM"), ("EMAIL_ADDRESS", "b@x.com"), ("US_SSN", "1")]
    tokens = [vault.entity(kind, value).token for kind, value in told]
    assert tokens == ["<EMAIL_1>", "<EMAIL_1>", "<EMAIL_2>", "<SSN_1>"]
    assert [entity.value for entity in vault.entities()] == ["a@x.com", "b@x.com", "1"]


def test_labels_that_read_alike() -> None:
    """Two labels with the same letters are numbered together: a model may leave out what is between them."""
    vault = Vault()
    told = [("A_BC", "1"), ("AB_C", "2"), ("AB_C", "1")]
    assert [vault.entity(*one).token for one in told] == ["<A_BC_1>", "<AB_C_2>", "<A_BC_1>"]


def test_a_copy() -> None:
    """It goes on from what the first knows, and each learns for itself."""
    vault = Vault()
    first = vault.entity("PHONE", "+1 555 0100")
    days = vault.days()
    other = vault.copy()
    assert other.entities() == (first,)
    assert other.known("PHONE", "+1 555 0100", "mask") == first
    assert other.days() == days
    assert other.entity("PHONE", "+1 555 0101").token == vault.entity("PHONE", "+1 555 0102").token
    assert len(vault) == len(other) == 2
    assert vault.known("PHONE", "+1 555 0101", "mask") is None


def test_it_shows_nothing() -> None:
    """Neither repr nor pickle tells a value; an empty vault is a vault."""
    vault = Vault()
    assert vault
    vault.entity("EMAIL_ADDRESS", "a@x.com")
    assert repr(vault) == "<Vault of 1 values>"
    assert repr(vault.entities()) == "(Entity(type='EMAIL_ADDRESS', token='<EMAIL_1>', style='mask'),)"
    with pytest.raises(ConfigurationError, match="seal"):
        pickle.dumps(vault)
    with pytest.raises(ConfigurationError, match="session"):
        pickle.dumps(Shield([Forms()]).session(vault))


def test_at_rest(tmp_path: Path) -> None:
    """A saved vault goes on where it was; its file tells nothing, and only its owner may read it."""
    path = tmp_path / "vault"
    vault = Vault.load(path, KEY)
    session = Shield([Forms()], default="pseudonymise")
    first = session.masking(vault).run({"t": "a@x.com 2024-01-31"})["t"]
    vault.entity("US_SSN", "123-45-6789")
    vault.save(path, KEY)
    assert b"a@x" not in path.read_bytes()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
    again = Vault.load(path, KEY)
    assert again.entities() == vault.entities()
    assert session.masking(again).run({"t": "2024-01-31 A@x.com"})["t"].split() == first.split()[::-1]
    assert again.entity("US_SSN", "987-65-4321").token == "<SSN_2>"


@pytest.mark.parametrize(
    "data",
    [b"", b"EAv\x01", Vault().seal(KEY)[:-1], b"x" * 60, Vault().seal(bytes(32))],
    ids=["empty", "the beginning", "cut", "something else", "another key"],
)
def test_what_is_no_vault(data: bytes) -> None:
    """Damage and another key are told as such."""
    with pytest.raises(ConfigurationError, match="no sealed vault"):
        Vault.unseal(data, KEY)


def test_keys() -> None:
    """A key of another length is refused with what to do."""
    with pytest.raises(ConfigurationError, match="token_bytes"):
        Vault().seal(b"short")


def test_threads() -> None:
    """Several threads at once give each value one placeholder."""
    vault = Vault()
    values = [f"{number}@x.com" for number in range(200)]
    threads = [Thread(target=lambda: [vault.entity("EMAIL_ADDRESS", value) for value in values]) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({entity.token for entity in vault.entities()}) == len(vault) == 200


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_does_not_wait_for_a_thread_of_its_parents() -> None:
    """A value is being looked up in another thread while the process forks."""
    vault = Vault()
    inside, go_on = Event(), Event()

    def standin(number: int) -> str:
        inside.set()
        go_on.wait()
        return f"x{number}"

    other = Thread(target=vault.entity, args=("EMAIL_ADDRESS", "a@x.com", standin))
    other.start()
    inside.wait()
    child = forked(lambda: vault.entity("EMAIL_ADDRESS", "b@x.com").token == "<EMAIL_1>")
    go_on.set()
    other.join()
    assert os.waitpid(child, 0)[1] == 0


def test_what_cannot_be_written(tmp_path: Path) -> None:
    """Nothing is left beside a file that could not be put in its place."""
    target = tmp_path / "vault"
    target.mkdir()
    with pytest.raises(OSError, match="vault"):
        Vault().save(target, KEY)
    assert list(tmp_path.iterdir()) == [target]
