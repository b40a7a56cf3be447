"""`openai.Embedding`, `openai.Model`, `openai.Moderation`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from edgeagent.legacy.calls import Call, prepared
from edgeagent.legacy.faults import old_errors
from edgeagent.types import EmbeddingRequest, ModerationRequest
from edgeagent.types.request import NOT_IN_BODY

if TYPE_CHECKING:
    from edgeagent.openai_object import OpenAIObject

__all__ = ["Embedding", "Model", "Moderation"]

_EMBEDDING: Final = EmbeddingRequest.model_fields.keys() - NOT_IN_BODY
_MODERATION: Final = ModerationRequest.model_fields.keys() - NOT_IN_BODY


class Embedding:
    """`openai.Embedding.create` and `acreate`."""

    @classmethod
    def create(cls, **params: Any) -> OpenAIObject:
        """Vectors as lists of numbers, unless `encoding_format` says otherwise. Raises `error.OpenAIError`."""
        with old_errors():
            call = prepared("Embedding", params)
            return _result(call, call.client.embeddings.create(**call.keywords(_EMBEDDING)))

    @classmethod
    async def acreate(cls, **params: Any) -> OpenAIObject:
        """The same, awaiting."""
        with old_errors():
            call = prepared("Embedding", params)
            return _result(call, await call.client.to_async().embeddings.create(**call.keywords(_EMBEDDING)))


class Moderation:
    """`openai.Moderation.create` and `acreate`."""

    @classmethod
    def create(cls, input: Any, model: str | None = None, api_key: str | None = None, **params: Any) -> OpenAIObject:
        """Whether texts are of a kind that should not be sent, by category. Raises `error.OpenAIError`."""
        with old_errors():
            call = _moderation(input, model, api_key, params)
            return _result(call, call.client.moderations.create(**call.keywords(_MODERATION)))

    @classmethod
    async def acreate(
        cls, input: Any, model: str | None = None, api_key: str | None = None, **params: Any
    ) -> OpenAIObject:
        """The same, awaiting."""
        with old_errors():
            call = _moderation(input, model, api_key, params)
            return _result(call, await call.client.to_async().moderations.create(**call.keywords(_MODERATION)))


class Model:
    """`openai.Model.list`, `retrieve`, and their async twins."""

    @classmethod
    def list(cls, **params: Any) -> OpenAIObject:
        """All models, of every provider where `openai.edge` adds some. Raises `error.OpenAIError`."""
        with old_errors():
            call = prepared("Model", params, engines=False)
            return _result(call, call.client.models.list(**call.keywords(frozenset())))

    @classmethod
    async def alist(cls, **params: Any) -> OpenAIObject:
        """The same, awaiting."""
        with old_errors():
            call = prepared("Model", params, engines=False)
            return _result(call, await call.client.to_async().models.list(**call.keywords(frozenset())))

    @classmethod
    def retrieve(cls, id: str, api_key: str | None = None, **params: Any) -> OpenAIObject:
        """One model. Raises `error.OpenAIError`."""
        with old_errors():
            call = prepared("Model", {**params, "api_key": api_key}, engines=False)
            return _result(call, call.client.models.retrieve(id, **call.keywords(frozenset())))

    @classmethod
    async def aretrieve(cls, id: str, api_key: str | None = None, **params: Any) -> OpenAIObject:
        """The same, awaiting."""
        with old_errors():
            call = prepared("Model", {**params, "api_key": api_key}, engines=False)
            return _result(call, await call.client.to_async().models.retrieve(id, **call.keywords(frozenset())))


def _moderation(input: Any, model: str | None, api_key: str | None, params: dict[str, Any]) -> Call:
    asked = {"input": input, **({} if model is None else {"model": model})}
    return prepared("Moderation", {**params, **asked, "api_key": api_key}, engines=False)


def _result(call: Call, answer: Any) -> OpenAIObject:
    return call.result(answer.to_dict(), answer.edge)
