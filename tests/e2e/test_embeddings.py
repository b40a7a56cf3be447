"""Embeddings, reranks and moderations over sockets, blocking and on both kinds of loop; and beside openai's client."""

from __future__ import annotations

import base64
import json
import struct
from decimal import Decimal
from typing import Any

import openai
import pytest

import edgeagent
from edgeagent.cache import Cache
from edgeagent.errors import (
    AuthenticationError,
    BadRequestError,
    DeadlineExceededError,
    NoTargetError,
    RateLimitError,
    RequestValidationError,
)
from edgeagent.limits import Budget
from edgeagent.pricing import Pricing
from edgeagent.providers import Cohere, Mistral, OpenAI, OpenAICompatible
from edgeagent.testing import FakeProvider
from tests.e2e.harness import KEY, Gate, Script, settled
from tests.support.loopback import HANG_UP, Loopback, Request, reply

MODEL = "text-embedding-3-small"


def numbers(text: Any) -> list[float]:
    return [float(len(text)), 0.5, -0.25]


def embed(request: Request) -> bytes:
    """As OpenAI answers: base64 where it is asked for, a token for each character."""
    body = request.json()
    texts = [body["input"]] if isinstance(body["input"], str) else body["input"]
    rows: list[Any] = [numbers(text) for text in texts]
    if body.get("encoding_format") == "base64":
        rows = [base64.b64encode(struct.pack("<3f", *row)).decode() for row in rows]
    data = [{"object": "embedding", "index": i, "embedding": row} for i, row in enumerate(rows)]
    usage = {"prompt_tokens": sum(map(len, texts)), "total_tokens": sum(map(len, texts))}
    answer = {"object": "list", "data": data, "model": body["model"], "usage": usage}
    return reply(200, answer, x_request_id="req_1")


def texts(server: Loopback) -> list[Any]:
    return [request.json()["input"] for request in server.requests]


def gate(kind: str, server: Loopback, **options: Any) -> Gate:
    return Gate(kind, [OpenAI(api_key=KEY, base_url=f"{server.url}/v1")], **options)


async def test_one_new_text(kind: str) -> None:
    """The second batch sends the one text that is new; prices are those of the table."""
    with Loopback(embed) as server:
        async with gate(kind, server) as g:
            first = await settled(g.client.embeddings.create(model=MODEL, input=["a", "bb"]))
            second = await settled(g.client.embeddings.create(model=MODEL, input=["bb", "ccc", "a"]))
        assert texts(server) == [["a", "bb"], ["ccc"]]
        assert [vector.embedding for vector in second.data] == [numbers(text) for text in ("bb", "ccc", "a")]
        assert first.edge.cost_usd == Decimal("0.00000006")
        assert second.edge.cached_inputs == 2
        request = server.requests[0]
        assert (request.method, request.path) == ("POST", "/v1/embeddings")
        assert request.headers["authorization"] == f"Bearer {KEY}"


async def test_a_disk_is_shared(kind: str, tmp_path: Any) -> None:
    """Another client finds what the first one had made, and nothing but vectors is in the files."""
    with Loopback(embed) as server:
        for expected in (None, "disk"):
            async with gate(kind, server, cache=Cache(memory=True, disk=tmp_path)) as g:
                answer = await settled(g.client.embeddings.create(model=MODEL, input=["secret text", "bb"]))
                assert answer.edge.cache_tier == expected
                assert await g.flush()
        assert len(server.requests) == 1
    assert not any(b"secret text" in file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())


async def test_many_at_once_ask_once(kind: str) -> None:
    """Identical calls of many threads or tasks are one request."""
    with Loopback(embed) as server:
        async with gate(kind, server) as g:
            answers = await g.together(8, lambda: settled(g.client.embeddings.create(model=MODEL, input=["a", "bb"])))
        assert len(server.requests) == 1
        assert all([v.embedding for v in answer.data] == [numbers("a"), numbers("bb")] for answer in answers)


