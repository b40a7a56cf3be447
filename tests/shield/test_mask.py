"""Masking: a bijection over everything in a request, in whichever form it stands there."""

from __future__ import annotations

import base64
import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.errors import ConfigurationError, ShieldBlockedError
from edgeagent.shield import Match, Pattern, Policy, Shield, Standard, Vault
from edgeagent.shield.json_text import is_json
from edgeagent.shield.standins import standin
from tests.shield.finding import Forms

KEY = b"k" * 32


def shield(**changes: Any) -> Shield:
    return Shield([Forms()], key=KEY, **changes)


def masked(parts: dict[str, Any], **changes: Any) -> Any:
    return shield(**changes).masking().run(parts)


def text(value: str, **changes: Any) -> str:
    return masked({"text": value}, **changes)["text"]


@pytest.mark.parametrize(
    ("action", "wanted"),
    [
        ("mask", "<EMAIL_1>, <EMAIL_1>, <EMAIL_2>"),
        ("pseudonymise", "robin.marsh1@example.org, robin.marsh1@example.org, kim.archer2@example.net"),
        ("redact", "<EMAIL>, <EMAIL>, <EMAIL>"),
        ("allow", "a@x.com, A@x.com, b@x.com"),
        ("report", "a@x.com, A@x.com, b@x.com"),
    ],
)
def test_actions(action: Any, wanted: str) -> None:
    """Each action does what it says, and spellings of one value are one value."""
    assert text("a@x.com, A@x.com, b@x.com", default=action) == wanted


def test_hash() -> None:
    """A hash is the same for the same value under the same key, and no other."""
    one, two, three = text("a@x.com A@x.com b@x.com", default="hash").split()
    assert one == two != three
    assert one.startswith("<EMAIL_#")
    other = Shield([Forms()], key=b"o" * 32, default="hash").preview("a@x.com").text
    assert other != one
    assert not shield(default="hash").masking().restorer()


def test_block() -> None:
    """A refusal names types and places, and no value; in a request nothing is masked then."""
    vault = Vault()
    masking = shield(actions={"US_SSN": "block"}).masking(vault)
    with pytest.raises(ShieldBlockedError) as caught:
        masking.run({"messages": [{"role": "user", "content": "a@x.com 123-45-6789"}]})
    error = caught.value
    assert error.findings == (("US_SSN", "messages[0].content", 8, 19),)
    assert "US_SSN in messages[0].content [8:19]" in str(error)
    assert "123-45" not in repr(error.__dict__)
    assert error.code == "shield_blocked"
    assert error.param == "messages[0].content"
    assert not len(vault)


def test_patterns_of_types() -> None:
    """A type's own action comes before that of a pattern of names, and both before the default."""
    policy = Policy({"*_KEY": "block", "API_KEY": "allow"}, "report")
    assert [policy.action(kind) for kind in ("API_KEY", "PRIVATE_KEY", "US_SSN")] == ["allow", "block", "report"]


def test_threshold() -> None:
    """Matches below the threshold are none."""
    low = Shield([Forms(score=0.3)], threshold=0.5)
    assert low.preview("a@x.com").text == "a@x.com"
    assert low.find("a@x.com") == []


