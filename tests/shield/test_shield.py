"""The shield as an object: looking, previews, presets, identity, pickles."""

from __future__ import annotations

import pickle
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from edgeagent import EdgeClient
from edgeagent.errors import ConfigurationError
from edgeagent.shield import Match, Shield
from edgeagent.shield.presets import PRESETS
from edgeagent.testing import FakeProvider
from tests.shield.finding import Forms

KEY = b"k" * 32


def test_find_and_preview() -> None:
    """What is in a text in order of place, and what would happen to it."""
    shield = Shield([Forms(), Forms()], actions={"US_SSN": "block"})
    assert [match.type for match in shield.find("4111 1111 1111 1111 a@x.com")] == ["CREDIT_CARD", "EMAIL_ADDRESS"]
    told = shield.preview("a@x.com")
    assert (told.text, told.blocked, told.masked) == ("<EMAIL_1>", False, {"EMAIL_ADDRESS": 1})
    assert told.matches == (Match("EMAIL_ADDRESS", 0, 7, 1.0, "forms"),)
    assert shield.preview("123-45-6789").blocked
    assert shield.preview("123-45-6789").text == ""


@pytest.mark.parametrize("name", PRESETS)
def test_presets(name: str) -> None:
    """Each preset can be had by its name, and changed."""
    shield = Shield.of(name)
    assert isinstance(shield, Shield)
    assert shield.fingerprint == Shield.preset(name).fingerprint
    changed = Shield.preset(name, actions={"CREDIT_CARD": "hash"}, detectors=[Forms()], key=KEY)
    assert changed.policy.action("CREDIT_CARD") == "hash"
    assert "<CARD_#" in changed.preview("4111 1111 1111 1111").text


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("default", "<EMAIL_1> <CARD_1> <API_KEY_1>"),
        ("strict", ""),
        ("gdpr", "robin.marsh1@example.org <CARD_1> <API_KEY_1>"),
        ("hipaa", "<EMAIL_1> <CARD_1> <API_KEY_1>"),
        ("pci", "a@x.com <CARD> <API_KEY_1>"),
    ],
)
def test_what_presets_do(name: str, wanted: str) -> None:
    """What each does to personal data, a card and a key."""
    text = "a@x.com 4111 1111 1111 1111 key-0123456789abcdef"
    assert Shield.preset(name, detectors=[Forms()]).preview(text).text == wanted


def test_values_of_the_argument() -> None:
    """`shield=` takes a shield, a preset's name, True, None or False, and nothing else."""
    shield = Shield([Forms()])
    assert Shield.of(shield) is shield
    assert Shield.of(None) is None
    assert Shield.of(False) is None
    assert isinstance(Shield.of(True), Shield)
    for wrong in ("defualt", 3, object()):
        with pytest.raises(ConfigurationError, match="shield="):
            Shield.of(wrong)
    with pytest.raises(ConfigurationError, match="preset"):
        Shield.preset("gdrp")


def test_identity() -> None:
    """Shields that mask alike are alike in cache keys; any difference in what they do is one."""
    base = Shield([Forms()])
    assert base.fingerprint == Shield([Forms()]).fingerprint == base.session().fingerprint
    others = [
        base.with_actions({"US_SSN": "block"}),
        base.dry(),
        Shield([Forms()], default="redact"),
        Shield([Forms()], threshold=0.5),
        Shield([Forms()], outbound="block"),
        Shield([Forms()], images="block"),
        Shield([Forms()], images=lambda part: part),
        Shield([Forms("US_SSN")]),
        Shield([Forms()], default="hash", key=KEY),
        Shield([Forms()], default="hash", key=b"o" * 32),
    ]
    assert len({shield.fingerprint for shield in (base, *others)}) == 11

    class Unknown:
        def find(self, text: str, /) -> Any:
            return ()

    one, two = Shield([Unknown()]), Shield([Unknown()])
    assert one.fingerprint != two.fingerprint
    assert one.with_actions({}).fingerprint == one.fingerprint


