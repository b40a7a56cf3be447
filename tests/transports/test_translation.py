"""Recorded requests of one vendor's SDK, answered by another vendor: valid in its format, and told in the SDK's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, get_type_hints

import httpx
import httpx2
import pytest
from openai.types.chat import ChatCompletion
from openai.types.chat.completion_create_params import CompletionCreateParamsNonStreaming
from pydantic import TypeAdapter, ValidationError

from edgeagent import EdgeClient
from edgeagent.providers import Anthropic, Gemini, OpenAI, OpenAICompatible
from edgeagent.transports import transport
from tests.providers.anthropic import vendor_types as anthropic_types
from tests.providers.gemini import vendor_types as gemini_types
from tests.support import report
from tests.support.corpus import Record, records
from tests.support.loopback import Loopback, Request, reply
from tests.transports.sdks import COMPLETION, GENERATED, MESSAGE

OPENAI = TypeAdapter[Any](CompletionCreateParamsNonStreaming)


def openai_fields(body: Mapping[str, Any]) -> list[str]:
    """The body, judged by the `openai` package's typed parameters."""
    OPENAI.validate_python(dict(body))
    return [name for name in body if name not in get_type_hints(CompletionCreateParamsNonStreaming)]


def claude_fields(body: Mapping[str, Any]) -> list[str]:
    return anthropic_types.unknown_fields(body)


TARGETS: dict[str, tuple[Callable[[str], Any], str, dict[str, Any], Callable[[Mapping[str, Any]], list[str]]]] = {
    "openai": (lambda url: OpenAI(api_key="k", base_url=url + "/v1"), "openai/gpt-4o", COMPLETION, openai_fields),
    "claude": (lambda url: Anthropic(api_key="k", base_url=url), "anthropic/claude-opus-4-5", MESSAGE, claude_fields),
    "gemini": (
        lambda url: Gemini(api_key="k", base_url=url + "/v1beta"),
        "gemini/gemini-2.5-flash",
        GENERATED,
        gemini_types.unknown_fields,
    ),
}
WAYS = [
    ("openai.chat", "claude"),
    ("openai.chat", "gemini"),
    ("openai.responses", "claude"),
    ("openai.responses", "gemini"),
    ("anthropic.messages", "openai"),
    ("anthropic.messages", "gemini"),
    ("gemini.generate", "openai"),
    ("gemini.generate", "claude"),
]
ADDRESSES = {
    "openai.chat": "https://api.openai.com/v1/chat/completions",
    "openai.responses": "https://api.openai.com/v1/responses",
    "anthropic.messages": "https://api.anthropic.com/v1/messages",
    "gemini.generate": "https://generativelanguage.googleapis.com/v1beta/models/any:generateContent",
}


def asked(client: httpx.Client, record: Record) -> httpx.Response:
    """The recorded request, unstreamed, for the model `any`, to its vendor's own address."""
    api = record["api"]
    body = {k: v for k, v in record["request"]["body"].items() if k not in {"stream", "stream_options"}}
    if api != "gemini.generate":
        body["model"] = "any"
    headers = {"anthropic-version": "2023-06-01"} if api.startswith("anthropic") else {}
    return client.post(ADDRESSES[api], json=body, headers=headers)


def told(api: str, response: httpx.Response) -> str:
    """The answer's text as the vendor's own parser reads it."""
    if api == "openai.chat":
        return ChatCompletion.model_validate(response.json()).choices[0].message.content or ""
    if api == "openai.responses":
        from openai.types.responses import Response

        return Response.model_validate(response.json()).output_text
    if api == "anthropic.messages":
        from anthropic.types import Message

        return Message.model_validate(response.json()).content[0].text  # type: ignore[union-attr]
    from google.genai import types

    return types.GenerateContentResponse.model_validate(response.json()).text or ""


