"""Embeddings over real HTTP: llama.cpp's server, through the effects and drivers of the pipeline."""

from __future__ import annotations

import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from edgeagent.effects import send
from edgeagent.errors import BadRequestError, ConfigurationError, ContextWindowExceededError, InternalServerError
from edgeagent.providers import Local, OpenAI, OpenAICompatible
from edgeagent.providers.base import Encoded
from edgeagent.providers.embeddings import Limits
from edgeagent.providers.embeddings.calling import embed
from edgeagent.providers.embeddings.llamacpp import LlamaCppEmbeddingCodec
from edgeagent.providers.embeddings.openai import COMPATIBLE, OPENAI, OpenAIEmbeddingCodec
from edgeagent.providers.embeddings.rerank import RerankCodec
from edgeagent.providers.embeddings.table import route
from edgeagent.types import CreateEmbeddingResponse
from edgeagent.types.embedding import embedding_request, rerank_request
from edgeagent.wire.http import HTTPRequest
from edgeagent.wire.json import dump_json
from tests.e2e.harness import Gate, run, settled
from tests.integration.harness import WAYS
from tests.io.driving import LONG, Driven
from tests.support.local_model import required_model_file

TEXTS = ["The cat sleeps on the sofa.", "A cat is sleeping on the couch.", "def f(x): return x ** 2 + 1"]

CHILD = """
import sys
import xllamacpp
params = xllamacpp.CommonParams()
params.verbosity = -1
params.model.path = sys.argv[1]
params.model_alias = {"smollm2"}
params.embedding = True
params.pooling_type = getattr(xllamacpp.llama_pooling_type, "LLAMA_POOLING_TYPE_" + sys.argv[2])
params.n_ctx = params.n_batch = params.n_ubatch = 128
params.cpuparams.n_threads = 1
params.port = 0
params.ui = False
params.endpoint_metrics = True
server = xllamacpp.Server(params)
server.handle_metrics()
print(server.listening_address, flush=True)
sys.stdin.read()
"""


def serve(pooling: str) -> Iterator[str]:
    command = [sys.executable, "-c", CHILD, str(required_model_file()), pooling]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        try:
            yield child.stdout.readline().strip()
        finally:
            child.kill()


@pytest.fixture(scope="module")
def embedder() -> Iterator[str]:
    """A server that embeds."""
    yield from serve("MEAN")


@pytest.fixture(scope="module")
def reranker() -> Iterator[str]:
    """A server that gives scores; of a model that was not made for it, so that they mean nothing."""
    yield from serve("RANK")


@pytest.fixture(params=["sync", "asyncio", "trio"])
def driven(request: pytest.FixtureRequest) -> Driven:
    """Either driver, on our own pools."""
    return Driven(str(request.param))


def sender(url: str) -> Callable[[Encoded], Any]:
    """Sends a body through the pipeline's own effect."""

    def post(encoded: Encoded) -> Any:
        content = dump_json(encoded.body)
        return send(HTTPRequest("POST", url, [("content-type", "application/json")], content), LONG, None)

    return post


def ask(driven: Driven, codec: Any, url: str, value: Any, **params: Any) -> CreateEmbeddingResponse:
    request = embedding_request({"model": "smollm2", "input": value, **params})
    answer: CreateEmbeddingResponse = driven(lambda: embed(codec, request, "smollm2", sender(url)))
    return answer


def cosine(one: list[float], other: list[float]) -> float:
    return math.fsum(a * b for a, b in zip(one, other, strict=True))


def test_vectors_of_openais_codec(driven: Driven, embedder: str) -> None:
    """At the path that the table gives: vectors in order, of length 1, near for near texts, and usage."""
    found = route("llamacpp", "smollm2", "/chat/completions")
    assert found is not None
    answer = ask(driven, found.codec, f"{embedder}/v1{found.path}", TEXTS)
    first, second, third = (vector.floats for vector in answer.data)
    assert cosine(first, first) == pytest.approx(1, abs=1e-3)
    assert cosine(first, second) > cosine(first, third)
    assert answer.model == "smollm2"
    assert answer.usage is not None
    assert answer.usage.prompt_tokens == answer.usage.total_tokens > 10


def test_base64_on_the_wire_is_numbers_for_the_caller(embedder: str) -> None:
    """OpenAI's own codec asks for base64 unless the caller says; both ways give the same numbers."""
    driven, url = Driven("sync"), f"{embedder}/v1/embeddings"
    unsaid = ask(driven, OpenAIEmbeddingCodec(OPENAI), url, "The cat.").data[0]
    numbers = ask(driven, OpenAIEmbeddingCodec(COMPATIBLE), url, "The cat.").data[0]
    text = ask(driven, OpenAIEmbeddingCodec(COMPATIBLE), url, "The cat.", encoding_format="base64").data[0]
    assert isinstance(unsaid.embedding, list)
    assert isinstance(text.embedding, str)
    assert unsaid.floats == pytest.approx(numbers.floats, abs=1e-3)
    assert text.floats == pytest.approx(numbers.floats, abs=1e-3)


def test_many_inputs_in_several_requests(embedder: str) -> None:
    """Split by a limit and joined, the answer is the same, and so is its usage."""
    small = OpenAIEmbeddingCodec(replace(COMPATIBLE, limits=Limits(2)))
    texts = [f"Text number {i}." for i in range(5)]
    driven, url = Driven("sync"), f"{embedder}/v1/embeddings"
    parts, whole = ask(driven, small, url, texts), ask(driven, OpenAIEmbeddingCodec(COMPATIBLE), url, texts)
    assert [vector.index for vector in parts.data] == list(range(5))
    assert parts.usage == whole.usage
    for one, other in zip(parts.data, whole.data, strict=True):
        assert cosine(one.floats, other.floats) == pytest.approx(1, abs=1e-3)


