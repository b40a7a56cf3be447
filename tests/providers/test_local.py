"""The `Local` provider: what needs no model, then llama.cpp itself with a small model."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from struct import pack
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeagent.errors import (
    APIConnectionError,
    BadRequestError,
    ConfigurationError,
    ContextWindowExceededError,
    InternalServerError,
    RequestValidationError,
    ResponseValidationError,
)
from edgeagent.providers.local import Local, engine, gguf
from edgeagent.providers.local.answer import Answer, payload
from edgeagent.providers.local.engine import Engine, EngineOptions
from edgeagent.types import ChatCompletionChunk, ChatRequest
from edgeagent.types.assembly import assemble
from tests.support.local_model import (
    CALL_PROMPT,
    CONTEXT,
    SLOTS,
    TOOL_TEMPLATE,
    WEATHER_TOOL,
    missing,
    required_model_file,
)

ROOT = Path(__file__).resolve().parents[2]
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"type": "integer"}},
    "required": ["name", "age"],
    "additionalProperties": False,
}


def ask(text: str = "Say hi.", **params: Any) -> ChatRequest:
    return ChatRequest(model="any", messages=[{"role": "user", "content": text}], **params)


def text_of(chunks: list[ChatCompletionChunk]) -> str:
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


# GGUF


def gguf_file(folder: Path, **pairs: str) -> Path:
    """A file with metadata of text and nothing else."""

    def text(value: str) -> bytes:
        raw = value.encode()
        return pack("<Q", len(raw)) + raw

    body = b"".join(text(key) + pack("<I", 8) + text(value) for key, value in pairs.items())
    path = folder / "model.gguf"
    path.write_bytes(b"GGUF" + pack("<IQQ", 3, 0, len(pairs)) + body)
    return path


@pytest.fixture
def any_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that `Local` takes, with an engine that is never started."""
    monkeypatch.setattr("edgeagent.providers.local.provider.find_spec", lambda name: object())
    return gguf_file(tmp_path)


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=40), max_size=5), st.text(max_size=60))
def test_the_template_is_found_among_any_metadata(
    tmp_path_factory: pytest.TempPathFactory, others: dict[str, str], template: str
) -> None:
    """Whatever else the metadata holds, the chat template is read as it was written."""
    path = gguf_file(tmp_path_factory.mktemp("gguf"), **{**others, "tokenizer.chat_template": template})
    assert gguf.chat_templates(path) == (template,)


def test_both_templates_of_a_file_are_read(tmp_path: Path) -> None:
    """A file may have a second template for requests with tools."""
    path = gguf_file(tmp_path, **{"tokenizer.chat_template.tool_use": "b", "tokenizer.chat_template": "a"})
    assert gguf.chat_templates(path) == ("a", "b")


@pytest.mark.parametrize(
    "tail",
    [b"", b"tokenizer.chat_template", pack("<Q", 23) + b"tokenizer.chat_template" + pack("<I", 8) + b"\0\0"],
    ids=["nothing", "no head", "cut"],
)
def test_a_file_without_a_whole_template_has_none(tmp_path: Path, tail: bytes) -> None:
    """The key's name alone, or a file that ends in the middle, is no template."""
    path = tmp_path / "x.gguf"
    path.write_bytes(b"GGUF" + pack("<IQQ", 3, 0, 0) + tail)
    assert gguf.chat_templates(path) == ()


# Construction


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A path that leads nowhere is a configuration error that names it."""
    with pytest.raises(ConfigurationError, match=r"nowhere\.gguf cannot be read: No such file"):
        Local(tmp_path / "nowhere.gguf")


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    """What does not begin like a GGUF file is no model."""
    path = tmp_path / "model.bin"
    path.write_bytes(b"PK\3\4")
    with pytest.raises(ConfigurationError, match="not a GGUF file"):
        Local(path)


def test_a_missing_extra_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without llama.cpp the constructor names the command."""
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'edgeagent\[local\]'"):
        Local(gguf_file(tmp_path))