async def test_errors_and_attempts(kind: str) -> None:
    """A broken connection and a limit are tried again; a wrong key is not, and another provider may answer."""
    broken = Script([HANG_UP], reply(429, {"error": {"message": "slow"}}, retry_after="3"), embed)
    with Loopback(broken) as server:
        async with gate(kind, server) as g:
            answer = await settled(g.client.embeddings.create(model=MODEL, input="a"))
        assert [a.outcome for a in answer.edge.attempts] == ["APIConnectionError", "RateLimitError", "ok"]
        assert g.slept[1] == 3
    with Loopback(Script(reply(401, {"error": {"message": "bad key"}}))) as server:
        async with gate(kind, server) as g:
            with pytest.raises(AuthenticationError):
                await settled(g.client.embeddings.create(model=MODEL, input="a"))
        provider = OpenAI(api_key=KEY, base_url=server.url)
        async with Gate(kind, [provider, FakeProvider("x")]) as g:
            edge = {"fallbacks": ["fake/e"]}
            answer = await settled(g.client.embeddings.create(model=MODEL, input="a", edge=edge))
            assert answer.edge.provider == "fake"


async def test_the_deadline(kind: str) -> None:
    """A server that never answers is left at the call's deadline."""

    def silent(request: Request) -> Any:
        yield b""
        import time

        time.sleep(2)

    with Loopback(silent) as server:
        async with gate(kind, server) as g:
            with pytest.raises(DeadlineExceededError):
                await settled(g.client.embeddings.create(model=MODEL, input="a", edge={"deadline": 0.2}))


async def test_wrong_arguments(kind: str) -> None:
    """Unknown ones are a `TypeError`, wrong ones name themselves; nothing is sent."""
    with Loopback(embed) as server:
        async with gate(kind, server) as g:
            create = g.client.embeddings.create
            with pytest.raises(TypeError, match="purpose"):
                await settled(create(model=MODEL, input="a", purpose="x"))
            for params, param in (
                ({"input": ""}, "input"),
                ({"input": ["a", ""]}, "input[1]"),
                ({"input": "a", "dimensions": 0}, "dimensions"),
                ({"input": "a", "edge": {"cach": 1}}, "edge.cach"),
                ({"input": "a", "timeout": -1}, "timeout"),
                ({}, "input"),
            ):
                with pytest.raises(RequestValidationError) as caught:
                    await settled(create(model=MODEL, **params))
                assert caught.value.param == param
        assert server.requests == []


async def test_headers_and_bodies_of_the_callers_own(kind: str) -> None:
    """`extra_*`, openai's `omit`, one-shot iterables, and the client's default headers."""
    with Loopback(embed) as server:
        async with gate(kind, server) as g:
            client = g.client.with_options(default_headers={"x-team": "a"})
            answer = await settled(
                client.embeddings.create(
                    model=MODEL,
                    input=(text for text in ("a", "bb")),
                    dimensions=openai.NOT_GIVEN,
                    user=openai.omit,
                    extra_headers={"x-mine": "1"},
                    extra_query={"v": True},
                    extra_body={"own": 1},
                )
            )
        assert len(answer.data) == 2
        request = server.requests[0]
        assert request.path == "/v1/embeddings?v=true"
        assert (request.headers["x-team"], request.headers["x-mine"]) == ("a", "1")
        sent = request.json()
        assert sent == {"model": MODEL, "input": ["a", "bb"], "own": 1, "encoding_format": "base64"}


@pytest.mark.parametrize(
    "params",
    [
        {"input": "a"},
        {"input": ["a", "bb", "a"], "encoding_format": "float"},
        {"input": ["a"], "encoding_format": "base64", "dimensions": 3, "user": "u"},
        {"input": ["a", "b"], "extra_body": {"x": 1}},
        {"input": [[1, 2], [3]]},
    ],
    ids=["one", "floats", "base64", "extra", "tokens"],
)
def test_beside_openais_client(params: dict[str, Any]) -> None:
    """The same request on the wire, and an answer of the same content."""
    with Loopback(embed) as server:
        sides = []
        for made in (
            openai.OpenAI(api_key=KEY, base_url=f"{server.url}/v1"),
            edgeagent.OpenAI(api_key=KEY, base_url=f"{server.url}/v1"),
        ):
            with made:
                sides.append(made.embeddings.create(model=MODEL, **params).model_dump(warnings=False))
        theirs, ours = (request.json() for request in server.requests)
        assert theirs == ours
    assert sides[0] == sides[1]


