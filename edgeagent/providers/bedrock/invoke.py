"""The codec of InvokeModel: each model family's own body, behind AWS's names and frames.

- Claude: the body of Anthropic's messages API without `model` and `stream`, with a version and a list of betas.
- Nova: a body like Converse's. OpenAI-shaped families: that of chat completions.
- Older text models (see `families`) are read only; Converse asks them better.

Which of them an answer is, its own fields tell. A streamed answer comes as frames whose `bytes` are the family's own
events in base64; the last one has `amazon-bedrock-invocationMetrics`.

Sources: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_InvokeModel.html,
/bedrock/latest/userguide/model-parameters-anthropic-claude-messages.html, /nova/latest/userguide/using-invoke-api.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.errors import APIStatusError, ConfigurationError, RequestValidationError
from edgeagent.providers.anthropic import AnthropicMessagesCodec
from edgeagent.providers.anthropic.betas import BETA_HEADER
from edgeagent.providers.base import ChatCodec, Encoded, StreamDecoder, StreamEncoder
from edgeagent.providers.bedrock.blocks import InvalidBlockError
from edgeagent.providers.bedrock.errors import decode_error, encode_error
from edgeagent.providers.bedrock.families import Piece, finish_of_text, read_text
from edgeagent.providers.bedrock.inbound import decode_request
from edgeagent.providers.bedrock.invoke_stream import InvokeStreamDecoder, InvokeStreamEncoder
from edgeagent.providers.bedrock.models import bedrock_facts
from edgeagent.providers.bedrock.request import EVENT_STREAM, encode_request
from edgeagent.providers.bedrock.response import (
    completion_of,
    converse_of,
    identity,
    invalid_answer,
    parsed_answer,
)
from edgeagent.providers.document import DocumentDecoder, is_json
from edgeagent.providers.openai import OpenAIChatCodec
from edgeagent.types import ChatCompletion, ChatRequest, CompletionUsage
from edgeagent.wire.http import HTTPResponse

__all__ = ["ANTHROPIC_VERSION", "WIRE", "BedrockInvokeCodec", "family_of"]

WIRE: Final = "bedrock.invoke"
ANTHROPIC_VERSION: Final = "bedrock-2023-05-31"
SCHEMA_VERSION: Final = "messages-v1"

_ANTHROPIC: Final = AnthropicMessagesCodec()
_OPENAI: Final = OpenAIChatCodec()
_OPENAI_SHAPED: Final = ("deepseek.v", "google.", "minimax.", "moonshot", "nvidia.", "openai.", "qwen.", "zai.")
_GUARDRAIL: Final[Mapping[str, str]] = {
    "guardrailIdentifier": "x-amzn-bedrock-guardrailidentifier",
    "guardrailVersion": "x-amzn-bedrock-guardrailversion",
    "trace": "x-amzn-bedrock-trace",
}
_TOKEN_HEADERS: Final = ("x-amzn-bedrock-input-token-count", "x-amzn-bedrock-output-token-count")


def family_of(model: str) -> str:
    """`anthropic`, `nova`, `openai` or `text`; a model that is not known counts as Claude, as most that are invoked."""
    facts = bedrock_facts(model)
    name = facts.name
    if not name or (
        name.startswith("anthropic.") and not name.startswith(("anthropic.claude-v", "anthropic.claude-i"))
    ):
        return "anthropic"
    if facts.is_nova:
        return "nova"
    return "openai" if name.startswith(_OPENAI_SHAPED) else "text"


class BedrockInvokeCodec:
    """Pure functions between our model and InvokeModel; see `edgeagent.providers.base.ChatCodec`.

    `family` is what answers are encoded as; requests tell it by their model, bodies and answers by their fields.
    """

    __slots__ = ("_family",)

    def __init__(self, family: str = "anthropic") -> None:
        self._family = family

    @property
    def wire(self) -> str:
        """`"bedrock.invoke"`."""
        return WIRE

    def continues(self, model: str) -> bool:
        """See `edgeagent.providers.base.ChatCodec`."""
        model = model.removeprefix("invoke/")
        return family_of(model) == "anthropic" and _ANTHROPIC.continues(model)

    def encode_request(self, request: ChatRequest, *, model: str, stream: bool) -> Encoded:
        """Our request → the family's body. Raises `RequestValidationError`."""
        model = model.removeprefix("invoke/")
        family = family_of(model)
        if family == "text":
            raise RequestValidationError("This model is asked through Converse only.", param="model")
        headers = {"accept": EVENT_STREAM} if stream else {}
        request, more = _headers(request)
        if family == "nova":
            encoded = _nova(encode_request(request, model=model, stream=False))
        elif family == "openai":
            encoded = _OPENAI.encode_request(request, model=model, stream=stream)
            encoded.body.pop("model", None)
            encoded.body.pop("stream_options", None)
        else:
            encoded = _claude(_ANTHROPIC.encode_request(request, model=model, stream=False))
        headers.update(more)
        return Encoded(encoded.body, headers, encoded.dropped, encoded.edits, encoded.promises)

    def decode_response(self, response: HTTPResponse) -> ChatCompletion:
        """A 200 answer of any family → our completion. Raises `ResponseValidationError`, or the error that it is."""
        answer = parsed_answer(response)
        if answer.get("type") == "message":
            return _ANTHROPIC.decode_response(response)
        if _is_chat(answer):
            return _OPENAI.decode_response(response)
        answer_id, model = identity(response)
        try:
            if "output" in answer:
                return completion_of(answer, answer_id, model)
            piece = read_text(answer)
            if piece is None:
                raise InvalidBlockError("it is none of the families' that chat")
            if not piece.texts:
                raise InvalidBlockError("it has no answer")
            return _completion(piece, piece.id or answer_id, model, response)
        except InvalidBlockError as error:
            raise invalid_answer(str(error), response) from None

    def stream_decoder(self, request: ChatRequest, head: HTTPResponse | None = None) -> StreamDecoder:
        """A decoder for one streamed answer to `request`; one JSON document in its place is decoded as such."""
        return DocumentDecoder(head, self.decode_response) if is_json(head) else InvokeStreamDecoder(request, head)

    def decode_error(self, response: HTTPResponse) -> APIStatusError:
        """An answer of 4xx or 5xx → the typed error. Never raises."""
        return decode_error(response)

    def decode_request(self, body: Mapping[str, Any]) -> ChatRequest:
        """A body of Claude's, Nova's or an OpenAI-shaped family's → our request. Raises `RequestValidationError`."""
        if "anthropic_version" in body:
            names = {"anthropic_version", "anthropic_beta"}
            values = {name: value for name, value in body.items() if name not in names}
            if body.get("anthropic_beta"):
                values["betas"] = body["anthropic_beta"]
            return _ANTHROPIC.decode_request({"model": "", **values})
        if "messages" not in body:
            raise RequestValidationError("messages: is missing; prompts of text models are not read.", param="messages")
        if "inferenceConfig" in body or "schemaVersion" in body or "toolConfig" in body:
            return decode_request({name: value for name, value in body.items() if name != "schemaVersion"})
        return _OPENAI.decode_request({"model": "", **body})

    def encode_response(self, completion: ChatCompletion) -> dict[str, Any]:
        """Our completion → the body of a 200 answer of the codec's family."""
        return converse_of(completion) if self._family == "nova" else self._inner().encode_response(completion)

    def stream_encoder(self) -> StreamEncoder:
        """An encoder for one streamed answer of the codec's family."""
        return InvokeStreamEncoder(self._family)

    def encode_error(self, error: APIStatusError) -> HTTPResponse:
        """Our error → the vendor's own JSON, header and status."""
        return encode_error(error)

    def _inner(self) -> ChatCodec:
        if self._family == "text":
            raise ConfigurationError("Answers of text models are read, not written.")
        return _OPENAI if self._family == "openai" else _ANTHROPIC