def test_everything_in_a_request() -> None:
    """System prompts, all turns and parts, tools, arguments, results, names, `user`, metadata, files: one numbering."""
    file = "data:text/plain;base64," + base64.b64encode(b"file f@x.com").decode()
    out = masked(
        {
            "messages": [
                {"role": "system", "content": "s@x.com"},
                {"role": "user", "name": "n@x.com", "content": [{"type": "text", "text": "p@x.com"}]},
                {"role": "user", "content": [{"type": "file", "file": {"file_data": file, "filename": "g@x.com.txt"}}]},
                {
                    "role": "assistant",
                    "content": None,
                    "tool_calls": [
                        {
                            "id": "call_1234",
                            "type": "function",
                            "function": {
                                "name": "send",
                                "arguments": '{"to": "s@x.com", "k@x.com": [1.50, "a\\u0040x.com"]}',
                            },
                        }
                    ],
                },
                {"role": "tool", "tool_call_id": "call_1234", "content": '{"ssn": "123-45-6789"}'},
            ],
            "tools": [{"type": "function", "function": {"name": "send", "description": "asks d@x.com"}}],
            "user": "u@x.com",
            "metadata": {"id": "m@x.com"},
        }
    )
    told = json.dumps(out)
    assert "@x" not in told
    assert "123-45" not in told
    assert out["messages"][0]["content"] == "<EMAIL_1>"
    assert out["messages"][1]["name"] == "EMAIL_2"
    call = out["messages"][3]["tool_calls"][0]
    arguments = call["function"]["arguments"]
    assert call["id"] == "call_1234"
    assert call["function"]["name"] == "send"
    assert '"to": "<EMAIL_1>"' in arguments
    assert "1.50" in arguments
    assert is_json(arguments)
    data = out["messages"][2]["content"][0]["file"]["file_data"].partition(",")[2]
    assert base64.b64decode(data) == b"file <EMAIL_4>"


def test_json_numbers() -> None:
    """A number that is found becomes a text, and the JSON stays valid; other numbers stay as they are written."""
    out = text('{"card": 4111111111111111, "price": 1.50}')
    assert out == '{"card": "<CARD_1>", "price": 1.50}'


def test_objects_are_read_as_json_is() -> None:
    """A tool's input may be an object: its numbers are read, keys say what values are, nothing is a word."""
    values = {"card": 4111111111111111, "password": "hunter2x", "type": "letter", "signature": "s@x.com", "n": 41}
    by_key = Pattern("PASSWORD", r'(?<="password": ")[^"]+')
    out = (
        Shield([Forms(), by_key])
        .masking()
        .run(
            {
                "messages": [{"role": "assistant", "content": [{"type": "tool_use", "name": "f", "input": values}]}],
                "metadata": {"card": 4111111111111111},
                "seed": {"deep": [4111111111111111, 10**5000, 5]},
            }
        )
    )
    assert out["messages"][0]["content"][0]["input"] == {
        "card": "<CARD_1>",
        "password": "<PASSWORD_1>",
        "type": "letter",
        "signature": "<EMAIL_1>",
        "n": 41,
    }
    assert out["metadata"] == {"card": "<CARD_1>"}
    assert out["seed"] == {"deep": ["<CARD_1>", 10**5000, 5]}


def test_a_number_that_stands_for_a_number() -> None:
    """A stand-in of a number is a number in an object, too; a place says where it was found."""
    out = masked({"metadata": {"card": 4111111111111111}}, default="pseudonymise")
    assert isinstance(out["metadata"]["card"], int)
    assert len(str(out["metadata"]["card"])) == 16
    with pytest.raises(ShieldBlockedError, match=r"CREDIT_CARD in metadata\.card \[0:16\]"):
        masked({"metadata": {"card": 4111111111111111}}, default="block")


def test_a_number_is_no_text_that_is_nothing_but_a_number() -> None:
    """A check digit alone makes a cell of a table an identifier, but no limit of a schema and no time."""
    number = 8001015009087
    real = Shield([Standard()])
    assert real.preview(str(number)).text != str(number)
    parts = {
        "tools": [{"parameters": {"properties": {"at": {"maximum": number, "enum": [number]}}}}],
        "metadata": {"created": number},
        "other": {"created": number, "many": [number]},
    }
    assert real.masking().run(parts) == parts


NAME = "ask-123-45-6789"