def test_an_answer_is_what_openais_type_takes() -> None:
    """Also one from the cache: every field that openai's object has."""
    with (
        Loopback(embed) as server,
        edgeagent.EdgeClient(providers=[OpenAI(api_key=KEY, base_url=f"{server.url}/v1")]) as client,
    ):
        for _ in range(2):
            answer = client.embeddings.create(model=MODEL, input=["a"])
            openai.types.CreateEmbeddingResponse.model_validate(answer.model_dump(), strict=True)
            assert json.loads(answer.to_json()) == answer.to_dict()


async def test_azures_deployment(kind: str) -> None:
    """The deployment is in the path, as openai's client has it."""
    with Loopback(embed) as server:
        name = "AzureOpenAI" if kind == "sync" else "AsyncAzureOpenAI"
        sides = []
        for package in (openai, edgeagent):
            client = getattr(package, name)(azure_endpoint=server.url, api_key=KEY, api_version="2024-10-21")
            if kind != "trio" or package is edgeagent:  # theirs needs asyncio
                await settled(client.embeddings.create(model="my-deployment", input=["a"]))
                sides.append(server.requests[-1])
                await settled(client.close())
        paths = {request.path for request in sides}
        assert paths == {"/openai/deployments/my-deployment/embeddings?api-version=2024-10-21"}


# rerank


async def test_rerank(kind: str) -> None:
    """Cohere's and a compatible server's; the best first; a provider of the caller's own too."""

    def ranked(request: Request) -> bytes:
        body = request.json()
        scores = [len(text) for text in body["documents"]]
        results = [{"index": i, "relevance_score": score / 100} for i, score in enumerate(scores)]
        return reply(
            200, {"id": "r", "results": results[: body.get("top_n")], "meta": {"api_version": {"version": "2"}}}
        )

    class Own:
        name = "own"

        def rerank(self, request: Any) -> dict[str, Any]:
            return {"results": [{"index": 1, "relevance_score": 0.1}, {"index": 0, "relevance_score": 0.9}]}

    with Loopback(ranked) as server:
        providers = [
            Cohere(api_key=KEY, base_url=server.url),
            OpenAICompatible(name="mine", base_url=f"{server.url}/v1"),
            Own(),
        ]
        async with Gate(kind, providers) as g:
            for model, path in (("rerank-v3.5", "/v2/rerank"), ("mine/x", "/v1/rerank"), ("own/x", None)):
                answer = await settled(
                    g.client.rerank.create(model=model, query="q", documents=["a", "bbb"], extra_body={"own": 1})
                )
                best = 0 if path is None else 1
                assert [result.index for result in answer.results] == [best, 1 - best]
                assert answer.edge.provider == (model.partition("/")[0] if path != "/v2/rerank" else "cohere")
                if path is not None:
                    assert server.requests[-1].path == path
            with pytest.raises(RequestValidationError) as caught:
                await settled(g.client.rerank.create(model="mine/x", query="q", documents=[], top_n=0))
            assert caught.value.param == "documents"


# moderation


def moderated(request: Request) -> bytes:
    """As OpenAI, or as Mistral where its model is asked for."""
    body = request.json()
    inputs = [body["input"]] if isinstance(body["input"], str) or isinstance(body["input"][0], dict) else body["input"]
    if body["model"].startswith("mistral"):
        found = [
            {"categories": {"pii": "@" in text, "sexual": False}, "category_scores": {"pii": 0.9, "sexual": 0.0}}
            for text in inputs
        ]
        return reply(200, {"id": "m", "model": body["model"], "results": found})
    found = [
        {
            "flagged": "hate" in str(text),
            "categories": {"hate": "hate" in str(text), "hate/threatening": False, "self-harm": False},
            "category_scores": {"hate": 0.9, "hate/threatening": 0.1, "self-harm": 0.0},
            "category_applied_input_types": {"hate": ["text"]},
        }
        for text in inputs
    ]
    return reply(200, {"id": "modr-1", "model": body["model"], "results": found})


