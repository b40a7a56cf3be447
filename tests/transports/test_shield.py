"""The transport with a shield: what it understands is masked and restored, what it does not is refused."""

from __future__ import annotations

import json
from typing import Any

import anyio
import httpx
import pytest

from edgeagent import EdgeClient
from edgeagent.providers import Anthropic, OpenAI
from edgeagent.shield import Shield
from edgeagent.transports import transport
from tests.shield.finding import Forms
from tests.support.loopback import Loopback, Request, events, reply

HEADERS = {"x-api-key": "k", "anthropic-version": "2023-06-01"}

BODY: dict[str, Any] = {
    "model": "claude-haiku-4-5",
    "max_tokens": 9,
    "system": "Help a@x.com",
    "messages": [
        {"role": "user", "content": [{"type": "text", "text": "I am b@x.com"}]},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"to": "b@x.com"}}],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": "sent to b@x.com"}]},
    ],
}


def message(request: Request) -> dict[str, Any]:
    said = request.json()["messages"][-1]["content"][0]["content"]
    content = [
        {"type": "text", "text": said},
        {"type": "tool_use", "id": "toolu_2", "name": "f", "input": {"to": said}},
    ]
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": content,
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }


def streamed(request: Request) -> Any:
    whole = message(request)
    text = whole["content"][0]["text"]
    told: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**whole, "content": [], "stop_reason": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *(
            {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": letter}}
            for letter in text
        ),
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 1}},
        {"type": "message_stop"},
    ]
    return events(told)


@pytest.mark.parametrize("stream", [False, True])
def test_native_calls(stream: bool) -> None:
    """A vendor's own format is masked as it is written, and restored in it, from memory too."""
    handler = streamed if stream else lambda request: reply(200, message(request))
    with Loopback(handler) as server:
        edge = EdgeClient(providers=[Anthropic(api_key="k", base_url=server.url)], shield=Shield([Forms()]))
        with edge, httpx.Client(transport=transport(edge)) as client:
            for _ in range(2):
                answer = client.post(f"{server.url}/v1/messages", json={**BODY, "stream": stream}, headers=HEADERS)
                assert answer.status_code == 200
                if stream:
                    told = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
                    text = "".join(event["delta"].get("text", "") for event in told if "delta" in event)
                    assert text == "sent to b@x.com"
                else:
                    text, call = answer.json()["content"]
                    assert text["text"] == call["input"]["to"] == "sent to b@x.com"
        assert len(server.requests) == 1
        body = server.requests[0].json()
        assert b"x.com" not in server.requests[0].body
        assert body["system"] == "Help <EMAIL_1>"
        assert body["messages"][1]["content"][0] == {
            "type": "tool_use",
            "id": "toolu_1",
            "name": "f",
            "input": {"to": "<EMAIL_2>"},
        }


def test_what_is_not_understood() -> None:
    """A request that would be passed on as it is, is not: a shield cannot read it."""
    with Loopback(lambda request: reply(200, {"data": []})) as server:
        edge = EdgeClient(providers=[OpenAI(api_key="k", base_url=server.url)], shield=Shield([Forms()]))
        with edge, httpx.Client(transport=transport(edge)) as client:
            answer = client.post(f"{server.url}/images/generations", json={"prompt": "a@x.com"})
            assert answer.status_code == 403
            assert answer.json()["error"]["code"] == "shield_blocked"
            assert not server.requests
            assert client.get(f"{server.url}/files").status_code == 200


@pytest.mark.parametrize("asked", ["strict", "nonsense"])
def test_a_shield_that_a_request_asks_for(asked: str) -> None:
    """A field of a request makes a shield, too: what is not understood is refused, for code that awaits as well."""
    fields = {"x-edgeagent-shield": asked}

    async def scenario() -> None:
        async with httpx.AsyncClient(transport=transport(edge), headers=fields) as client:
            assert (
                await client.post(f"{server.url}/images/generations", json={"prompt": "a@x.com"})
            ).status_code == 403

    with Loopback(lambda request: reply(200, {"data": []})) as server:
        edge = EdgeClient(providers=[OpenAI(api_key="k", base_url=server.url)])
        with edge, httpx.Client(transport=transport(edge), headers=fields) as client:
            for path in ("images/generations", "responses/input_tokens"):
                answer = client.post(f"{server.url}/{path}", json={"model": "m", "prompt": "a@x.com"})
                assert (answer.status_code, answer.json()["error"]["code"]) == (403, "shield_blocked")
            anyio.run(scenario)
            assert not server.requests
            assert client.get(f"{server.url}/files").status_code == 200


