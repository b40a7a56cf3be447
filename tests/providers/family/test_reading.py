"""What the flags and the tidying do, one case each, in the smallest answers that show it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from edgeagent.errors import (
    APIStatusError,
    AuthenticationError,
    BadRequestError,
    ContextWindowExceededError,
    InternalServerError,
    RateLimitError,
    ResponseValidationError,
)
from edgeagent.providers.openai import COMPATIBLE, OpenAIChatCodec, Quirks
from edgeagent.providers.openai.tags import ThinkTags
from edgeagent.providers.rows import ROWS
from edgeagent.types import ChatCompletion, ChatCompletionChunk, ChatRequest
from edgeagent.types.assembly import assemble
from edgeagent.wire.http import HTTPResponse

REQUEST = ChatRequest(model="m", messages=[{"role": "user", "content": "?"}])
JSON = Any


def whole(row: str, message: JSON, usage: JSON = None, **choice: JSON) -> ChatCompletion:
    body = {
        "id": "1",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", **choice}],
        "usage": usage,
    }
    codec = OpenAIChatCodec(ROWS[row].quirks)
    return codec.decode_response(HTTPResponse(200, content=json.dumps(body).encode()))


def chunks(row: str, *deltas: JSON, finish: str | None = "stop", **choice: JSON) -> list[ChatCompletionChunk]:
    top = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    parts = [{"index": 0, "delta": delta, **choice} for delta in deltas]
    parts.append({"index": 0, "delta": {}, "finish_reason": finish})
    data = b"".join(b"data: " + json.dumps({**top, "choices": [part]}).encode() + b"\n\n" for part in parts)
    decoder = OpenAIChatCodec(ROWS[row].quirks).stream_decoder(REQUEST)
    return decoder.feed(data + b"data: [DONE]\n\n") + decoder.end()


def streamed(row: str, *deltas: JSON, finish: str | None = "stop", **choice: JSON) -> ChatCompletion:
    return assemble(chunks(row, *deltas, finish=finish, **choice))


# Reasoning


TEXTS = {
    "<think>\nwhy\n</think>\n\nbecause": ("why\n", "because"),
    "  <think>why</think>because": ("why", "because"),
    "<think>why": ("why", ""),
    "<think></think>because": ("", "because"),
    "<think>a</thi</think>b": ("a</thi", "b"),
    "<think>a </thin": ("a </thin", ""),
    "a <think>b</think>": ("", "a <think>b</think>"),
    "<thin": ("", "<thin"),
    "<thought>x": ("", "<thought>x"),
    "": ("", ""),
    "   ": ("", "   "),
    "<think>a</think>b<think>c</think>": ("a", "b<think>c</think>"),
}


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_think_tags(text: str, size: int) -> None:
    """The same parts, in whatever pieces the text comes; nothing but tags and the space around them is lost."""
    tags = ThinkTags()
    told = [tags.feed(text[i : i + size]) for i in range(0, len(text), size)] + [tags.rest()]
    assert ("".join(one for one, _ in told), "".join(two for _, two in told)) == TEXTS[text]


def test_think_tags_hold_little_back() -> None:
    """Spaces without end, or beginnings of tags, are neither kept nor read twice."""
    tags = ThinkTags()
    assert sum(len(tags.feed(" ")[1]) for _ in range(20_000)) > 19_000
    tags = ThinkTags()
    tags.feed("<think>x")
    assert len("".join(tags.feed("</")[0] for _ in range(20_000))) > 39_990


def test_think_tags_only_where_a_row_says_so() -> None:
    """Perplexity writes its reasoning into the text; the same text from another server is text."""
    text = "<think>why</think>because"
    message = whole("perplexity", {"role": "assistant", "content": text}).choices[0].message
    assert (message.reasoning_content, message.content) == ("why", "because")
    parts = [{"role": "assistant", "content": text[i : i + 4]} for i in range(0, len(text), 4)]
    message = streamed("perplexity", *parts).choices[0].message
    assert (message.reasoning_content, message.content) == ("why", "because")
    assert streamed("perplexity", *parts, finish=None).choices[0].message.content == "because"
    assert streamed("perplexity", {"content": "<thi"}, finish=None).choices[0].message.content == "<thi"
    assert whole("groq", {"role": "assistant", "content": text}).choices[0].message.content == text


def test_content_in_parts() -> None:
    """Thinking is reasoning, text is content, and the parts are kept as they came, streamed or not."""
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "why"}]}, {"type": "text", "text": "because"}]
    for completion in (
        whole("vllm", {"role": "assistant", "content": parts}),
        streamed("vllm", {"content": parts[:1]}, {"content": parts[1:]}),
    ):
        message = completion.choices[0].message
        assert (message.reasoning_content, message.content) == ("why", "because")
        assert message.native_content == {"wire": "openai.chat", "content": parts}


def test_details_of_reasoning_stay_apart() -> None:
    """OpenRouter's summary and its encrypted form have one index: joined, they are two, and go back so."""
    summary = {"type": "reasoning.summary", "format": "openai-responses-v1", "index": 0}
    sealed = {"type": "reasoning.encrypted", "format": "openai-responses-v1", "index": 0, "id": "rs_1"}
    completion = streamed(
        "openrouter",
        {"reasoning": "a", "reasoning_details": [{**summary, "summary": "a"}]},
        {"reasoning": "b", "reasoning_details": [{**summary, "summary": "b"}]},
        {"content": "", "reasoning_details": [{**sealed, "data": "XYZ"}]},
        {"content": "c"},
    )
    message = completion.choices[0].message
    assert (message.reasoning_content, message.content) == ("ab", "c")
    assert message.model_extra is not None
    details = message.model_extra["reasoning_details"]
    assert details == [{**summary, "summary": "ab"}, {**sealed, "data": "XYZ", "index": 1}]
    history = [*REQUEST.messages, message.model_dump(exclude_none=True), {"role": "user", "content": "!"}]
    turn = ChatRequest(model="m", messages=history)
    back = OpenAIChatCodec(ROWS["openrouter"].quirks).encode_request(turn, model="m", stream=False)
    assert back.body["messages"][1]["reasoning_details"] == details