def test_an_extra_that_does_not_load_says_what_to_install(any_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed engine that cannot be imported is the same error, at the first request."""
    monkeypatch.setitem(sys.modules, "xllamacpp", None)
    with pytest.raises(ConfigurationError, match=r"pip install 'edgeagent\[local\]'"):
        Local(any_file).complete(ask())


@pytest.mark.parametrize("argument", ["context", "slots", "threads"])
def test_numbers_below_one_are_refused(any_file: Path, argument: str) -> None:
    """No room, no slot and no thread make no model."""
    with pytest.raises(ConfigurationError, match=f"{argument} must be at least 1; got 0"):
        Local(any_file, **{argument: 0})


def test_the_name_of_the_file_is_the_name_of_the_model(any_file: Path) -> None:
    """`models` tells the router which name leads here."""
    local = Local(str(any_file), name="mine")
    assert (local.name, local.models, local.vendor) == ("mine", ("model",), "llama.cpp")
    assert repr(local) == f"Local({str(any_file)!r}, name='mine')"


@pytest.mark.parametrize(
    ("arguments", "template", "features"),
    [
        ({}, "{{ messages }}", set()),
        ({}, "{% if tools %}…", {"tools"}),
        ({"chat_template": "{{ messages }}"}, "{% if tools %}…", set()),
        ({"chat_template": "{{ tools }}", "slots": 2}, "", {"tools", "n"}),
    ],
)
def test_capabilities_are_those_of_the_template(
    any_file: Path, arguments: dict[str, Any], template: str, features: set[str]
) -> None:
    """Tools are offered only where the template in use has a place for them, several answers where there are slots."""
    gguf_file(any_file.parent, **{"tokenizer.chat_template": template})
    capabilities = Local(any_file, context=99, **arguments).capabilities("any")
    assert capabilities.features == {"json_schema", "logprobs", "stop", "streaming"} | features
    assert capabilities.context_window == 99


def test_the_cache_identity_follows_the_file_and_the_template(any_file: Path) -> None:
    """Another file under the same path, another template or another context must not share cached answers."""
    first = Local(any_file).cache_identity
    assert Local(any_file, name="other", slots=3, threads=1).cache_identity == first
    assert Local(any_file, chat_template="x").cache_identity != first
    assert Local(any_file, context=7).cache_identity != first
    state = any_file.stat()
    os.utime(any_file, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    assert Local(any_file).cache_identity != first


def test_a_file_that_went_away_is_named(any_file: Path) -> None:
    """A provider outlives its file only as a clear error."""
    local = Local(any_file)
    any_file.unlink()
    with pytest.raises(ConfigurationError, match="cannot be read"):
        _ = local.cache_identity
    with pytest.raises(ConfigurationError, match="cannot be read"):
        local.complete(ask())


def test_a_pickle_holds_the_path(any_file: Path) -> None:
    """A provider is rebuilt elsewhere from what it was told."""
    local = Local(any_file, name="mine", context=7, chat_template="{{ tools }}")
    twin = pickle.loads(pickle.dumps(local))
    assert (twin.name, twin.path, twin.models) == (local.name, local.path, local.models)
    assert twin.capabilities("any") == local.capabilities("any")
    assert twin.cache_identity == local.cache_identity


def test_closing_what_was_never_loaded_does_nothing(any_file: Path) -> None:
    """`close` may come first, and twice."""
    local = Local(any_file)
    local.close()
    local.close()
    assert local.busy() == 0


# Requests and answers


def test_the_request_is_always_streamed_with_usage_and_progress() -> None:
    """llama.cpp is asked in one way; progress lets a long prompt be abandoned."""
    body = json.loads(payload(ask(max_tokens=3, top_k=1), "m"))
    assert body == {
        "model": "m",
        "messages": [{"role": "user", "content": "Say hi."}],
        "max_tokens": 3,
        "top_k": 1,
        "stream": True,
        "stream_options": {"include_usage": True},
        "return_progress": True,
    }


@pytest.mark.parametrize(("given", "cached"), [({}, False), ({"cache_prompt": True}, True)])
def test_a_seed_turns_the_prompt_cache_off(given: dict[str, Any], cached: bool) -> None:
    """A seeded request is repeatable, unless it asks for speed itself."""
    assert json.loads(payload(ask(seed=1, **given), "m"))["cache_prompt"] is cached


def event(choices: list[dict[str, Any]], **fields: Any) -> str:
    return json.dumps({"id": "a", "created": 1, "model": "m", "choices": choices, **fields})


def usage_event(completion: int) -> str:
    usage = {"prompt_tokens": 5, "completion_tokens": completion, "total_tokens": 5 + completion}
    return event([], usage=usage)


def test_the_usage_of_several_answers_is_added_up() -> None:
    """llama.cpp tells the usage of each choice; the caller is told one, with the prompt counted once."""
    answer = Answer(ask(n=2))
    chunks: list[ChatCompletionChunk] = []
    for index in (1, 0):
        chunks += answer.feed(event([{"index": index, "delta": {"content": "x"}, "finish_reason": "stop"}]))
        chunks += answer.feed(usage_event(index + 3))
    chunks += answer.end()
    assert [chunk.usage is not None for chunk in chunks] == [False, False, True]
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.to_dict() == {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12}


def test_progress_is_no_part_of_the_answer() -> None:
    """Notes on the prompt's progress are left out."""
    answer = Answer(ask())
    assert answer.feed(event([{"index": 0, "delta": {"role": "assistant"}}], prompt_progress={"total": 9})) == []
    assert text_of(answer.feed(event([{"index": 0, "delta": {"content": "x"}, "finish_reason": "stop"}]))) == "x"
    assert answer.end() == []


def test_an_answer_that_stops_in_the_middle_is_an_error() -> None:
    """Events that end before the answer did are no answer."""
    answer = Answer(ask())
    answer.feed(event([{"index": 0, "delta": {"content": "x"}}]))
    with pytest.raises(APIConnectionError, match="ended before"):
        answer.end()


def test_an_event_that_is_no_chunk_is_an_error() -> None:
    """What llama.cpp has never sent is not passed on."""
    with pytest.raises(ResponseValidationError):
        Answer(ask()).feed('{"choices": 3}')


@pytest.mark.parametrize("params", [{"functions": [{"name": "f"}]}, {"function_call": "auto"}])
def test_the_older_form_of_tools_is_refused(any_file: Path, params: dict[str, Any]) -> None:
    """llama.cpp would ignore `functions` silently."""
    with pytest.raises(RequestValidationError, match="tools") as caught:
        Local(any_file).complete(ask(**params))
    assert caught.value.param == "functions"


# The engine, with a scripted extension in llama.cpp's place


class Extension(ModuleType):
    """Stands for `xllamacpp`: `script` is what a request does."""

    def __init__(self, script: Callable[[str, Callable[[str], bool]], None]) -> None:
        super().__init__("xllamacpp")
        self.params: Any = None
        self.freed = False
        extension = self

        class Server:
            def __init__(self, params: Any) -> None:
                extension.params = params
                if params.model.path == "bad":
                    raise RuntimeError("Failed to init server")

            def handle_chat_completions(self, prompt: str, callback: Callable[[str], bool]) -> None:
                script(prompt, callback)

            def handle_metrics(self) -> str:
                return "# HELP x y\nllamacpp:requests_processing 2\nllamacpp:requests_deferred 1\nllamacpp:n_decode 7\n"

            def __del__(self) -> None:
                extension.freed = True

        self.Server = Server

    def CommonParams(self) -> Any:
        return SimpleNamespace(model=SimpleNamespace(path=""), cpuparams=SimpleNamespace(n_threads=-1))


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., tuple[Engine, Extension]]:
    def start(script: Callable[[str, Callable[[str], bool]], None] = lambda *_: None, **options: Any) -> Any:
        extension = Extension(script)
        monkeypatch.setitem(sys.modules, "xllamacpp", extension)
        return Engine(EngineOptions(**{**OPTIONS, **options})), extension

    return start