@pytest.mark.bulk
@pytest.mark.parametrize(("api", "target"), WAYS)
def test_recorded_requests_go_to_another_vendor(api: str, target: str) -> None:
    """What arrives is valid by the vendor's own types; what it answers is valid by the SDK's. The rest is refused."""
    make, model, answer, judge = TARGETS[target]
    counts: Counter[str] = Counter()
    faults: list[str] = []

    def upstream(request: Request) -> bytes:
        return reply(200, answer)

    with Loopback(upstream) as server:
        edge = EdgeClient(providers=[make(server.url)], models={"any": [model]}, cache=False, retry=0, breaker=False)
        with edge, httpx.Client(transport=transport(edge)) as client:
            for record in records(api):
                body = record["request"].get("body")
                if record["status"] != 200 or not isinstance(body, dict):
                    continue
                if api.startswith("openai") and "model" not in body:
                    continue  # a prompt that is stored at the vendor
                before = len(server.requests)
                response = asked(client, record)
                if response.status_code == 400:
                    counts["refused"] += 1
                    if len(server.requests) != before or not response.json()["error"].get("message"):
                        faults.append(f"{record['id']}: refused without a reason")
                    continue
                counts["served"] += 1
                unchecked = response.status_code == 502 and "form was promised" in response.text  # Paris is no JSON
                if not unchecked and (response.status_code != 200 or told(api, response) != "Paris"):
                    faults.append(f"{record['id']}: {response.status_code} {response.text[:200]}")
                    continue
                try:
                    unknown = judge(server.requests[-1].json())
                except ValidationError as error:
                    faults.append(f"{record['id']}: {error}"[:400])
                else:
                    faults += [f"{record['id']}: {name}" for name in unknown]
    note = f"{counts['refused']} refused: the vendor has no such thing"
    report.add(api, f"answered by {target}", counts["served"] - len(faults), len(faults), note)
    assert counts["served"] > counts["refused"]
    assert faults == []


DOCUMENT = {"type": "document", "source": {"type": "url", "url": "https://x.test/paper.pdf"}}
ASK = {"model": "any", "max_tokens": 9, "messages": [{"role": "user", "content": [DOCUMENT]}]}
CLAUDES = {"anthropic-version": "2023-06-01"}


def test_a_document_by_its_url_goes_to_who_reads_it() -> None:
    """Gemini fetches it; chat completions of OpenAI's cannot, and are not asked where another can."""
    models = [TARGETS["openai"][1], TARGETS["gemini"][1]]
    with Loopback(lambda request: reply(200, GENERATED)) as server:
        providers = [TARGETS[name][0](server.url) for name in ("openai", "gemini")]
        edge = EdgeClient(providers=providers, models={"any": models, "blind": models[:1]}, retry=0)
        with edge, httpx.Client(transport=transport(edge)) as client:
            response = client.post(ADDRESSES["anthropic.messages"], json=ASK, headers=CLAUDES)
            assert told("anthropic.messages", response) == "Paris"
            (request,) = server.requests
            linked = {"mimeType": "application/pdf", "fileUri": "https://x.test/paper.pdf"}
            assert request.json()["contents"] == [{"role": "user", "parts": [{"fileData": linked}]}]
            refused = client.post(ADDRESSES["anthropic.messages"], json={**ASK, "model": "blind"}, headers=CLAUDES)
            assert refused.status_code == 400
            assert "file_urls" in refused.json()["error"]["message"]
            assert len(server.requests) == 1