@pytest.mark.parametrize(
    ("shield", "kind", "action"),
    [
        (Shield.default(actions={"*": "mask"}).with_actions({"*_KEY": "block"}), "OPENAI_KEY", "block"),
        (Shield.default(actions={"*_KEY": "allow"}).with_actions({"*": "mask"}), "OPENAI_KEY", "mask"),
        (Shield.default(actions={"US_SSN": "allow"}).with_actions({"US_*": "block"}), "US_SSN", "block"),
        (Shield.default(actions={"US_SSN": "allow"}).with_actions({"UK_*": "block"}), "US_SSN", "allow"),
        (Shield.default(actions={"A_*": "allow"}).with_actions({"A_?": "block"}), "A_BC", "allow"),
        (Shield.default(actions={"*": "allow"}).with_actions({"US_SSN": "mask", "US_*": "block"}), "US_SSN", "mask"),
        (Shield.strict(actions={"*": "report"}), "GITHUB_TOKEN", "report"),
        (Shield.gdpr(actions={"*": "block"}), "EMAIL_ADDRESS", "block"),
        (Shield.pci(actions={"*_KEY": "block"}), "OPENAI_KEY", "block"),
        (Shield.pci(actions={"*_KEY": "block"}), "CREDIT_CARD", "redact"),
    ],
)
def test_later_actions_take_precedence(shield: Shield, kind: str, action: str) -> None:
    """A call's patterns come before all actions of its client, and a client's before those of the preset."""
    assert shield.policy.action(kind) == action


@pytest.mark.parametrize("actions", [{3: "mask"}, {None: "mask"}, {("A",): "mask"}, {"A": "hide"}, ["A"], "A"])
def test_actions_that_are_none(actions: Any) -> None:
    """They are refused when the shield is made, or the call, and not when something is found."""
    for make in (Shield.default, Shield.strict):
        with pytest.raises(ConfigurationError, match="shield: actions"):
            make(actions=actions)
    with pytest.raises(ConfigurationError, match="shield: actions"):
        Shield.default().with_actions(actions)


def blurred(part: dict[str, Any]) -> dict[str, Any]:
    return part


class Blur:
    def __init__(self, level: int, fingerprint: str | None = None) -> None:
        self.level = level
        if fingerprint is not None:
            self.fingerprint = fingerprint

    def __call__(self, part: dict[str, Any]) -> dict[str, Any]:
        return part


def test_the_identity_of_redactors() -> None:
    """A function of a module goes by its name; what may hold something is like no other, unless it says what it is."""

    def of(redactor: Any) -> bytes:
        return Shield([Forms()], images=redactor).fingerprint

    assert of(blurred) == of(blurred)
    assert of(Blur(1, "blur 1")) == of(Blur(1, "blur 1")) != of(Blur(2, "blur 2"))
    unknown = [Blur(1), Blur(2), Blur(1).__call__, partial(blurred), lambda part: part, lambda part: {**part}]
    assert len({of(redactor) for redactor in (*unknown, blurred)}) == 7
    shield = Shield([Forms()], images=unknown[-1])
    assert shield.with_actions({}).fingerprint == shield.fingerprint


@pytest.mark.parametrize("made", [None, "a text", ["list"]])
def test_what_a_redactor_must_give(made: Any) -> None:
    """What is no content part is told as the mistake that it is, before anything is sent."""
    masking = Shield([Forms()], images=lambda part: made).masking()
    with pytest.raises(ConfigurationError, match="images= must give a content part"):
        masking.run({"x": [{"type": "image_url", "image_url": {"url": "https://a"}}]})