OPTIONS: dict[str, Any] = {
    "path": Path("m.gguf"),
    "name": "m",
    "context": 100,
    "slots": 3,
    "threads": None,
    "chat_template": None,
}


def test_llama_cpp_is_told_to_be_silent_private_and_modest(scripted: Any) -> None:
    """No log, no reachable port, no 8 GB of old prompts; a context for every slot."""
    _, extension = scripted()
    params = extension.params
    assert (params.verbosity, params.cache_ram_mib, params.ui, params.endpoint_slots) == (-1, 0, False, False)
    assert (params.n_ctx, params.n_parallel, params.model.path, params.model_alias) == (300, 3, "m.gguf", {"m"})
    assert params.cpuparams.n_threads == -1
    assert not hasattr(params, "chat_template")
    (address,), (key,) = params.hostnames, params.api_keys
    assert not Path(address).parent.exists()
    assert len(key) >= 32


def test_threads_and_template_are_passed_on(scripted: Any) -> None:
    """What the caller says replaces llama.cpp's own choice."""
    _, extension = scripted(threads=5, chat_template="t")
    assert (extension.params.cpuparams.n_threads, extension.params.chat_template) == (5, "t")


def test_without_unix_sockets_it_listens_on_loopback(scripted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows gets a port that only the holder of a random key can use."""
    monkeypatch.setattr(engine.sys, "platform", "win32")
    _, extension = scripted()
    assert extension.params.hostnames == ["127.0.0.1"]


def test_a_file_that_cannot_be_loaded_is_a_configuration_error(scripted: Any) -> None:
    """llama.cpp gives no reason, so the message names the likely ones."""
    with pytest.raises(ConfigurationError, match="could not load bad: the file is damaged"):
        scripted(path="bad")


@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
def test_what_a_receiver_raises_stops_the_generation_and_comes_out(scripted: Any, kind: type[BaseException]) -> None:
    """Nothing is lost in the extension, which drops exceptions of its callbacks."""
    stops: list[bool] = []

    def receive(event: str) -> bool:
        raise kind("mine")

    running, _ = scripted(lambda prompt, callback: stops.append(callback("e")))
    with pytest.raises(kind, match="mine"):
        running.run("{}", receive)
    assert stops == [True]


@pytest.mark.parametrize(("events", "begun"), [([], False), (["e"], True)])
@pytest.mark.parametrize("kind", [ValueError, RuntimeError])
def test_a_refusal_tells_whether_an_answer_had_begun(
    scripted: Any, kind: type[Exception], events: list[str], begun: bool
) -> None:
    """Before the first event the request is at fault, afterwards the engine."""

    def script(prompt: str, callback: Callable[[str], bool]) -> None:
        for one in events:
            callback(one)
        raise kind("no")

    running, _ = scripted(script)
    with pytest.raises(engine.RefusedError, match="no") as caught:
        running.run("{}", lambda event: False)
    assert caught.value.begun is begun


def test_closing_within_an_answer_ends_it_and_frees_the_model(scripted: Any) -> None:
    """`close` from a callback does not wait for itself: the answer is cut, then the model freed."""
    running, extension = scripted(lambda prompt, callback: [callback("a"), callback("b")])
    heard: list[str] = []

    def receive(event: str) -> bool:
        heard.append(event)
        running.close()
        assert not extension.freed
        return False

    with pytest.raises(APIConnectionError, match="closed while it was answering"):
        running.run("{}", receive)
    assert heard == ["a"]
    assert extension.freed
    assert not running.usable
    with pytest.raises(APIConnectionError, match="was closed"):
        running.run("{}", receive)


def test_an_answer_that_was_complete_before_the_close_is_kept(scripted: Any) -> None:
    """A close after the last event takes nothing away."""

    def script(prompt: str, callback: Callable[[str], bool]) -> None:
        callback("a")
        threading.Thread(target=running.close).start()
        while running.usable:
            time.sleep(0)

    running, _ = scripted(script)
    running.run("{}", lambda event: False)


def test_busy_counts_what_runs_and_what_waits(scripted: Any) -> None:
    """Both numbers come from llama.cpp's own metrics."""
    assert scripted()[0].busy() == 3


def test_after_a_fork_the_model_is_left_alone(scripted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Freeing it would wait for threads that the child does not have."""
    running, extension = scripted()
    monkeypatch.setattr(running, "_pid", -1)
    assert not running.usable
    running.close()
    running.close()
    assert running._server is None
    assert not extension.freed


@pytest.mark.parametrize("registered", [[], [("end", None)]])
def test_a_forked_child_leaves_through_exit_where_libc_can(
    monkeypatch: pytest.MonkeyPatch, registered: list[tuple[str, None]]
) -> None:
    """glibc ends such a child before any destructor; other systems need no help."""
    calls: list[tuple[str, None]] = []
    libc = SimpleNamespace(_exit="end", **({"on_exit": lambda *call: calls.append(call)} if registered else {}))
    monkeypatch.setattr("ctypes.CDLL", lambda name: libc)
    engine._leave_through_exit()
    assert calls == registered


def test_a_child_of_a_process_with_a_model_frees_nothing(scripted: Any) -> None:
    """A thread that all models share was left behind, and freeing a model would wait for it."""
    running, extension = scripted()
    running._forked = True
    running.close()
    assert running._server is None
    assert not extension.freed


def test_a_refusal_after_the_first_words_is_a_server_error(any_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What breaks in the middle of an answer was not the caller's fault."""

    def script(prompt: str, callback: Callable[[str], bool]) -> None:
        callback(event([{"index": 0, "delta": {"content": "x"}}]))
        raise RuntimeError("out of memory")

    monkeypatch.setitem(sys.modules, "xllamacpp", Extension(script))
    local = Local(any_file)
    with pytest.raises(InternalServerError, match="out of memory"):
        local.complete(ask())
    with pytest.raises(InternalServerError, match="out of memory"):
        list(local.stream(ask()))


def test_a_stream_that_nobody_reads_starts_nothing(any_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first `next` loads the model; a stream that was closed before gives nothing."""
    extension = Extension(lambda *_: None)
    monkeypatch.setitem(sys.modules, "xllamacpp", extension)
    local = Local(any_file)
    stream = local.stream(ask())
    stream.close()
    assert list(stream) == []
    assert extension.params is None
    with pytest.raises(APIConnectionError, match="before it began"):
        next(local.stream(ask()))
    assert extension.params is not None


def test_a_forked_child_loads_for_itself(any_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In another process the provider forgets an engine whose threads it has not got."""
    monkeypatch.setitem(sys.modules, "xllamacpp", Extension(lambda *_: None))
    local = Local(any_file)
    first = local._loaded()
    assert local._loaded() is first
    monkeypatch.setattr(local, "_pid", -1)
    assert local._loaded() is not first


# llama.cpp itself


@pytest.fixture(scope="module")
def local() -> Iterator[Local]:
    if (reason := missing()) is not None:
        pytest.skip(reason)
    provider = Local(required_model_file(), context=CONTEXT, slots=SLOTS, threads=1)
    yield provider
    provider.close()


@pytest.fixture(scope="module")
def local_with_tools() -> Iterator[Local]:
    if (reason := missing()) is not None:
        pytest.skip(reason)
    provider = Local(required_model_file(), context=CONTEXT, threads=1, chat_template=TOOL_TEMPLATE)
    yield provider
    provider.close()


def wait_until_idle(local: Local, seconds: float = 5.0) -> float:
    """How long it took until no slot was taken."""
    started = time.monotonic()
    while local.busy():
        assert time.monotonic() - started < seconds, "a slot is still taken"
        time.sleep(0.005)
    return time.monotonic() - started


@pytest.mark.local_model
@pytest.mark.skipif(missing() is not None, reason=missing() or "")
class TestModel:
    """What a real model does."""

    def test_it_answers(self, local: Local) -> None:
        """A completion has text, usage that adds up, a finish reason and the file's name."""
        completion = local.complete(ask(max_tokens=8))
        (choice,) = completion.choices
        assert choice.message.content
        assert choice.finish_reason in {"stop", "length"}
        assert completion.model == required_model_file().stem
        assert completion.id.startswith("chatcmpl-")
        assert abs(completion.created - time.time()) < 600
        usage = completion.usage
        assert usage is not None
        assert 0 < usage.completion_tokens <= 8
        assert usage.prompt_tokens > 8
        assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens

    def test_it_goes_on_with_an_answer(self, local: Local) -> None:
        """A conversation that ends with the beginning of its own most likely answer is answered with the rest."""
        asked = ask("Count from one to ten, in words.", temperature=0, max_tokens=24)
        whole = local.complete(asked).choices[0].message.content
        assert whole is not None
        beginning = " ".join(whole.split(" ")[:4])
        messages = [*asked.messages, {"role": "assistant", "content": beginning}]
        going_on = asked.model_copy(update={"messages": messages, "max_tokens": 12})
        rest = local.complete(going_on).choices[0].message.content
        assert rest
        assert whole.startswith(beginning + rest[: len(whole) - len(beginning)])

    def test_a_stream_says_what_a_completion_says(self, local: Local) -> None:
        """With one seed, streamed and unstreamed answers are the same, piece by piece and in sum."""
        request = ask("Name three colours.", seed=7, max_tokens=24)
        chunks = list(local.stream(request))
        streamed, whole = assemble(chunks), local.complete(request)
        assert streamed.choices == whole.choices
        assert streamed.usage == whole.usage
        assert len([chunk for chunk in chunks if text_of([chunk])]) > 5
        assert chunks[-1].usage is not None
        assert chunks[-1].choices == []

    def test_a_seed_gives_the_same_answer_and_another_seed_another(self, local: Local) -> None:
        """Sampling is repeatable, and is sampling."""
        texts = [local.complete(ask("Tell a story.", seed=s, max_tokens=24)).choices[0] for s in (1, 1, 2)]
        assert texts[0] == texts[1] != texts[2]

    def test_temperature_zero_needs_no_seed(self, local: Local) -> None:
        """Greedy decoding gives the likeliest text."""
        texts = {local.complete(ask(temperature=0, max_tokens=12)).choices[0].message.content for _ in range(2)}
        assert len(texts) == 1

    @pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
    def test_the_output_limit_holds(self, local: Local, name: str) -> None:
        """Both names of the limit are obeyed, and the finish reason says so."""
        completion = local.complete(ask("Count to one hundred.", ignore_eos=True, **{name: 5}))
        assert completion.usage is not None
        assert completion.usage.completion_tokens == 5
        assert completion.choices[0].finish_reason == "length"

    @pytest.mark.parametrize("stop", ["e", ["q", "e"]])
    def test_a_stop_sequence_ends_the_answer_and_is_not_in_it(self, local: Local, stop: str | list[str]) -> None:
        """Generation ends before the first stop sequence."""
        request = ask("Count to one hundred in words.", seed=3, max_tokens=60, stop=stop)
        for choice in (local.complete(request).choices[0], assemble(local.stream(request)).choices[0]):
            assert choice.finish_reason == "stop"
            assert "e" not in (choice.message.content or "")

    @pytest.mark.parametrize("streamed", [False, True])
    def test_a_json_schema_is_obeyed(self, local: Local, streamed: bool) -> None:
        """The grammar lets nothing through that the schema does not allow."""
        schema = {"name": "person", "strict": True, "schema": PERSON}
        request = ask("Invent a person.", max_tokens=80, response_format={"type": "json_schema", "json_schema": schema})
        completion = assemble(local.stream(request)) if streamed else local.complete(request)
        assert completion.choices[0].finish_reason == "stop"
        person = json.loads(completion.choices[0].message.content or "")
        assert person.keys() == {"name", "age"}
        assert isinstance(person["name"], str)
        assert len(person["name"]) <= 12
        assert type(person["age"]) is int

    def test_log_probabilities_are_told(self, local: Local) -> None:
        """Every token has its own, and as many alternatives as were asked for."""
        completion = local.complete(ask(max_tokens=4, logprobs=True, top_logprobs=3, temperature=0))
        logprobs = completion.choices[0].logprobs
        assert logprobs is not None
        assert logprobs.content is not None
        assert len(logprobs.content) == 4
        assert "".join(token.token for token in logprobs.content) == completion.choices[0].message.content
        assert all(token.logprob <= 0 and len(token.top_logprobs or ()) == 3 for token in logprobs.content)

    def test_several_answers_to_one_request(self, local: Local) -> None:
        """`n` gives as many choices, and the usage of all of them."""
        completion = local.complete(ask("Count.", n=2, max_tokens=6, ignore_eos=True))
        assert [choice.index for choice in completion.choices] == [0, 1]
        assert completion.usage is not None
        assert completion.usage.completion_tokens == 12
        with pytest.raises(BadRequestError, match="'n'"):
            local.complete(ask(n=SLOTS + 1))

    def test_tools_are_called(self, local_with_tools: Local) -> None:
        """A call has an id, a name and JSON arguments; the conversation goes on with its result."""
        request = ask(CALL_PROMPT, tools=[WEATHER_TOOL], temperature=0, max_tokens=60)
        assert "tools" in local_with_tools.capabilities("any").features
        completion, streamed = local_with_tools.complete(request), assemble(local_with_tools.stream(request))
        for choice in (completion.choices[0], streamed.choices[0]):
            assert choice.finish_reason == "tool_calls"
            (call,) = choice.message.tool_calls or ()
            assert call.id
            assert call.function is not None
            assert call.function.name == "get_weather"
            assert json.loads(call.function.arguments) == {"city": "Paris"}
        message = completion.choices[0].message.to_dict()
        result = {"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "Sunny, 21 degrees."}
        follow_up = request.model_copy(update={"messages": [*request.messages, message, result], "tools": None})
        assert "unny" in (local_with_tools.complete(follow_up).choices[0].message.content or "")

    @pytest.mark.parametrize("streamed", [False, True])
    @pytest.mark.parametrize(
        ("params", "kind", "words"),
        [
            ({"text": "word " * 2 * CONTEXT}, ContextWindowExceededError, "context size"),
            ({"response_format": {"type": "prose"}}, BadRequestError, "response_format"),
            ({"temperature_last_n": 1, "top_k": "many"}, BadRequestError, "top_k"),
            (
                {
                    "response_format": {
                        "type": "json_schema",
                        "json_schema": {"name": "x", "schema": {"$ref": "#/$defs/none"}},
                    }
                },
                BadRequestError,
                "ref",
            ),
        ],
        ids=["context", "format", "type", "schema"],
    )
    def test_refusals_are_typed(
        self, local: Local, params: dict[str, Any], kind: type[BadRequestError], words: str, streamed: bool
    ) -> None:
        """What llama.cpp refuses is a 400 in its own words, streaming or not."""
        request = ask(**params)
        with pytest.raises(kind, match=words) as caught:
            list(local.stream(request)) if streamed else local.complete(request)
        assert type(caught.value) is kind
        assert caught.value.status_code == 400
        assert pickle.loads(pickle.dumps(caught.value)).message == caught.value.message
        assert wait_until_idle(local) < 1

    def test_a_full_context_ends_an_answer(self) -> None:
        """An answer that outgrows the context is cut there."""
        provider = Local(required_model_file(), context=256, threads=1)
        completion = provider.complete(ask("word " * 150, ignore_eos=True))
        provider.close()
        assert completion.choices[0].finish_reason == "length"
        assert completion.usage is not None
        assert 254 <= completion.usage.total_tokens <= 256

    def test_closing_a_stream_frees_its_slot(self, local: Local) -> None:
        """A caller who has read enough costs no more than the token under way."""
        stream = local.stream(ask("Count for ever.", ignore_eos=True))
        assert [next(stream) for _ in range(5)]
        assert local.busy() == 1
        stream.close()
        assert wait_until_idle(local) < 1

    def test_a_stream_can_be_closed_while_a_thread_waits_in_it(self, local: Local) -> None:
        """Whoever waits for the next chunk is told that there is none, at once."""
        stream = local.stream(ask("Count for ever.", ignore_eos=True))
        told: list[int] = []
        reader = threading.Thread(target=lambda: told.append(len(list(stream))))
        reader.start()
        while not local.busy():
            time.sleep(0.001)
        stream.close()
        reader.join(5)
        assert not reader.is_alive()
        assert told[0] < CONTEXT // 2
        assert wait_until_idle(local) < 1
        assert list(stream) == []

    def test_many_threads_share_one_model(self, local: Local) -> None:
        """More requests than slots: each waits for its turn and gets its own answer."""
        requests = [ask("Name a colour.", seed=s, max_tokens=6, temperature=2.0) for s in range(6)]
        before = local._loaded()
        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(local.complete, requests))
        assert len({answer.id for answer in answers}) == 6
        assert len({answer.choices[0].message.content for answer in answers}) > 1
        assert local._loaded() is before

    def test_it_loads_once_and_again_after_close(self) -> None:
        """Threads that ask first at the same time load one model; `close` frees it, a later request loads another."""
        provider = Local(required_model_file(), context=256, threads=1)
        with ThreadPoolExecutor(4) as pool:
            engines = set(pool.map(lambda _: provider._loaded(), range(4)))
        assert len(engines) == 1
        provider.close()
        assert not engines.pop().usable
        assert provider.busy() == 0
        assert provider.complete(ask(max_tokens=1)).choices
        provider.close()

    def test_close_cuts_a_stream(self) -> None:
        """A provider that is closed in the middle of an answer says so to the reader."""
        provider = Local(required_model_file(), context=256, threads=1)
        stream = provider.stream(ask("Count for ever.", ignore_eos=True))
        next(stream)
        provider.close()
        with pytest.raises(APIConnectionError, match="closed while it was answering"):
            list(stream)

    def test_a_stream_keeps_its_provider(self) -> None:
        """A provider that only a stream holds lives as long as that one is read, and no longer."""
        provider = Local(required_model_file(), context=256, threads=1)
        running = provider._loaded()
        stream = provider.stream(ask(max_tokens=8, ignore_eos=True))
        del provider
        assert text_of(list(stream))
        assert not running.usable

    def test_a_forgotten_provider_gives_its_memory_back(self) -> None:
        """A provider that nobody holds any more is freed, a running generation included."""
        provider = Local(required_model_file(), context=256, threads=1)
        stream = provider.stream(ask("Count for ever.", ignore_eos=True))
        next(stream)
        running = provider._loaded()
        del provider, stream
        assert not running.usable
        assert running._server is None


# llama.cpp in a process of its own: what it writes, how it ends


def run_script(script: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A program that has `local` and `ask`."""
    head = f"""
        import contextlib, os, signal, sys, threading, time
        from edgeagent.errors import APIConnectionError
        from edgeagent.providers.local import Local
        from edgeagent.types import ChatRequest
        def ask(text="Say hi.", **params):
            return ChatRequest(model="any", messages=[{{"role": "user", "content": text}}], **params)
        loaded_early = "xllamacpp" in sys.modules
        local = Local({str(required_model_file())!r}, context=512, threads=1)
    """
    code = textwrap.dedent(head) + textwrap.dedent(script)
    command = [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code, *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment, check=False)


@pytest.mark.local_model
@pytest.mark.skipif(missing() is not None, reason=missing() or "")
class TestProcess:
    """What only a whole process shows."""

    def test_it_is_silent_and_loads_late(self) -> None:
        """Neither llama.cpp nor the prompt is heard on stdout or stderr, and nothing is imported too early."""
        done = run_script(
            """
            assert not loaded_early and "xllamacpp" not in sys.modules
            local.capabilities("any"), local.cache_identity
            assert "xllamacpp" not in sys.modules
            local.complete(ask("my secret", max_tokens=3))
            list(local.stream(ask("my secret", max_tokens=3)))
            try:
                local.complete(ask("my secret " * 1000))
            except Exception as error:
                print(type(error).__name__)
            local.close()
            """
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "ContextWindowExceededError\n", "")

    @pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
    def test_nobody_else_can_reach_it(self) -> None:
        """llama.cpp's own server listens on no TCP port, and its Unix socket has no name any more."""
        done = run_script(
            """
            from pathlib import Path
            local.complete(ask(max_tokens=1))
            mine = {os.readlink(fd) for fd in Path("/proc/self/fd").iterdir() if os.path.lexists(fd)}
            for table in ("tcp", "tcp6"):
                for line in Path("/proc/self/net", table).read_text().splitlines()[1:]:
                    assert f"socket:[{line.split()[9]}]" not in mine, line
            for line in Path("/proc/self/net/unix").read_text().splitlines()[1:]:
                field = line.split()
                if f"socket:[{field[6]}]" in mine and len(field) > 7:
                    assert not Path(field[7]).exists(), line
                    print("unlinked")
            """
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "unlinked\n", "")

    @pytest.mark.parametrize("daemon", ["True", "False"])
    def test_the_interpreter_ends_in_the_middle_of_an_answer(self, daemon: str) -> None:
        """A stream that nobody finished does not keep the process alive, and does not crash it."""
        done = run_script(
            """
            streams = [local.stream(ask("Count for ever.", ignore_eos=True))]
            next(streams[0])
            if sys.argv[1] == "True":
                def work():
                    with contextlib.suppress(APIConnectionError):
                        local.complete(ask("Count for ever.", ignore_eos=True))
                threading.Thread(target=work, daemon=True).start()
                while local.busy() < 2: time.sleep(0.01)
            print("end")
            """,
            daemon,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "end\n", "")

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
    def test_a_fork_has_its_own_model(self) -> None:
        """Parent and child both answer after a fork and both end; so does a child that never asks."""
        done = run_script(
            """
            local.complete(ask(max_tokens=1))
            for asks in (True, False):
                child = os.fork()
                if child == 0:
                    if asks:
                        print(len(local.complete(ask(max_tokens=2, ignore_eos=True)).choices), flush=True)
                    sys.exit(0)
                print(os.waitpid(child, 0)[1], flush=True)
            print(len(local.complete(ask(max_tokens=1)).choices))
            """
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "1\n0\n0\n1\n", "")

    @pytest.mark.skipif(sys.platform == "win32", reason="signals")
    @pytest.mark.parametrize("method", ["complete", "stream"])
    def test_control_c_ends_an_answer(self, method: str) -> None:
        """An interrupt stops the generation at its next token and reaches the caller as KeyboardInterrupt."""
        done = run_script(
            """
            signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the suite runs in the background
            local.complete(ask(max_tokens=1))
            def interrupt():
                while not local.busy(): time.sleep(0.01)
                time.sleep(0.1)
                os.kill(os.getpid(), signal.SIGINT)
            threading.Thread(target=interrupt, daemon=True).start()
            try:
                answer = getattr(local, sys.argv[1])(ask("Count for ever.", ignore_eos=True))
                list(answer)
            except KeyboardInterrupt:
                started = time.monotonic()
                while local.busy(): time.sleep(0.01)
                print("interrupted", time.monotonic() - started < 8)
            """,
            method,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, "interrupted True\n", "")

    def test_a_pickle_answers_in_another_process(self) -> None:
        """The path is enough to answer elsewhere."""
        local = Local(required_model_file(), context=512, threads=1)
        code = "import pickle, sys; p = pickle.load(sys.stdin.buffer); print(p.capabilities('any').context_window)"
        done = subprocess.run(
            [sys.executable, "-c", code],
            input=pickle.dumps(local),
            capture_output=True,
            timeout=60,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            check=False,
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, b"512\n", b"")