async def test_moderation(kind: str) -> None:
    """One text, several, parts; OpenAI's names by attribute, Mistral's own beside them."""
    with Loopback(moderated) as server:
        providers = [OpenAI(api_key=KEY, base_url=server.url), Mistral(api_key=KEY, base_url=f"{server.url}/v1")]
        async with Gate(kind, providers) as g:
            create = g.client.moderations.create
            one = await settled(create(input="I hate it"))
            assert server.requests[-1].path == "/moderations"
            assert server.requests[-1].json()["model"] == "omni-moderation-latest"
            verdict = one.results[0]
            assert (verdict.flagged, verdict.categories.hate, verdict.categories.hate_threatening) == (
                True,
                True,
                False,
            )
            assert verdict.category_scores.self_harm == 0.0
            assert one.model_dump(by_alias=True)["results"][0]["categories"]["hate/threatening"] is False
            two = await settled(create(model="openai/omni-moderation-latest", input=["hate", "love"]))
            assert [verdict.flagged for verdict in two.results] == [True, False]
            parts = [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": "https://x.test/a"}}]
            assert len((await settled(create(input=parts))).results) == 1
            mistral = await settled(create(model="mistral/mistral-moderation-latest", input=["a@b", "c"]))
            assert server.requests[-1].path == "/v1/moderations"
            assert [verdict.flagged for verdict in mistral.results] == [True, False]
            assert mistral.results[0].categories.pii is True
            assert mistral.edge.provider == "mistral"
            with pytest.raises(RequestValidationError) as caught:
                await settled(create(model="mistral/mistral-moderation-latest", input=parts))
            assert caught.value.param == "input[1]"


async def test_a_moderator_of_the_callers_own(kind: str) -> None:
    """Sync or async, with categories of its own."""

    class Own:
        name = "own"

        async def amoderate(self, request: Any) -> dict[str, Any]:
            found = {"categories": {"spam": "buy" in request.input}, "category_scores": {"spam": 0.8}}
            return {"results": [found]}

    async with Gate(kind, [Own()]) as g:
        answer = await settled(g.client.moderations.create(model="own/m", input="buy now"))
    assert (answer.results[0].flagged, answer.model, answer.edge.provider) == (True, "m", "own")


async def test_moderation_that_nobody_has(kind: str) -> None:
    """The error says what is missing, with a model and without."""
    async with Gate(kind, [FakeProvider("x")]) as g:
        with pytest.raises(NoTargetError, match="No configured provider is known to moderate"):
            await settled(g.client.moderations.create(input="x"))
        with pytest.raises(NoTargetError, match="fake/m cannot do moderations"):
            await settled(g.client.moderations.create(model="fake/m", input="x"))


async def test_moderation_fails_like_anything_else(kind: str) -> None:
    """Attempts, and the vendor's error."""
    with Loopback(Script(reply(429, {"error": {"message": "no"}}))) as server:
        async with Gate(kind, [OpenAI(api_key=KEY, base_url=server.url)], retry=1) as g:
            with pytest.raises(RateLimitError) as caught:
                await settled(g.client.moderations.create(input="x"))
        assert len(caught.value.attempts) == 2


def test_moderation_beside_openais_client() -> None:
    """The same request, and equal answers."""
    with Loopback(moderated) as server:
        dumps = []
        for package in (openai, edgeagent):
            with package.OpenAI(api_key=KEY, base_url=server.url) as client:
                answer = client.moderations.create(input=["hate", "b"], model="omni-moderation-latest")
            dumps.append(json.loads(answer.to_json()))
        assert server.requests[0].json() == server.requests[1].json()
    assert dumps[0] == dumps[1]


def failing_behind(parts: int, status: int = 400) -> Any:
    """Answers so many requests, then none; once it is mended, all."""
    left = iter([True] * parts)

    def answer(request: Request) -> bytes:
        if next(left, False) or answer.mended:  # type: ignore[attr-defined]
            return embed(request)
        return reply(status, {"error": {"message": "no", "type": "invalid_request_error"}})

    answer.mended = False  # type: ignore[attr-defined]
    return answer


async def test_paid_parts_of_a_failed_batch_are_kept(kind: str) -> None:
    """Of three requests the third is refused: the vectors of the first two are kept for the next try, and were paid."""
    server_says = failing_behind(2)
    batch = [f"{n:04}" for n in range(2 * 2048 + 1)]
    with Loopback(server_says) as server:
        async with gate(kind, server, budgets=[Budget(usd=1, name="b")]) as g:
            with pytest.raises(BadRequestError):
                await settled(g.client.embeddings.create(model=MODEL, input=batch))
            assert (await settled(g.client.spending("b"))).spent == Decimal("0.00032768")
            server_says.mended = True
            answer = await settled(g.client.embeddings.create(model=MODEL, input=batch))
            assert [len(sent) for sent in texts(server)] == [2048, 2048, 1, 1]
            assert [vector.embedding for vector in answer.data] == [numbers(text) for text in batch]
            assert (answer.edge.cached_inputs, answer.edge.saved_usd) == (4096, Decimal("0.00032768"))
            assert (await settled(g.client.spending("b"))).spent == Decimal("0.00032776")


async def test_parts_of_another_target_are_paid_too(kind: str) -> None:
    """Where the second target answers, the call cost what both were paid; the next call finds the first one's part."""
    batch = [f"{n:04}" for n in range(2049)]
    first, second = failing_behind(1, 500), embed
    with Loopback(first) as one, Loopback(second) as other:
        providers = [
            OpenAI(api_key=KEY, base_url=f"{one.url}/v1"),
            OpenAICompatible(name="other", api_key=KEY, base_url=f"{other.url}/v1"),
        ]
        options = {"models": {"both": [f"openai/{MODEL}", f"other/{MODEL}"]}, "budgets": [Budget(usd=1, name="b")]}
        pricing = Pricing({f"other/{MODEL}": {"input": "1", "output": "0"}})
        async with Gate(kind, providers, pricing=pricing, retry=0, **options) as g:
            answer = await settled(g.client.embeddings.create(model="both", input=batch))
            assert [len(sent) for sent in texts(one)] == [2048, 1]
            assert answer.edge.cost_usd == (await settled(g.client.spending("b"))).spent
            assert answer.edge.cost_usd == Decimal("0.00016384") + Decimal(2049 * 4) / 1_000_000
            first.mended = True
            again = await settled(g.client.embeddings.create(model="both", input=batch))
            assert (again.edge.provider, again.edge.cached_inputs) == ("openai", 2048)
            assert [len(sent) for sent in texts(one)] == [2048, 1, 1]


@pytest.mark.parametrize("status", [500, 400])
async def test_a_part_is_paid_once(kind: str, status: int) -> None:
    """A later part that fails and is tried again does not make the earlier ones count twice."""
    answers = iter([embed, lambda request: reply(status, {"error": {"message": "x", "code": "c"}}), embed, embed])
    batch = [f"{n:04}" for n in range(2049)]
    with Loopback(lambda request: next(answers)(request)) as server:
        async with gate(kind, server, budgets=[Budget(usd=1, name="b")], cache="off") as g:
            if status == 400:
                with pytest.raises(BadRequestError):
                    await settled(g.client.embeddings.create(model=MODEL, input=batch))
                assert (await settled(g.client.spending("b"))).spent == Decimal("0.00016384")
            else:
                answer = await settled(g.client.embeddings.create(model=MODEL, input=batch))
                assert answer.edge.cost_usd == (await settled(g.client.spending("b"))).spent == Decimal("0.00016392")
