"""How each vendor lists its models: where, page by page, and what its items are called. As data.

OpenAI: https://platform.openai.com/docs/api-reference/models; Anthropic: https://docs.anthropic.com/en/api/models-list;
Gemini: https://ai.google.dev/api/models; Vertex AI: `publishers.models.list` of its API v1beta1; Cohere:
https://docs.cohere.com/reference/list-models; Ollama: https://docs.ollama.com/api/tags.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from typing import Any, Final
from urllib.parse import quote

from pydantic_core import from_json

from edgeagent.errors import APIStatusError
from edgeagent.providers.embeddings.reading import answer, invalid, objects
from edgeagent.providers.openai.errors import hidden_error
from edgeagent.types import Model
from edgeagent.wire.http import HTTPResponse

__all__ = ["ModelList", "listed", "model_list"]


@dataclass(frozen=True, slots=True)
class ModelList:
    """One vendor's list of models.

    Args:
        path: below the provider's base URL.
        items: the field that holds the models.
        names: fields that may hold a model's name, the first that is there counts.
        query: of the first page.
        more: the field with what the next page is asked by; none: there is but one page.
        cursor: the query parameter that takes it.
        single: whether the path with a model's name behind it is that model.
        prefix: what stands before the names.
        headers: header fields that the vendor wants on every request.
    """

    path: str
    items: str = "data"
    names: tuple[str, ...] = ("id",)
    query: Mapping[str, str] = field(default_factory=dict)
    more: str | None = None
    cursor: str = ""
    single: bool = True
    prefix: str = ""
    headers: Mapping[str, str | None] = field(default_factory=dict)

    def path_of(self, model: str) -> str:
        """Where one model is."""
        return f"{self.path}/{quote(model.removeprefix(self.prefix), safe='/:@')}"

    def decode(self, response: HTTPResponse, owner: str) -> tuple[list[Model], dict[str, str] | None]:
        """A page → its models, and the query of the next page.

        Raises:
            ResponseValidationError: it is none.
            APIStatusError: it is an error all the same.
        """
        data = _json(response)
        if isinstance(data, list):  # without a frame, as Together's
            data = {self.items: data}
        data = _document(data, response)
        rows = data.get(self.items)
        if rows is None and not data.get("error") and self.more is not None:
            rows = []  # Google leaves an empty list out
        found = [self._model(row, owner, response) for row in objects(rows, self.items, response)]
        return found, self._next(data)

    def decode_one(self, response: HTTPResponse, owner: str) -> Model:
        """One model. Raises like `decode`."""
        return self._model(_document(_json(response), response), owner, response)

    def _next(self, data: Mapping[str, Any]) -> dict[str, str] | None:
        token = data.get(self.more) if self.more is not None else None
        if not isinstance(token, str) or not token or data.get("has_more") is False:
            return None
        return {**self.query, self.cursor: token}

    def _model(self, row: Mapping[str, Any], owner: str, response: HTTPResponse) -> Model:
        name = next((row[key] for key in self.names if isinstance(row.get(key), str) and row[key]), None)
        if name is None:
            invalid(f"a model has no {self.names[0]}", response)
        told = row.get("owned_by")
        values = {
            **row,
            "id": name.removeprefix(self.prefix),
            "object": "model",
            "created": _epoch(next((row[key] for key in _TIMES if row.get(key) is not None), None)),
            "owned_by": told if isinstance(told, str) and told else owner,
        }
        return answer(Model, values, response)


_TIMES: Final = ("created", "created_at", "modified_at")
_FRACTION: Final = re.compile(r"\.\d+")

_OWN: Final[Mapping[str, tuple[str, ModelList]]] = {
    "anthropic": (
        "/messages",
        ModelList("/models", query={"limit": "1000"}, more="last_id", cursor="after_id"),
    ),
    "gcp.gemini": (
        "/models/:generateContent",
        ModelList(
            "/models",
            "models",
            ("name",),
            query={"pageSize": "1000"},
            more="nextPageToken",
            cursor="pageToken",
            prefix="models/",
        ),
    ),
    "gcp.vertex_ai": (
        "",
        ModelList(
            "/v1beta1/publishers/google/models",
            "publisherModels",
            ("name",),
            query={"pageSize": "300"},
            more="nextPageToken",
            cursor="pageToken",
            prefix="publishers/google/models/",
        ),
    ),
    "cohere": (
        "/v2/chat",
        ModelList(
            "/v1/models", "models", ("name",), query={"page_size": "1000"}, more="next_page_token", cursor="page_token"
        ),
    ),
    "ollama": ("/chat", ModelList("/tags", "models", ("model", "name"), single=False)),
}
"""By vendor: how its path of chat ends, and the list that is beside it."""

_CHAT: Final = "/chat/completions"
_UNLISTED: Final = frozenset({"perplexity"})
"""Vendors of OpenAI's shape without such a list."""


def model_list(vendor: str, chat_path: str) -> ModelList | None:
    """How `vendor` lists its models; None if it does not, or elsewhere.

    Args:
        vendor: the provider's `vendor`: its id in telemetry.
        chat_path: the provider's path of chat requests.
    """
    if vendor in _OWN and not chat_path.endswith(_CHAT):
        chat, own = _OWN[vendor]
        return replace(own, path=chat_path.removesuffix(chat) + own.path) if chat_path.endswith(chat) else None
    if vendor in _UNLISTED or not chat_path.endswith(_CHAT):
        return None
    return ModelList(f"{chat_path.removesuffix(_CHAT)}/models")


def _json(response: HTTPResponse) -> Any:
    try:
        return from_json(response.content)
    except ValueError as error:
        invalid("it is not JSON, or only the beginning of it", response, cause=error)


def _document(data: Any, response: HTTPResponse) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        invalid("it is not a JSON object", response)
    if data.get("error"):
        error: APIStatusError = hidden_error(data, response)
        raise error
    return data


def _epoch(time: Any) -> int:
    """Seconds since the epoch, of a number of them or an RFC 3339 time; 0 for anything else."""
    if isinstance(time, int | float) and not isinstance(time, bool):
        return int(time)
    if not isinstance(time, str):
        return 0
    try:
        moment = datetime.fromisoformat(_FRACTION.sub("", time).replace("Z", "+00:00"))
        return int((moment if moment.tzinfo is not None else moment.replace(tzinfo=timezone.utc)).timestamp())
    except (ValueError, OverflowError):
        return 0


def listed(names: Sequence[str], owner: str) -> list[Model]:
    """Models of which nothing but the names are known."""
    return [Model(id=name, owned_by=owner) for name in names]