def test_llama_cpps_own_path(embedder: str) -> None:
    """`/embedding` gives the same direction as `/v1/embeddings`, in its own form."""
    driven = Driven("sync")
    own = ask(driven, LlamaCppEmbeddingCodec(), f"{embedder}/embedding", TEXTS)
    shaped = ask(driven, OpenAIEmbeddingCodec(COMPATIBLE), f"{embedder}/v1/embeddings", TEXTS)
    for one, other in zip(own.data, shaped.data, strict=True):
        assert cosine(one.floats, other.floats) == pytest.approx(1, abs=1e-3)


def test_errors_of_the_real_server(embedder: str) -> None:
    """Too long (a 500 there), and ids that are no tokens."""
    driven, codec, url = Driven("sync"), OpenAIEmbeddingCodec(COMPATIBLE), f"{embedder}/v1/embeddings"
    with pytest.raises(ContextWindowExceededError):
        ask(driven, codec, url, "word " * 300)
    with pytest.raises(BadRequestError):
        ask(driven, codec, url, [[10**6]])


def test_the_providers_own_request(embedder: str) -> None:
    """What a provider knows of itself (base URL, headers) is enough to embed."""
    provider = OpenAI(base_url=f"{embedder}/v1", api_key="x")
    found = route(provider.vendor, "smollm2", provider.path("smollm2"))
    assert found is not None
    assert len(ask(Driven("sync"), found.codec, provider.base_url + found.path, TEXTS).data) == 3


def test_rerank(embedder: str, reranker: str) -> None:
    """Each document once, the best first; a server that cannot says so."""
    driven, codec = Driven("sync"), RerankCodec()
    request = rerank_request({"model": "smollm2", "query": "cats", "documents": TEXTS, "top_n": 2})
    body = codec.encode_request(request, model="smollm2")
    answer = codec.decode_response(driven(lambda: sender(f"{reranker}/v1/rerank")(body)), request)
    assert len({result.index for result in answer.results}) == 2
    assert answer.results[0].relevance_score >= answer.results[1].relevance_score
    refused = Driven("sync")(lambda: sender(f"{embedder}/v1/rerank")(body))
    assert refused.status_code == 501
    assert isinstance(codec.decode_error(refused), InternalServerError)


# the clients


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """Blocking, or awaiting on either kind of loop."""
    return str(request.param)


def through(way: str, providers: list[Any], scenario: Callable[[Gate], Any]) -> Any:
    """A scenario with a client of one kind."""

    async def whole() -> Any:
        async with Gate(way, providers) as gate:
            return await scenario(gate)

    return run(way, whole)


def test_a_client_and_the_real_server(way: str, embedder: str, reranker: str) -> None:
    """Embeddings, cached by text and in both forms; its models; a rerank."""
    providers = [
        OpenAICompatible(name="llamacpp", base_url=f"{embedder}/v1"),
        OpenAICompatible(name="ranks", base_url=f"{reranker}/v1"),
    ]

    async def scenario(gate: Gate) -> None:
        client = gate.client
        first = await settled(client.embeddings.create(model="llamacpp/smollm2", input=TEXTS[:2]))
        second = await settled(
            client.embeddings.create(model="llamacpp/smollm2", input=TEXTS, encoding_format="base64")
        )
        one, two, three = (vector.floats for vector in second.data)
        assert one == pytest.approx(first.data[0].floats, abs=1e-7)
        assert cosine(one, two) > cosine(one, three)
        assert (second.edge.cached, second.edge.cached_inputs) == (False, 2)
        assert 0 < second.usage.prompt_tokens < first.usage.prompt_tokens + 20
        page = await settled(client.models.list())
        assert [(model.edge.provider, model.id) for model in page.data] == [
            ("llamacpp", "smollm2"),
            ("ranks", "smollm2"),
        ]
        model = await settled(client.models.retrieve("llamacpp/smollm2"))
        assert model.id == "smollm2"
        ranked = await settled(client.rerank.create(model="ranks/smollm2", query="cats", documents=TEXTS, top_n=2))
        assert len(ranked.results) == 2
        with pytest.raises(ContextWindowExceededError):
            await settled(client.embeddings.create(model="llamacpp/smollm2", input="word " * 300))

    through(way, providers, scenario)


def test_a_client_and_the_model_in_the_process(way: str) -> None:
    """`Local` embeds behind a client as a server does; only what is new is computed."""
    local = Local(required_model_file(), context=128, threads=1)

    async def scenario(gate: Gate) -> None:
        name = local.models[0]
        first = await settled(gate.client.embeddings.create(model=name, input=TEXTS[:2]))
        second = await settled(gate.client.embeddings.create(model=name, input=[*TEXTS, TEXTS[0]]))
        assert [vector.floats for vector in second.data[:2]] == [vector.floats for vector in first.data]
        assert second.data[3].floats == second.data[0].floats
        assert second.edge.cached_inputs == 3
        with pytest.raises(BadRequestError) as caught:
            await settled(gate.client.embeddings.create(model=name, input="x", dimensions=3))
        assert caught.value.param == "dimensions"
        with pytest.raises(ConfigurationError, match="no model for reranking"):
            await settled(gate.client.rerank.create(model=name, query="q", documents=["a"]))
        assert [model.id for model in (await settled(gate.client.models.list())).data] == [name]

    try:
        through(way, [local], scenario)
    finally:
        local.close()