def _headers(request: ChatRequest) -> tuple[ChatRequest, dict[str, str]]:
    """What Converse has in the body and InvokeModel in header fields, taken out of the request."""
    extra = dict(request.model_extra or {})
    headers: dict[str, str] = {}
    guardrail = extra.pop("guardrailConfig", None)
    if isinstance(guardrail, Mapping):
        headers.update({h: str(guardrail[name]) for name, h in _GUARDRAIL.items() if guardrail.get(name) is not None})
        if "x-amzn-bedrock-trace" in headers:
            headers["x-amzn-bedrock-trace"] = headers["x-amzn-bedrock-trace"].upper()
    performance = extra.pop("performanceConfig", None)
    if isinstance(performance, Mapping) and isinstance(performance.get("latency"), str):
        headers["x-amzn-bedrock-performanceconfig-latency"] = performance["latency"]
    tier = request.service_tier if request.service_tier in {"priority", "default", "flex", "reserved"} else None
    if tier is not None:
        headers["x-amzn-bedrock-service-tier"] = tier
    if not headers:
        return request, headers
    names = set(request.model_extra or {}) - set(extra)
    values = {name: value for name, value in request.params().items() if name not in names}
    if tier is not None:
        values.pop("service_tier")
    return ChatRequest.model_validate(values), headers


