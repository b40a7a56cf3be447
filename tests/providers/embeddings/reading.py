"""An independent reader: what a recorded request asks for and what its answer says, in plain dict code."""

from __future__ import annotations

import base64
import struct
from typing import Any

from edgeagent.providers.embeddings.cohere import CohereEmbeddingCodec
from edgeagent.providers.embeddings.google import GoogleEmbeddingCodec
from edgeagent.providers.embeddings.ollama import OllamaEmbeddingCodec
from edgeagent.providers.embeddings.openai import (
    COMPATIBLE,
    MISTRAL,
    OPENAI,
    PERPLEXITY,
    VOYAGEAI,
    OpenAIEmbeddingCodec,
)
from tests.support.corpus import Record

SHAPES = {"openai": OPENAI, "azure": OPENAI, "mistral": MISTRAL, "perplexity": PERPLEXITY, "voyageai": VOYAGEAI}


def codec_of(record: Record) -> Any:
    """The codec by the URL that was asked."""
    path = record["request"]["url"].partition("?")[0]
    if path.endswith(":batchEmbedContents"):
        return GoogleEmbeddingCodec("batch")
    if path.endswith(":embedContent"):
        return GoogleEmbeddingCodec("vertex" if "aiplatform" in path else "single")
    if path.endswith(("/v1/embed", "/v2/embed")):
        return CohereEmbeddingCodec(1 if path.endswith("/v1/embed") else 2)
    if "/api/embed" in path:
        return OllamaEmbeddingCodec(older=path.endswith("/embeddings"))
    return OpenAIEmbeddingCodec(SHAPES.get(record["provider"], COMPATIBLE))


def body_of(record: Record) -> dict[str, Any]:
    """The recorded body, with the model that Google's URLs name."""
    body: dict[str, Any] = record["request"]["body"]
    url = record["request"]["url"].partition("?")[0]
    if "/models/" in url and not body.get("model"):
        return {**body, "model": url.rpartition("/models/")[2].partition(":")[0]}
    return body


def vectors(record: Record) -> list[list[float]]:
    """The numbers of every vector of the answer, by index."""
    answer = record["response"]["body_json"]
    if "data" in answer:
        rows = [row["embedding"] for row in sorted(answer["data"], key=lambda row: row["index"])]
    elif isinstance(answer.get("embeddings"), dict):
        (rows,) = answer["embeddings"].values()
    elif "embeddings" in answer:
        rows = [row["values"] if isinstance(row, dict) else row for row in answer["embeddings"]]
    else:
        row = answer["embedding"]
        rows = [row["values"] if isinstance(row, dict) else row]
    if record["provider"] == "perplexity":
        return [list(struct.unpack(f"{len(raw)}b", raw)) for raw in map(base64.b64decode, rows)]
    return [unpacked(row) if isinstance(row, str) else row for row in rows]


def unpacked(text: str) -> list[float]:
    raw = base64.b64decode(text)
    return list(struct.unpack(f"<{len(raw) // 4}f", raw))


def tokens(record: Record) -> int | None:
    """Input tokens, where the answer tells them."""
    answer = record["response"]["body_json"]
    if "usage" in answer:
        return answer["usage"].get("prompt_tokens", answer["usage"]["total_tokens"])
    if "usageMetadata" in answer:
        return answer["usageMetadata"]["promptTokenCount"]
    if "meta" in answer:
        billed = answer["meta"]["billed_units"]
        return billed["input_tokens"] + billed.get("image_tokens", 0) if "input_tokens" in billed else None
    return answer.get("prompt_eval_count")


def inputs(record: Record) -> list[Any]:
    """What was to be embedded, one entry for each vector."""
    body = record["request"]["body"]
    if "requests" in body:
        return [[part["text"] for part in one["content"]["parts"]] for one in body["requests"]]
    if "content" in body:
        return [[part["text"] for part in body["content"]["parts"]]]
    found = next(body[name] for name in ("input", "texts", "images", "prompt") if body.get(name))
    return found if isinstance(found, list) and not isinstance(found[0], int) else [found]


def normal(body: dict[str, Any]) -> dict[str, Any]:
    """A request without what changes nothing.

    Nulls; the spelling of Google's names and its `role`; the batch's own `model`; the form that the vendor sends
    unasked; base64 instead of unsaid for OpenAI (which is how the bytes travel, not what the caller gets).
    """
    body = {name: value for name, value in body.items() if value is not None}
    if "requests" in body:
        return {"requests": [normal_content(one) for one in body["requests"]]}
    if "content" in body:
        return normal_content(body)
    if body.get("embedding_types") == ["float"]:
        del body["embedding_types"]
    if body.get("encoding_format") in ("float", "base64"):
        del body["encoding_format"]
    return body


def normal_content(one: dict[str, Any]) -> dict[str, Any]:
    one = {"outputDimensionality" if k == "output_dimensionality" else k: v for k, v in one.items()}
    one.pop("model", None)
    return {**one, "content": {"parts": one["content"]["parts"]}}