# Log probabilities and usage


def test_log_probabilities_of_the_older_form() -> None:
    """Together's parallel lists are OpenAI's list of tokens; a number asks for them, there and back."""
    older = {"tokens": ["Hi"], "token_logprobs": [-0.5], "top_logprobs": [[{"token": "Hi", "logprob": -0.5}]]}
    for completion in (
        streamed("together", {"content": "Hi"}, logprobs=older),
        whole("together", {"role": "assistant", "content": "Hi"}, logprobs=older),
    ):
        logprobs = completion.choices[0].logprobs
        assert logprobs is not None
        [token] = logprobs.content or []
        assert (token.token, token.logprob, (token.top_logprobs or [])[0].token) == ("Hi", -0.5, "Hi")
    codec = OpenAIChatCodec(ROWS["together"].quirks)
    request = codec.decode_request({"model": "m", "messages": REQUEST.messages, "logprobs": 2})
    assert (request.logprobs, request.top_logprobs) == (True, 2)
    assert codec.encode_request(request, model="m", stream=False).body["logprobs"] == 2
    for asked, sent in ((True, 1), (False, None)):
        body = codec.encode_request(REQUEST.model_copy(update={"logprobs": asked}), model="m", stream=False).body
        assert (body.get("logprobs"), "top_logprobs" in body) == (sent, False)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"completion_tokens_details": {"reasoning_tokens": 7}, "total_tokens": 22}, (12, None, 7)),  # xAI: apart
        ({"completion_tokens_details": {"reasoning_tokens": 4}}, (5, None, 4)),
        ({"prompt_cache_hit_tokens": 3, "prompt_cache_miss_tokens": 7}, (5, 3, None)),
        ({"cached_tokens": 3, "reasoning_tokens": 2}, (5, 3, 2)),
        (
            {"prompt_token_details": {"cached_tokens": 1}, "completion_token_details": {"reasoning_tokens": 2}},
            (5, 1, 2),
        ),
        ({"cached_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}}, (5, 4, None)),
        ({"cached_tokens": True, "reasoning_tokens": "2"}, (5, None, None)),
    ],
)
def test_usage(usage: JSON, expected: tuple[int, int | None, int | None]) -> None:
    """Output includes reasoning, and parts stand where OpenAI has them, whatever the server calls them."""
    told = whole(
        "together",
        {"role": "assistant", "content": "x"},
        {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15, **usage},
    ).usage
    assert told is not None
    cached = told.prompt_tokens_details.cached_tokens if told.prompt_tokens_details else None
    reasoning = told.completion_tokens_details.reasoning_tokens if told.completion_tokens_details else None
    assert (told.completion_tokens, cached, reasoning) == expected
    assert usage.keys() <= told.model_dump().keys()


# Calls


def test_ids_that_are_made_up_are_short_and_stable() -> None:
    """A call without an id gets one that every vendor takes, the same in the stream and in the whole answer."""
    call = {"type": "function", "function": {"name": "f", "arguments": "{}"}}
    first = whole("vllm", {"role": "assistant", "content": None, "tool_calls": [call]}, finish_reason="tool_calls")
    second = streamed("vllm", {"tool_calls": [call]}, finish="tool_calls")
    [one], [two] = first.choices[0].message.tool_calls or [], second.choices[0].message.tool_calls or []
    assert one.id == two.id
    assert 0 < len(one.id) <= 40