@pytest.mark.parametrize(
    "part",
    [
        {"type": "function", "function": {"name": NAME, "description": "d"}},
        {"type": "custom", "custom": {"name": NAME, "description": "d"}},
        {"name": NAME, "description": "d", "input_schema": {}},
        {"type": "web_search_20250305", "name": NAME},
        {"functionDeclarations": [{"name": NAME, "description": "d"}, {"name": NAME, "parametersJsonSchema": {}}]},
        {"toolConfig": {"functionCallingConfig": {"allowedFunctionNames": [NAME]}}},
        {"type": "mcp", "server_label": NAME, "allowed_tools": [NAME]},
        {"type": "allowed_tools", "tools": [{"type": "function", "name": NAME}]},
        {"parts": [{"functionCall": {"name": NAME, "args": {}}}, {"functionResponse": {"name": NAME, "response": {}}}]},
        {"toolUse": {"toolUseId": "t", "name": NAME, "input": {}}},
        {"function_call": {"name": NAME}},
        {"type": "json_schema", "json_schema": {"name": NAME, "schema": {}}},
        {"format": {"type": "json_schema", "name": NAME, "schema": {}}},
    ],
)
def test_names_of_tools(part: dict[str, Any]) -> None:
    """A name without brackets, which vendors do not take there, and the same one wherever the tool is spoken of."""
    out = json.dumps(masked({"x": [part]})["x"])
    assert "ask-SSN_1" in out
    assert "<" not in out
    assert "123-45" not in out


def test_names_that_would_be_the_same() -> None:
    """A tool that is called what another one's name becomes keeps its name for itself."""
    masking = shield().masking()
    names = ["1-a@x.com", "1-EMAIL_1", "1-a@X.com"]
    out = masking.run({"tools": [{"type": "function", "function": {"name": name}} for name in names]})
    new = [tool["function"]["name"] for tool in out["tools"]]
    assert len(set(new)) == 3
    assert [masking.restorer().name(name) for name in new] == names


def test_half_a_character_in_json() -> None:
    """An escape that UTF-8 cannot say stays an escape, and the text can be sent."""
    out = text(r'{"to": "\ud83d a@x.com", "half": "\ud83d"}')
    assert out == r'{"to": "\ud83d <EMAIL_1>", "half": "\ud83d"}'


@pytest.mark.parametrize("action", ["mask", "pseudonymise", "hash", "redact"])
def test_half_a_character_in_a_value(action: Any) -> None:
    """A value that UTF-8 cannot say is masked as others are, and comes back in JSON text as the escape that it was."""
    masking = shield(default=action).masking()
    out = masking.run({"text": r'{"to": "password: ab\ud83dcd9"}'})["text"]
    restorer = masking.restorer()
    if action in ("mask", "pseudonymise"):
        assert restorer.text(out, json=True) == r'{"to": "password: ab\ud83dcd9"}'
        assert restorer.text("%3CPASSWORD_1%3E") == ("ab%ED%A0%BDcd9" if action == "mask" else "%3CPASSWORD_1%3E")
    else:
        assert not restorer
        assert r"\ud83d" not in out


@pytest.mark.parametrize("value", ["<p@ss>word1", "<<<ab12", "<abc_12>x", "<ABC_12>", "%3cab_1x"])
def test_stand_ins_for_values_in_brackets(value: str) -> None:
    """A stand-in that begins as a placeholder does comes back as what it stands for."""
    masking = shield(default="pseudonymise").masking()
    out = masking.run({"text": f"password: {value}"})["text"]
    assert value not in out
    assert masking.restorer().text(f"so {out} it is") == f"so password: {value} it is"


def test_a_literal_beside_a_stand_in() -> None:
    """Text that looks like the placeholder of text that looks like a stand-in is none of ours either."""
    masking = shield(default="pseudonymise").masking()
    said = "<LITERAL_1> a@x.com, see robin.marsh1%40example.org"
    out = masking.run({"text": said})["text"]
    assert out == "<LITERAL_1> robin.marsh1@example.org, see <LITERAL_2>"
    assert masking.restorer().text(out) == said


