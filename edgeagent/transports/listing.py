"""Lists of models, and single models, as an SDK reads them: of all providers of the client, not of one vendor alone.

The models of the server that was asked go by their own names, any other's as `provider/model`: each is a name that the
next call takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Final

from edgeagent.core.call import CallOptions
from edgeagent.core.listing import Models
from edgeagent.effects import Flow, Scope
from edgeagent.transports.addressing import credential_of
from edgeagent.transports.fields import PREFIX
from edgeagent.transports.incoming import Incoming, NotUnderstoodError
from edgeagent.transports.pages import page
from edgeagent.types import Model, ModelPage, ModelQuery
from edgeagent.wire.json import dump_json

if TYPE_CHECKING:
    from edgeagent.client import AsyncEdgeClient, EdgeClient
    from edgeagent.transports.addressing import Addresses
    from edgeagent.transports.wires import Family, Route

__all__ = ["AskedModels", "models_asked"]


@dataclass(frozen=True, slots=True)
class AskedModels:
    """A question for models, as a request of an SDK means it.

    Attributes:
        pipeline: with the server that was asked among its providers.
        options: of the call.
        family: whose API's form the answer has.
        model: the one that is asked for; None: all.
        own: the name of the provider that is the server that was asked.
        query: parameters of the URL: which part of the list is asked for.
    """

    pipeline: Models
    options: CallOptions
    family: Family
    model: str | None
    own: str | None
    query: Mapping[str, str]

    def flow(self, scope: Scope, *, prefers_async: bool) -> Flow[ModelPage | Model]:
        """What is to be run."""
        if self.model is None:
            return self.pipeline.list(ModelQuery(), self.options, scope, prefers_async=prefers_async, page=ModelPage)
        query = ModelQuery(model=self.model)
        return self.pipeline.retrieve(query, self.options, scope, prefers_async=prefers_async)

    def told(self, answer: ModelPage | Model) -> tuple[list[tuple[str, str]], bytes]:
        """The header fields and the body of the answer.

        Raises:
            RequestValidationError: the part that is asked for cannot be told.
        """
        fields = [("content-type", "application/json")]
        if isinstance(answer, Model):
            fields.append((PREFIX + "provider", str(answer.edge.provider)))
            return fields, dump_json(self._item(answer))
        if answer.errors:
            fields.append((PREFIX + "unlisted", ", ".join(answer.errors)))
        return fields, dump_json(page(self.family, [self._item(model) for model in answer], self.query))

    def _item(self, model: Model) -> dict[str, Any]:
        name = model.id if model.edge.provider == self.own else f"{model.edge.provider}/{model.id}"
        return _ITEMS[self.family](model, name)


def models_asked(
    client: EdgeClient | AsyncEdgeClient, addresses: Addresses, came: Incoming, route: Route
) -> AskedModels:
    """What is asked.

    Raises:
        NotUnderstoodError: the server that was asked is the only one, or names its models as it likes.
        RequestValidationError: a header field of ours is wrong.
    """
    options = came.head.options(client.options)
    pipeline = client._engine.here().pipeline
    address = addresses.find(pipeline, route, credential_of(came.headers, route.query), came.head.account)
    if address.literal:
        raise NotUnderstoodError("the models of this server are its own affair")
    if all(provider is address.provider for provider in pipeline.targets.providers()):
        raise NotUnderstoodError("the client has no other provider")
    own = None if address.provider is None else address.provider.name
    return AskedModels(Models.beside(address.pipeline), options, route.family, route.model, own, dict(route.query))


def _openai(model: Model, name: str) -> dict[str, Any]:
    return {**(model.model_extra or {}), **model.model_dump(include=_FIELDS), "id": name}


def _anthropic(model: Model, name: str) -> dict[str, Any]:
    made = f"{datetime.fromtimestamp(model.created, timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
    return {"display_name": name, "created_at": made, **(model.model_extra or {}), "type": "model", "id": name}


def _google(model: Model, name: str) -> dict[str, Any]:
    methods = ["generateContent", "countTokens"]
    usual = {"displayName": name, "supportedGenerationMethods": methods}
    return {**usual, **(model.model_extra or {}), "name": f"models/{name}"}


_FIELDS: Final = {"id", "created", "object", "owned_by"}
_ITEMS: Final[Mapping[str, Callable[[Model, str], dict[str, Any]]]] = {
    "openai": _openai,
    "azure": _openai,
    "anthropic": _anthropic,
    "google": _google,
}