def _claude(encoded: Encoded) -> Encoded:
    body = {name: value for name, value in encoded.body.items() if name not in {"model", "stream"}}
    betas = [name for name in encoded.headers.get(BETA_HEADER, "").split(",") if name]
    body = {"anthropic_version": ANTHROPIC_VERSION, **({"anthropic_beta": betas} if betas else {}), **body}
    return Encoded(body, {}, encoded.dropped, encoded.edits, encoded.promises)


def _nova(encoded: Encoded) -> Encoded:
    body = dict(encoded.body)
    for name in ("outputConfig", "promptVariables", "additionalModelResponseFieldPaths"):
        if name in body:
            raise RequestValidationError(f"{name}: InvokeModel has no place for it.", param=name)
    dropped = encoded.dropped
    if body.pop("requestMetadata", None) is not None:
        dropped = (*dropped, "metadata")
    fields = body.pop("additionalModelRequestFields", {})
    config = {**body.get("inferenceConfig", {}), **fields.pop("inferenceConfig", {})} if fields else None
    body = {"schemaVersion": SCHEMA_VERSION, **body, **fields, **({"inferenceConfig": config} if config else {})}
    return Encoded(body, {}, dropped, encoded.edits, encoded.promises)


def _is_chat(answer: Mapping[str, Any]) -> bool:
    choices = answer.get("choices")
    return isinstance(choices, list) and any(isinstance(choice, dict) and "message" in choice for choice in choices)


_OURS: Final = ChatCompletion.model_fields.keys() - {"created", "system_fingerprint"}
"""Fields of a completion that are not what a text model's answer says by that name."""


def _completion(piece: Piece, id: str, model: str, response: HTTPResponse) -> ChatCompletion:
    blocked = piece.rest.get("amazon-bedrock-guardrailAction") == "INTERVENED"
    choices = []
    for index, (text, reason) in enumerate(piece.texts):
        finish = "content_filter" if blocked else finish_of_text(reason)
        message = {"role": "assistant", "content": text}
        choices.append({"index": index, "message": message, "finish_reason": finish, "native_finish_reason": reason})
    counts = [piece.prompt, piece.output]
    for place, name in enumerate(_TOKEN_HEADERS):
        if counts[place] is None and response.headers.get(name, "").isdigit():
            counts[place] = int(response.headers[name])
    told = {"created": 0, **{name: value for name, value in piece.rest.items() if name not in _OURS}}
    values: dict[str, Any] = {**told, "id": id, "model": model, "choices": choices}
    if any(count is not None for count in counts):
        read, written = counts[0] or 0, counts[1] or 0
        values["usage"] = CompletionUsage(prompt_tokens=read, completion_tokens=written, total_tokens=read + written)
    return ChatCompletion.model_validate(values)