def test_a_literal_that_is_another_spelling_of_a_stand_in() -> None:
    """Text of the request that a regrouped stand-in could be taken for comes back as it was."""
    masking = Shield.default(actions={"*": "pseudonymise"}).masking()
    made = standin("CREDIT_CARD", "4111 1111 1111 1111", 1) or ""
    said = f"card 4111 1111 1111 1111, ours is {made.replace(' ', '')}"
    out = masking.run({"text": said})["text"]
    assert out == f"card {made}, ours is <LITERAL_1>"
    assert masking.restorer().text(out) == said
    assert masking.restorer().text(made.replace(" ", "")) == "4111111111111111"


def test_json_in_json() -> None:
    """JSON text inside of JSON text is looked into, and stays JSON on every level."""
    inner = json.dumps({"mail": "a@x.com", "note": 'say "hi"\n'})
    out = text(json.dumps({"body": json.dumps({"deep": inner})}))
    deep = json.loads(json.loads(json.loads(out)["body"])["deep"])
    assert deep == {"mail": "<EMAIL_1>", "note": 'say "hi"\n'}


def test_a_value_found_once_is_replaced_everywhere() -> None:
    """What is recognised by the words beside it is replaced where it stands without them, in JSON numbers too."""
    out = masked({"messages": ["password: 31415926", "try 31415926 now, not 314159265", '{"pin": 31415926}']})
    assert out["messages"] == [
        "password: <PASSWORD_1>",
        "try <PASSWORD_1> now, not 314159265",
        '{"pin": "<PASSWORD_1>"}',
    ]


@pytest.mark.parametrize("name", ["\u0130smail \u00d6z", "\u0392\u0391\u03a3\u0399\u039b\u0395\u0399\u03a3\u0391"])
def test_letters_with_two_small_forms(name: str) -> None:
    """A value is replaced everywhere, whatever becomes of its length, or of a sigma, in lower case."""

    class Named:
        def find(self, text: str, /) -> list[Match]:
            at = text.find(f"am {name}")
            return [] if at < 0 else [Match("PERSON", at + 3, at + 3 + len(name))]

    assert Shield([Named()]).preview(f"I am {name}; signed {name}.").text == "I am <PERSON_1>; signed <PERSON_1>."


def test_text_that_looks_like_a_placeholder() -> None:
    """It is replaced itself, in any spelling, so that it is never taken for ours, and comes back as it was."""
    masking = shield().masking()
    original = "<EMAIL_1> &lt;email 2&gt; a@x.com <LITERAL_7> <CARD_1> <h1>"
    out = masking.run({"text": original})["text"]
    assert out == "<LITERAL_1> <LITERAL_2> <EMAIL_1> <LITERAL_3> <CARD_1> <h1>"
    assert masking.restorer().text(out) == original


def test_nothing_found_changes_nothing() -> None:
    """A request in which nothing is found is sent as it is written."""
    parts = {"messages": [{"role": "user", "content": '<EMAIL_1> {"a": 1.0}'}]}
    assert masked(parts) == parts


def test_overlapping_matches() -> None:
    """What several detectors found in part is replaced whole."""

    class Part:
        fingerprint = "part"

        def find(self, text: str, /) -> Any:
            from edgeagent.shield import Match

            at = text.find("x.com")
            return [Match("URL", at, at + 9)] if at >= 0 else []

    assert Shield([Forms(), Part()]).preview("me a@x.com/abc.").text == "me <URL_1>."


def test_counts() -> None:
    """Different values are counted by type; what is only reported is counted apart."""
    masking = shield(actions={"US_SSN": "report"}).masking()
    masking.run({"t": "a@x.com A@x.com b@x.com 123-45-6789 123-45-6780"})
    assert masking.masked == {"EMAIL_ADDRESS": 2}
    assert masking.reported == {"US_SSN": 2}