def test_a_video_of_googles_goes_to_who_sees_it() -> None:
    """Under Google's SDK; OpenAI and Claude see none, and are not asked."""
    video = {"inlineData": {"mimeType": "video/mp4", "data": "AAAA"}}
    body = {"contents": [{"role": "user", "parts": [video, {"text": "?"}]}]}
    with Loopback(lambda request: reply(200, COMPLETION)) as server:
        seeing = OpenAICompatible(name="vllm", base_url=server.url + "/v1")
        providers = [*(TARGETS[name][0](server.url) for name in ("openai", "claude")), seeing]
        models = [TARGETS["openai"][1], TARGETS["claude"][1], "vllm/qwen-vl"]
        edge = EdgeClient(providers=providers, models={"any": models, "blind": models[:2]}, retry=0)
        with edge, httpx.Client(transport=transport(edge)) as client:
            assert told("gemini.generate", client.post(ADDRESSES["gemini.generate"], json=body)) == "Paris"
            (request,) = server.requests
            seen = {"type": "video_url", "video_url": {"url": "data:video/mp4;base64,AAAA"}}
            assert request.json()["messages"][0]["content"] == [seen, {"type": "text", "text": "?"}]
            refused = client.post(ADDRESSES["gemini.generate"].replace("any", "blind"), json=body)
            assert refused.status_code == 400
            assert "cannot do video" in refused.json()["error"]["message"]
            assert len(server.requests) == 1


def test_a_file_of_googles_by_its_url_goes_to_claude() -> None:
    """It is a document that Claude fetches, not a file that was uploaded to Anthropic."""
    linked = {"fileData": {"mimeType": "application/pdf", "fileUri": "https://x.test/paper.pdf"}}
    with Loopback(lambda request: reply(200, MESSAGE)) as server:
        edge = EdgeClient(providers=[TARGETS["claude"][0](server.url)], models={"any": [TARGETS["claude"][1]]}, retry=0)
        with edge, httpx.Client(transport=transport(edge)) as client:
            body = {"contents": [{"role": "user", "parts": [linked]}]}
            response = client.post(ADDRESSES["gemini.generate"], json=body)
            assert told("gemini.generate", response) == "Paris"
            assert server.requests[0].json()["messages"][0]["content"] == [DOCUMENT]


CALLS: dict[str, Any] = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"city":"Paris"}'},
}
CALLING: dict[str, Any] = {
    **COMPLETION,
    "choices": [{"index": 0, "message": {"role": "assistant", "tool_calls": [CALLS]}, "finish_reason": "tool_calls"}],
}


def test_the_tool_runner_of_anthropics_sdk_is_answered_by_another_vendor() -> None:
    """It would have Anthropic keep the conversation; told that this is not to be had, it sends all of it."""
    import anthropic

    @anthropic.beta_tool
    def weather(city: str) -> str:
        """The weather of a city."""
        return f"Sunny in {city}."

    with Loopback(lambda request: reply(200, COMPLETION if "Sunny" in str(request.json()) else CALLING)) as server:
        edge = EdgeClient(providers=[TARGETS["openai"][0](server.url)], models={"any": [TARGETS["openai"][1]]}, retry=0)
        http = anthropic.DefaultHttpxClient(transport=transport(edge))
        with edge, anthropic.Anthropic(api_key="k", http_client=http) as claude:
            question: Any = {"role": "user", "content": "?"}
            ask: Any = {"model": "any", "max_tokens": 9, "messages": [question], "tools": [weather]}
            message = claude.beta.messages.tool_runner(**ask).until_done()
            assert [block.text for block in message.content if block.type == "text"] == ["Paris"]
            asked = [request.json() for request in server.requests]
            assert [len(body["messages"]) for body in asked] == [1, 3]
            assert not any("thread" in body for body in asked)


def test_a_thread_that_anthropic_keeps_is_not_cached() -> None:
    """Who gets the id of a stored answer would continue the thread of somebody else."""
    with Loopback(lambda request: reply(200, MESSAGE)) as server:
        edge = EdgeClient(providers=[TARGETS["claude"][0](server.url)], models={"any": [TARGETS["claude"][1]]}, retry=0)
        with edge, httpx2.Client(transport=transport(edge)) as client:
            ask = {**ASK, "messages": [{"role": "user", "content": "?"}], "thread": {"type": "create"}}
            for _ in range(2):
                response = client.post(ADDRESSES["anthropic.messages"], json=ask, headers=CLAUDES)
                assert response.status_code == 200
            assert [request.json()["thread"] for request in server.requests] == [{"type": "create"}] * 2