def test_what_is_not_understood_in_a_dry_run() -> None:
    """It is passed on, as without a shield: a dry run refuses nothing."""
    with Loopback(lambda request: reply(200, {"data": []})) as server:
        edge = EdgeClient(providers=[OpenAI(api_key="k", base_url=server.url)], shield=Shield([Forms()]).dry())
        with edge, httpx.Client(transport=transport(edge)) as client:
            assert client.post(f"{server.url}/images/generations", json={"prompt": "a@x.com"}).status_code == 200
            assert server.requests[0].json() == {"prompt": "a@x.com"}


def test_what_is_not_understood_awaiting() -> None:
    """The same for code that awaits."""

    async def scenario() -> None:
        async with httpx.AsyncClient(transport=transport(edge)) as client:
            answer = await client.post(f"{server.url}/images/generations", json={"prompt": "a@x.com"})
            assert answer.status_code == 403

    with Loopback(lambda request: reply(200, {"data": []})) as server:
        edge = EdgeClient(providers=[OpenAI(api_key="k", base_url=server.url)], shield=Shield([Forms()]))
        with edge:
            anyio.run(scenario)
        assert not server.requests


def test_a_redacted_answer() -> None:
    """What is redacted in an answer is in none of the bytes that the caller gets, and in none that are kept."""

    def handler(request: Request) -> bytes:
        told = message(request)
        told["content"][0]["text"] += " and to leaked@x.com"
        return reply(200, told)

    with Loopback(handler) as server:
        shield = Shield([Forms()], outbound="mask")
        edge = EdgeClient(providers=[Anthropic(api_key="k", base_url=server.url)], shield=shield)
        with edge, httpx.Client(transport=transport(edge)) as client:
            for _ in range(2):
                answer = client.post(f"{server.url}/v1/messages", json=BODY, headers=HEADERS)
                assert answer.json()["content"][0]["text"] == "sent to b@x.com and to <EMAIL>"
                assert "leaked" not in answer.text
        assert len(server.requests) == 1


def test_structured_answers() -> None:
    """An answer that is JSON is JSON with the caller's values, too, now and from memory."""
    key = '-----BEGIN KEY-----\na"b\\c\n-----END KEY-----'
    said = '{"key": "<PRIVATE_KEY_1>"}'
    choice = {"index": 0, "message": {"role": "assistant", "content": said}, "finish_reason": "stop"}
    answer = {"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [choice]}
    with Loopback(lambda _: reply(200, answer)) as server:
        edge = EdgeClient(providers=[OpenAI(api_key="k", base_url=server.url)], shield=Shield([Forms()]))
        body = {
            "model": "m",
            "messages": [{"role": "user", "content": key}],
            "response_format": {"type": "json_object"},
        }
        with edge, httpx.Client(transport=transport(edge)) as client:
            for _ in range(2):
                told = client.post(f"{server.url}/chat/completions", json=body).json()
                assert json.loads(told["choices"][0]["message"]["content"]) == {"key": key}


@pytest.mark.parametrize("part", [{"type": "audio_url", "audio_url": {"url": "https://a"}}, {"image_url": "https://a"}])
def test_media_that_only_some_servers_take(part: dict[str, Any]) -> None:
    """A part that passes because the server may know it is media all the same, and goes by the policy for them."""
    body = {"model": "m", "messages": [{"role": "user", "content": [{"type": "text", "text": "look"}, part]}]}
    with Loopback(lambda request: reply(200, {})) as server:
        edge = EdgeClient(providers=[OpenAI(api_key="k", base_url=server.url)], shield="strict")
        with edge, httpx.Client(transport=transport(edge)) as client:
            answer = client.post(f"{server.url}/chat/completions", json=body)
        assert (answer.status_code, answer.json()["error"]["code"]) == (400, "shield_blocked")
        assert not server.requests