# Errors


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("deepseek", "This model's maximum context length is 131072 tokens. However, you requested 140000 tokens"),
        ("xai", "This model's maximum prompt length is 131072 but the request contains 140000 tokens."),
        ("moonshot", "Invalid request: Your request exceeded model token limit: 8192"),
        ("zai", "Prompt exceeds max length"),
        ("alibaba", "Range of input length should be [1, 30720]"),
        ("minimax", "invalid params, context window exceeds limit"),
        ("vllm", "The decoder prompt (length 9000) is longer than the maximum model length of 8192."),
        ("sglang", "The input (9000 tokens) is longer than the model's context length (8192 tokens)."),
        ("tgi", "Input validation error: `inputs` must have less than 1024 tokens. Given: 1500"),
        ("tgi", "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 4096."),
        ("llamacpp", "the request exceeds the available context size. try increasing it"),
        ("lmstudio", "However, the model is loaded with context length of only 4096 tokens, which is not enough."),
        ("openrouter", "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."),
        ("vercel", "prompt is too long: 210000 tokens > 200000 maximum"),
        ("fireworks", "The prompt is too long: 140000, model maximum context length: 131072"),
    ],
)
def test_context_overflow_by_its_words(row: str, message: str) -> None:
    """Servers without a code for it say it in words; OpenAI itself is believed by its code alone."""
    response = HTTPResponse(400, content=json.dumps({"error": {"message": message}}).encode())
    assert type(OpenAIChatCodec(ROWS[row].quirks).decode_error(response)) is ContextWindowExceededError
    assert type(OpenAIChatCodec().decode_error(response)) is BadRequestError


@pytest.mark.parametrize(
    "code", ["context_length_exceeded", "tokens_limit_reached", "model_max_prompt_tokens_exceeded"]
)
def test_context_overflow_by_its_code(code: str) -> None:
    """A code says it whatever the words are."""
    response = HTTPResponse(413, content=json.dumps({"error": {"code": code, "message": "No."}}).encode())
    assert type(OpenAIChatCodec(COMPATIBLE).decode_error(response)) is ContextWindowExceededError


@pytest.mark.parametrize(
    "words",
    ["max_tokens must be at most 8192", "Invalid max_tokens value, the valid range of max_tokens is [1, 393216]"],
)
def test_what_is_no_overflow(words: str) -> None:
    """A limit on the output that is out of range is the caller's mistake."""
    response = HTTPResponse(400, content=json.dumps({"error": {"message": words}}).encode())
    assert type(OpenAIChatCodec(COMPATIBLE).decode_error(response)) is BadRequestError


@pytest.mark.parametrize(
    ("code", "cls", "status"),
    [(1002, RateLimitError, 429), (1004, AuthenticationError, 401), (1008, APIStatusError, 402), (2013, None, 400)],
)
def test_an_error_of_minimax(code: int, cls: type[APIStatusError] | None, status: int) -> None:
    """A 200 whose `base_resp` is not 0, streamed or not, is that error."""
    codec = OpenAIChatCodec(ROWS["minimax"].quirks)
    told = {"id": "1", "choices": None, "base_resp": {"status_code": code, "status_msg": "no"}}
    data = json.dumps(told).encode()
    decoder = codec.stream_decoder(REQUEST)
    for decode in (
        lambda: codec.decode_response(HTTPResponse(200, content=data)),
        lambda: decoder.feed(b"data: " + data + b"\n\n"),
    ):
        with pytest.raises(cls or BadRequestError) as caught:
            decode()
        assert (caught.value.status_code, caught.value.message, caught.value.code) == (status, "no", str(code))
    fine = {**told, "base_resp": {"status_code": 0, "status_msg": ""}}
    with pytest.raises(ResponseValidationError):
        codec.decode_response(HTTPResponse(200, content=json.dumps(fine).encode()))


def test_a_wait_inside_the_body() -> None:
    """The provider's own `Retry-After`, passed on in OpenRouter's body, counts; nonsense does not."""
    codec = OpenAIChatCodec(ROWS["openrouter"].quirks)
    for fields, wait in (
        ({"Retry-After": "7"}, 7.0),
        ({"X-RateLimit-Reset": "soon"}, None),
        ({"X-RateLimit-Reset": 7}, None),
        ("none", None),
    ):
        body = {"error": {"code": 429, "message": "slow", "metadata": {"headers": fields}}}
        error = codec.decode_error(HTTPResponse(429, content=json.dumps(body).encode()))
        assert isinstance(error, RateLimitError)
        assert error.retry_after == wait


