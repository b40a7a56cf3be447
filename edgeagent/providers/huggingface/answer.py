"""Hugging Face's text-generation answers ↔ completions.

A whole answer is `{"generated_text", "details"}`, or a list of one. `details` are there where they were asked for: why
it ended, how many tokens it has, and which. The prompt's length is told by streams only; without it there is no usage.

Source: https://huggingface.co/docs/inference-providers/tasks/text-generation,
https://huggingface.github.io/text-generation-inference/.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import from_json

from edgeagent.errors import ResponseValidationError
from edgeagent.providers.events import UnexpectedFormError
from edgeagent.providers.huggingface.errors import error_in_answer
from edgeagent.types import ChatCompletion
from edgeagent.types.faults import first_fault
from edgeagent.wire.http import HTTPResponse

__all__ = [
    "WIRE",
    "InvalidAnswerError",
    "answer_id",
    "decode_response",
    "encode_response",
    "finish_of",
    "invalid",
    "native_finish",
    "token_of",
]

WIRE: Final = "huggingface.inference"

_FINISH: Final[Mapping[str, str]] = {"eos_token": "stop", "stop_sequence": "stop", "length": "length"}
_NATIVE: Final[Mapping[str, str]] = {"length": "length"}


class InvalidAnswerError(UnexpectedFormError):
    """An answer is no text generation's; the text says in what, and quotes nothing of it."""


def answer_id(head: HTTPResponse | None) -> str:
    """The answer's id: the HTTP answer's, since the body has none."""
    return f"cmpl-{(head.headers.get('x-request-id') if head is not None else None) or 'huggingface'}"


def decode_response(response: HTTPResponse) -> ChatCompletion:
    """A 200 answer → the completion.

    Raises:
        ResponseValidationError: it is no JSON, or of another task than text generation.
        APIStatusError: it is an error all the same (`{"error": …}`).
    """
    try:
        value = from_json(response.content, allow_inf_nan=False)
    except ValueError as error:
        raise invalid("it is not JSON, or only the beginning of it", response) from error
    answers = value if isinstance(value, list) else [value]
    if answers and isinstance(answers[0], dict) and answers[0].get("error"):
        raise error_in_answer(answers[0], response)
    try:
        choices = [_choice(index, answer) for index, answer in enumerate(answers)]
        if not choices:
            raise InvalidAnswerError("it is empty")
        model = response.request.url.partition("?")[0].partition("/models/")[2]
        top = {"id": answer_id(response), "created": 0, "model": model}
        return ChatCompletion.model_validate({**top, "choices": choices})
    except InvalidAnswerError as error:
        raise invalid(str(error), response, value) from None
    except ValidationError as error:
        raise invalid(" ".join(first_fault(error)), response, value) from None


def _choice(index: int, answer: Any) -> dict[str, Any]:
    if not isinstance(answer, Mapping) or not isinstance(answer.get("generated_text"), str):
        raise InvalidAnswerError("it is no text generation's")
    details = answer.get("details") or {}
    if not isinstance(details, Mapping):
        raise InvalidAnswerError("details are no object")
    message = {"role": "assistant", "content": answer["generated_text"]}
    choice: dict[str, Any] = {"index": index, "message": message, **finish_of(details)}
    tokens = details.get("tokens")
    if tokens:
        tops = details.get("top_tokens") or []
        if not isinstance(tokens, list) or not isinstance(tops, list):
            raise InvalidAnswerError("tokens are no list")
        told = [token_of(token, tops[i] if i < len(tops) else None) for i, token in enumerate(tokens)]
        choice["logprobs"] = {"content": told}
    more = {name: value for name, value in answer.items() if name not in {"generated_text", "details"}}
    rest = {name: value for name, value in details.items() if name not in {"finish_reason", "tokens", "top_tokens"}}
    return {**more, **({"details": rest} if rest else {}), **choice}


def finish_of(details: Mapping[str, Any]) -> dict[str, Any]:
    """The finish reason and the vendor's own word for it; "stop" where none is told."""
    native = details.get("finish_reason")
    if not isinstance(native, str | None):
        raise InvalidAnswerError("finish_reason is no text")
    finish = _FINISH.get(native or "eos_token", "stop")
    return {"finish_reason": finish} if native is None else {"finish_reason": finish, "native_finish_reason": native}


def token_of(token: Any, tops: Any = None) -> dict[str, Any]:
    """A token in OpenAI's form; its number and whether it is special are kept."""
    if not isinstance(token, Mapping) or not isinstance(token.get("text"), str):
        raise InvalidAnswerError("a token has no text")
    told = {name: value for name, value in token.items() if name != "text"}
    told |= {"token": token["text"], "logprob": token.get("logprob") or 0.0}
    if tops is not None:
        if not isinstance(tops, Sequence) or isinstance(tops, str):
            raise InvalidAnswerError("top tokens are no list")
        told["top_logprobs"] = [token_of(top) for top in tops]
    return told


def native_finish(finish: str | None, native: str | None) -> str:
    """The vendor's own word where it is one, else the nearest to OpenAI's."""
    return native if native is not None and native in _FINISH else _NATIVE.get(finish or "stop", "eos_token")


def encode_response(completion: ChatCompletion) -> dict[str, Any]:
    """The body of the vendor's 200 answer, of the first choice."""
    choices = completion.choices
    return _answer(choices[0].to_dict(mode="json")) if choices else {"generated_text": ""}


def _answer(choice: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {"generated_text": choice["message"].get("content") or ""}
    details = dict(choice.get("details") or {})
    native = choice.get("native_finish_reason")
    tokens = (choice.get("logprobs") or {}).get("content")
    if tokens is not None or native is not None or details:
        details["finish_reason"] = native_finish(choice.get("finish_reason"), native)
    if tokens is not None:
        details["tokens"] = [_token(token) for token in tokens]
        if any("top_logprobs" in token for token in tokens):
            tops = [token.get("top_logprobs") or [] for token in tokens]
            details["top_tokens"] = [[_token(top) for top in row] for row in tops]
    return {**answer, "details": details} if details else answer


def _token(token: Mapping[str, Any]) -> dict[str, Any]:
    rest = {name: value for name, value in token.items() if name not in {"token", "top_logprobs", "bytes"}}
    return {**rest, "text": token["token"]}


def invalid(reason: str, response: HTTPResponse, body: object = None) -> ResponseValidationError:
    """The error for an answer that is not what is documented; `reason` quotes nothing of it."""
    return ResponseValidationError(response, body, message=f"The answer is no generated text: {reason}.")