def test_the_key_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A key from the environment makes hashes the same in every process."""
    monkeypatch.setenv("EDGEAGENT_SHIELD_KEY", "a long enough secret")
    one, two = (Shield([Forms()], default="hash").preview("a@x.com").text for _ in range(2))
    assert one == two
    monkeypatch.delenv("EDGEAGENT_SHIELD_KEY")
    assert Shield([Forms()], default="hash").preview("a@x.com").text != one


def test_pickles() -> None:
    """A shield goes along with its client; a key or a vault does not."""
    shield = Shield([Forms()], actions={"US_SSN": "block"}, outbound="report")
    again = pickle.loads(pickle.dumps(shield))
    assert again.fingerprint == shield.fingerprint
    with pytest.raises(ConfigurationError, match="EDGEAGENT_SHIELD_KEY"):
        pickle.dumps(Shield([Forms()], key=KEY))
    assert repr(shield) == "<Shield default='mask' actions=1>"
    assert "Vault of 0" in repr(shield.session())


def test_clients() -> None:
    """A client shows its shield; a view may have another, or none; a call too."""
    fake = FakeProvider(lambda request: request.messages[0]["content"], name="fake")
    with EdgeClient(providers=[fake], shield=Shield([Forms()]), cache=False) as client:
        assert client.shield.preview("a@x.com").text == "<EMAIL_1>"
        bare = client.with_options(shield=None)
        with pytest.raises(ConfigurationError, match="no shield"):
            _ = bare.shield
        ask: dict[str, Any] = {"model": "m", "messages": [{"role": "user", "content": "a@x.com"}]}
        for view, edge in (
            (client, {}),
            (client, {"shield": {"EMAIL_ADDRESS": "redact"}}),
            (client, {"shield": False}),
            (bare, {}),
            (bare, {"shield": Shield([Forms()], default="report")}),
        ):
            answer = view.chat.completions.create(**ask, edge=edge)
        assert answer.edge.reported == {"EMAIL_ADDRESS": 1}
        sent = [request.messages[0]["content"] for request in fake.requests]
        assert sent == ["<EMAIL_1>", "<EMAIL>", "a@x.com", "a@x.com", "a@x.com"]
        assert client.to_async().shield is client.shield


def test_a_file(tmp_path: Path) -> None:
    """A configuration file says a preset, or a table of what the constructor takes."""
    path = tmp_path / "edge.toml"
    path.write_text('providers = []\nshield = "pci"\n')
    assert EdgeClient.from_file(path).shield.policy.action("CREDIT_CARD") == "redact"
    path.write_text(
        'providers = []\n[shield]\npreset = "strict"\nimages = "allow"\n[shield.actions]\nUS_SSN = "allow"\n'
    )
    policy = EdgeClient.from_file(path).shield.policy
    assert (policy.images, policy.audio, policy.action("US_SSN"), policy.action("JWT")) == (
        "allow",
        "block",
        "allow",
        "block",
    )
    for wrong in ('preset = "x"', 'key = "x"', "unknown = 1", 'default = "x"'):
        path.write_text(f"[shield]\n{wrong}\n")
        with pytest.raises(ConfigurationError, match=r"edge\.toml"):
            EdgeClient.from_file(path)


def test_a_pickled_client_masks_alike() -> None:
    """A client goes to a worker with its shield, whose answers have the same keys there."""
    with EdgeClient(providers=[], shield=Shield([Forms()], actions={"US_SSN": "redact"})) as client:
        again = pickle.loads(pickle.dumps(client))
    assert again.shield.fingerprint == client.shield.fingerprint
    assert again.shield.preview("123-45-6789 a@x.com").text == "<SSN> <EMAIL_1>"


def test_presets_with_the_package_s_own_detectors() -> None:
    """What each preset does to a text with the detectors that it comes with; patterns of a file are added."""
    text = "Mail ada@acme.example.org, card 4111 1111 1111 1111, password: tr0ub4dor&3"
    assert Shield.default().preview(text).text == "Mail <EMAIL_1>, card <CARD_1>, password: <PASSWORD_1>"
    assert Shield.strict().preview(text).blocked
    assert Shield.secrets_only().preview(text).text == text.replace("tr0ub4dor&3", "<PASSWORD_1>")
    assert Shield.pci().preview(text).text == "Mail ada@acme.example.org, card <CARD>, password: <PASSWORD_1>"
    patterns = [{"name": "EMPLOYEE", "regex": r"E-[0-9]{4}"}]
    one, two = (Shield.preset("default", patterns=patterns) for _ in range(2))
    assert one.preview("E-1234 ada@acme.example.org").text == "<EMPLOYEE_1> <EMAIL_1>"
    assert one.fingerprint == two.fingerprint != Shield.default().fingerprint
    assert pickle.loads(pickle.dumps(Shield.secrets_only())).fingerprint == Shield.secrets_only().fingerprint


@pytest.mark.parametrize("pattern", [{"name": "X"}, {"name": "X", "regex": "x", "colour": "red"}, "X"])
def test_patterns_that_are_none(pattern: Any) -> None:
    """Arguments that `Pattern` does not take are refused with an error of this package, in code too."""
    with pytest.raises(ConfigurationError, match="shield: patterns"):
        Shield.preset("default", patterns=[pattern])


def test_a_short_key_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """It must be as long as one that is given, since both keep values from being guessed; none is a random one."""
    monkeypatch.setenv("EDGEAGENT_SHIELD_KEY", "secret")
    with pytest.raises(ConfigurationError, match="EDGEAGENT_SHIELD_KEY must be at least 16 bytes") as caught:
        Shield([Forms()])
    assert "secret" not in str(caught.value)
    assert Shield([Forms()], key=KEY).key == KEY
    monkeypatch.setenv("EDGEAGENT_SHIELD_KEY", "")
    assert len(Shield([Forms()]).key) == 32