def test_media_in_a_dry_run() -> None:
    """What would be refused is counted, once for a request in two formats."""
    image = {"type": "image_url", "image_url": {"url": "https://a"}}
    masking = shield(images="block", dry_run=True).masking()
    parts = {"messages": [{"role": "user", "content": [image]}], "body": {"messages": [image]}}
    assert masking.run(parts) == parts
    assert masking.reported == {"IMAGES": 1}
    allowed = shield(dry_run=True).masking()
    allowed.run(parts)
    assert allowed.reported == {}


def test_dry_run() -> None:
    """A dry run changes and refuses nothing, and counts everything."""
    dry = shield(default="block", images="block").dry()
    masking = dry.masking()
    parts = {
        "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://a"}}]}, "a@x.com"]
    }
    assert masking.run(parts) == parts
    assert masking.reported == {"EMAIL_ADDRESS": 1, "IMAGES": 1}


IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
AUDIO = {"type": "input_audio", "input_audio": {"data": "UklGRg==" * 8, "format": "wav"}}
PDF = {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0=", "filename": "a.pdf"}}


@pytest.mark.parametrize(("part", "kind"), [(IMAGE, "images"), (AUDIO, "audio"), (PDF, "files")])
def test_media(part: dict[str, Any], kind: str) -> None:
    """Media go through, are refused, or are what the caller's redactor makes of them."""
    request = {"messages": [{"role": "user", "content": [part]}]}
    assert masked(request) == request
    with pytest.raises(ShieldBlockedError, match=kind.upper()):
        masked(request, **{kind: "block"})
    made = masked(request, **{kind: lambda _: {"type": "text", "text": "by a@x.com"}})
    assert made["messages"][0]["content"] == [{"type": "text", "text": "by <EMAIL_1>"}]


def test_text_files_are_read_whatever_the_policy() -> None:
    """A file that is text is masked, not refused."""
    file = {"type": "file", "file": {"file_data": "data:text/csv;base64," + base64.b64encode(b"a@x.com").decode()}}
    out = masked({"m": [file]}, files="block")
    assert base64.b64decode(out["m"][0]["file"]["file_data"].partition(",")[2]) == b"<EMAIL_1>"


def test_secrets_with_line_breaks_come_back_in_json() -> None:
    """A key of several lines is restored inside JSON text as JSON has it."""
    masking = shield().masking()
    key = '-----BEGIN KEY-----\nab"c\n-----END KEY-----'
    out = masking.run({"t": f"use {key}"})["t"]
    assert out == "use <PRIVATE_KEY_1>"
    assert json.loads(masking.restorer().text('{"k": "<PRIVATE_KEY_1>"}', json=True)) == {"k": key}


VALUES = [
    "a@x.com",
    "A@X.com",
    "b@x.com",
    "4111 1111 1111 1111",
    "4111111111111111",
    "123-45-6789",
    "key-0123456789abcdef",
]
WORDS = st.sampled_from(
    [*VALUES, "<EMAIL_1>", "<email 2>", "hello", "{", '"', "\\", "<", "LITERAL_1", "Ü", "\n", "2024-01-31"]
)
TEXTS = st.lists(WORDS, max_size=8).map(" ".join)


@given(st.lists(TEXTS, min_size=1, max_size=4), st.sampled_from(["mask", "pseudonymise"]))
def test_masking_is_a_bijection(texts: list[str], action: Any) -> None:
    """Nothing that is found is left, and restoring gives the request again, up to the spelling of equal values."""
    masking = shield(default=action).masking()
    out = masking.run({"messages": texts, "json": [json.dumps({"v": one}) for one in texts]})
    said = json.dumps(out)
    if action == "mask":
        assert not [value for value in VALUES if value.lower() in said.lower()]
    restorer = masking.restorer()
    for one, other, as_json in zip(texts, out["messages"], out["json"], strict=True):
        assert first(restorer.text(other)) == first(one)
        assert first(json.loads(restorer.text(as_json, json=True))["v"]) == first(one)


def first(text: str) -> str:
    return text.replace("A@X.com", "a@x.com").replace("4111 1111 1111 1111", "4111111111111111")


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_a_vault_keeps_placeholders(texts: list[str]) -> None:
    """As a conversation grows, what was masked before is masked the same way again."""
    vault, session = Vault(), shield()
    turns = [session.masking(vault).run({"m": texts[: size + 1]})["m"] for size in range(len(texts))]
    for turn, later in itertools.pairwise(turns):
        same = [a == b for a, b in zip(turn, later, strict=False)]
        assert all(same) or "<email 2>" in str(texts) or "<EMAIL_1>" in str(texts)


class Awaited:
    """Would look at nothing: nobody awaits what it gives."""

    async def find(self, text: str, /) -> Any: ...

    async def before(self, request: Any) -> None: ...


@pytest.mark.parametrize(
    "arguments",
    [
        {"default": "hide"},
        {"actions": {"US_SSN": "hide"}},
        {"images": "hide"},
        {"outbound": "hash"},
        {"actions": ["US_SSN"]},
        {"threshold": "high"},
        {"threshold": 85},
        {"threshold": float("nan")},
        {"dry_run": "no"},
        {"detectors": [object()]},
        {"detectors": ["Standard"]},
        {"detectors": Forms()},
        {"detectors": [Forms]},
        {"detectors": [Awaited()]},
        {"images": Awaited().find},
        {"guards": ["Approval"]},
        {"guards": Awaited()},
        {"guards": [Awaited]},
        {"guards": [Awaited()]},
        {"vault": "vault.bin"},
        {"key": b"short"},
    ],
)
def test_wrong_arguments(arguments: dict[str, Any]) -> None:
    """A shield that cannot work is not made."""
    with pytest.raises(ConfigurationError, match="shield"):
        Shield(**{"detectors": [Forms()], **arguments})


def test_a_stand_in_that_the_request_has_already() -> None:
    """A name that nobody found and that happens to be a stand-in is escaped, and comes back as it was."""
    from edgeagent.shield import Match

    class Ada:
        fingerprint = "ada"

        def find(self, text: str, /) -> Any:
            at = text.find("Ada Lovelace")
            return [Match("PERSON", at, at + 12)] if at >= 0 else []

    masking = Shield([Ada()], default="pseudonymise").masking()
    original = "Ada Lovelace met Robin Marsh."
    out = masking.run({"t": original})["t"]
    assert out == "Robin Marsh met <LITERAL_1>."
    assert masking.restorer().text(out) == original


@pytest.mark.parametrize("value", ["Paßwort1!x", 'hunter2"quoted', r"Tr0ub4dor&3\x", "hunter2\\", "\u00e4" * 9 + "Q7!"])
@pytest.mark.parametrize("as_ascii", [True, False])
def test_values_with_escapes(value: str, as_ascii: bool) -> None:
    """A value that only its key announces is found where JSON writes it with escapes, on every level and in objects."""
    said = {"quote": 'a "b"\n', "password": value, "after": "\u00fc"}
    once = json.dumps(said, ensure_ascii=as_ascii)
    twice = json.dumps({"body": once}, ensure_ascii=as_ascii)
    for name, told in {"text": once, "nested": twice, "input": said}.items():
        masking = Shield([Standard()]).masking()
        out = masking.run({name: told})[name]
        assert _body(out) == {**said, "password": "<PASSWORD_1>"}
        back = masking.restorer()
        assert _body(back.tree({name: out})[name] if name == "input" else back.text(out, json=True)) == said


def _body(told: Any) -> Any:
    """What JSON text says, or JSON text in that."""
    value = json.loads(told) if isinstance(told, str) else told
    return json.loads(value["body"]) if "body" in value else value


@pytest.mark.parametrize("action", ["mask", "redact", "hash"])
@pytest.mark.parametrize("place", ["metadata", "more"])
def test_names_of_members(action: Any, place: str) -> None:
    """Each member of an object is sent, also where the names of several are one value or are redacted."""
    out = masked({place: {"a@x.com": 1, "A@x.com": 2, "b@x.com": 3}}, default=action)[place]
    assert list(out.values()) == [1, 2, 3]
    assert "@" not in json.dumps(out)


@pytest.mark.parametrize("said", ["7a@x.com", "a@x.com2", "7a@x.com, a@x.com", "a@x.com2b@x.com"])
def test_values_in_the_middle_of_a_word(said: str) -> None:
    """A stand-in that is joined to a word would not be recognised: a placeholder stands for the value."""
    masking = shield(default="pseudonymise").masking()
    out = masking.run({"text": said})["text"]
    assert "x.com" not in out
    assert "<EMAIL_1>" in out
    assert masking.restorer().text(out) == said


def test_what_looks_like_a_stand_in_beside_a_value() -> None:
    """Text that looks like a stand-in is escaped beside a value, too: it is not joined to what stands there."""
    masking = shield(actions={"PHONE_NUMBER": "mask"}, default="pseudonymise").masking()
    said = "a@x.com, +49 30 1234567robin.marsh1%40example.org"
    out = masking.run({"text": said})["text"]
    assert out == "robin.marsh1@example.org, <PHONE_1><LITERAL_1>"
    assert masking.restorer().text(out) == said


def test_records_with_many_findings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each string of JSON is compared with what was found near it: ten times the records take ten times as long."""
    from edgeagent.shield import mask

    seen = 0

    def counted(token: Any, spans: Any) -> Any:
        nonlocal seen
        seen += len(spans)
        return inside(token, spans)

    inside = mask._inside
    monkeypatch.setattr(mask, "_inside", counted)
    for size in (100, 1000):
        seen = 0
        said = json.dumps([{"mail": f"a{number}@x.com", "ssn": "123-45-6789"} for number in range(size)])
        assert masked({"text": said})["text"].count("<EMAIL_") == size
        assert seen <= 4 * size


PIN = Pattern("PIN", "[0-9]{3} ?[0-9]{3}", context=["pin"])


def test_what_a_conversation_knows_in_any_spelling() -> None:
    """A spelling that an earlier turn recognised by the words beside it is known in each later one, loaded or not."""
    key, vault = b"k" * 32, Vault()
    shield = Shield([Pattern("US_SSN", "[0-9]{3}[ -]?[0-9]{2}[ -]?[0-9]{4}", context=["ssn"])], vault=vault)
    for told in ("536-22-8145", "536228145"):
        assert shield.masking().run({"user": f"ssn {told}"}) == {"user": "ssn <SSN_1>"}
    for known in (vault, Vault.unseal(vault.seal(key), key)):
        sent = shield.session(known).masking().run({"user": "536228145 is 536-22-8145, not 536 22 8146"})
        assert sent == {"user": "<SSN_1> is <SSN_1>, not 536 22 8146"}


@pytest.mark.parametrize(
    ("action", "sent"),
    [("mask", "is it <PIN_1>?"), ("redact", "is it <PIN>?"), ("allow", "is it 482913?"), ("report", "is it 482913?")],
)
def test_what_a_conversation_knows_is_treated_as_its_type(action: Any, sent: str) -> None:
    """Also where nothing but the vault tells what it is; what is to be refused is refused there, too."""
    shield = Shield([PIN], vault=Vault())
    shield.masking().run({"user": "pin 482913"})
    assert shield.with_actions({"PIN": action}).masking().run({"user": "is it 482913?"}) == {"user": sent}
    with pytest.raises(ShieldBlockedError) as caught:
        shield.with_actions({"PIN": "block"}).masking().run({"user": "is it 482913?"})
    assert caught.value.findings == (("PIN", "user", 6, 12),)