def test_the_words_of_the_server_behind_openrouter() -> None:
    """OpenRouter's own message says nothing; what it passes on does, in an answer of 400 and inside a stream."""
    raw = '{"error":{"type":"invalid_request_error","message":"prompt is too long: 210000 tokens > 200000 maximum"}}'
    told = {"error": {"code": 400, "message": "Provider returned error", "metadata": {"raw": raw}}}
    codec = OpenAIChatCodec(ROWS["openrouter"].quirks)
    error = codec.decode_error(HTTPResponse(400, content=json.dumps(told).encode()))
    assert (type(error), error.message) == (ContextWindowExceededError, "Provider returned error")
    with pytest.raises(ContextWindowExceededError):
        codec.stream_decoder(REQUEST).feed(b"data: " + json.dumps({"choices": [], **told}).encode() + b"\n\n")
    with pytest.raises(ContextWindowExceededError):
        codec.decode_response(HTTPResponse(200, content=json.dumps(told).encode()))


def test_groq_stops_a_stream_early() -> None:
    """`x_groq.error` says why; the id beside it, in every stream, is no error."""
    top = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": []}
    decoder = OpenAIChatCodec(ROWS["groq"].quirks).stream_decoder(REQUEST)
    decoder.feed(b"data: " + json.dumps({**top, "x_groq": {"id": "req_1"}}).encode() + b"\n\n")
    with pytest.raises(InternalServerError, match="over_capacity"):
        decoder.feed(
            b"data: " + json.dumps({**top, "x_groq": {"id": "r", "error": "over_capacity"}}).encode() + b"\n\n"
        )


@pytest.mark.parametrize("reason", ["error", "insufficient_system_resource", "network_error"])
def test_an_answer_that_the_server_did_not_finish(reason: str) -> None:
    """It is an error of the server, and no answer: not one to keep, and one to ask for again."""
    with pytest.raises(InternalServerError) as caught:
        whole("deepseek", {"role": "assistant", "content": "Once"}, finish_reason=reason)
    assert (caught.value.status_code, caught.value.code) == (500, reason)
    with pytest.raises(InternalServerError):
        chunks("deepseek", {"content": "Once"}, finish=reason)


@pytest.mark.parametrize(
    ("told", "meant"),
    [
        ("eos", "stop"),
        ("end_turn", "stop"),
        ("MAX_TOKENS", "length"),
        ("model_context_window_exceeded", "length"),
        ("SAFETY", "content_filter"),
        ("sensitive", "content_filter"),
        ("RECITATION", "content_filter"),
        ("something new", "stop"),
    ],
)
def test_finish_reasons_of_other_vendors(told: str, meant: str) -> None:
    """OpenAI's word, and the vendor's own beside it."""
    for completion in (
        whole("openrouter", {"role": "assistant", "content": "x"}, finish_reason=told),
        streamed("openrouter", {"content": "x"}, finish=told),
    ):
        choice = completion.choices[0]
        assert (choice.finish_reason, choice.native_finish_reason) == (meant, told)


def test_pages_that_a_search_found() -> None:
    """Citations, or where there are none, the results of the search, are annotations, each once in a stream."""
    found = [{"url": "https://a", "title": "A"}, {"title": "no address"}, "nonsense"]
    top = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    parts = [{"index": 0, "delta": {"content": "x"}}, {"index": 0, "delta": {}, "finish_reason": "stop"}]
    for extra, urls in (
        ({"search_results": found}, ["https://a"]),
        ({"search_results": found, "citations": ["https://b", 1, "https://a"]}, ["https://b", "https://a"]),
        ({"citations": []}, []),
    ):
        data = b"".join(b"data: " + json.dumps({**top, **extra, "choices": [p]}).encode() + b"\n\n" for p in parts)
        decoder = OpenAIChatCodec(ROWS["perplexity"].quirks).stream_decoder(REQUEST)
        message = assemble(decoder.feed(data) + decoder.end()).choices[0].message
        told = [one.url_citation for one in message.annotations or ()]
        assert [one.url for one in told if one] == urls
        assert all(one.title == "A" for one in told if one and one.url == "https://a")


def test_openais_own_answers_are_not_tidied() -> None:
    """What OpenAI says stands as OpenAI says it."""
    assert Quirks().lenient is False
    body = {"id": "1", "created": 1, "model": "m", "choices": [{"index": 0, "message": {"content": "x"}}]}
    completion = OpenAIChatCodec().decode_response(HTTPResponse(200, content=json.dumps(body).encode()))
    assert completion.choices[0].finish_reason is None
