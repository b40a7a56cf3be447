"""`openai.Completion`: text that a prompt begins, asked of chat models.

The API behind it is asked no more: a prompt is sent as the user's message, and the answer is given back in the older
form. What chat cannot answer faithfully (several prompts, prompts of tokens, `suffix`, `echo`, `best_of`, `logprobs`,
models that only complete) is refused before anything is sent.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, Generator, Mapping
from typing import Any, Final

from edgeagent import error
from edgeagent.legacy import chat
from edgeagent.legacy.settings import groups
from edgeagent.openai_object import OpenAIObject

__all__ = ["Completion"]

OUTPUT_LIMIT: Final = 16
"""Tokens, where `max_tokens` does not say: what the completions API documents.
https://platform.openai.com/docs/api-reference/completions/create"""

COMPLETES: Final = re.compile(
    r"(ada|babbage|curie|davinci)(-002|:.*)?"
    r"|(text|code)-(ada|babbage|curie|cushman|davinci)-.*"
    r"|gpt-3\.?5-turbo-instruct.*"
)
"""The names of OpenAI's models that complete text and do not chat.
https://platform.openai.com/docs/deprecations"""

_REFUSED: Final = ("suffix", "echo", "logprobs")


class Completion:
    """`openai.Completion.create` and `acreate`, answered by a chat model."""

    @classmethod
    def create(cls, **params: Any) -> Any:
        """An `OpenAIObject` with `choices[…].text`; with `stream=True` a generator of them.

        Raises:
            error.InvalidRequestError: chat cannot answer this faithfully; `.param` names the reason.
            error.OpenAIError: what openai<1 raised.
        """
        answer = chat.create(_as_chat(params))
        return _pieces(answer) if params.get("stream") else _as_text(answer)

    @classmethod
    async def acreate(cls, **params: Any) -> Any:
        """The same, awaiting; with `stream=True` an async generator."""
        answer = await chat.acreate(_as_chat(params))
        return _apieces(answer) if params.get("stream") else _as_text(answer)


def _as_chat(params: Mapping[str, Any]) -> dict[str, Any]:
    asked = dict(params)
    for name in _REFUSED:
        if asked.pop(name, None) not in (None, False):
            _refuse(name, "chat models have no such parameter")
    if asked.pop("best_of", None) not in (None, 1, asked.get("n")):
        _refuse("best_of", "chat models have no such parameter; ask for n answers and choose")
    model = asked.get("engine") or asked.get("deployment_id") or asked.get("model")
    if isinstance(model, str) and COMPLETES.fullmatch(model) and model not in groups():
        _refuse("model", f"{model!r} does not chat; name one that does, or map it to one in openai.edge['models']")
    prompt = asked.pop("prompt", None)
    if isinstance(prompt, list) and len(prompt) == 1:
        (prompt,) = prompt
    if not isinstance(prompt, str):
        _refuse("prompt", "must be one text here; call once for each prompt")
    asked.setdefault("max_tokens", OUTPUT_LIMIT)
    return {**asked, "messages": [{"role": "user", "content": prompt}]}


def _refuse(param: str, reason: str) -> None:
    raise error.InvalidRequestError(f"{param}: {reason} (Completion.create is answered by chat).", param)


def _as_text(answer: OpenAIObject) -> OpenAIObject:
    """A chat completion, or a chunk of one, in the older form."""
    choices = [
        {
            "text": (choice.get("message") or choice.get("delta") or {}).get("content") or "",
            "index": choice["index"],
            "logprobs": None,
            "finish_reason": choice.get("finish_reason"),
        }
        for choice in answer["choices"]
    ]
    fields = {**answer, "object": "text_completion", "choices": choices}
    facts = {name: getattr(answer, name) for name in ("organization", "engine", "response_ms", "edge")}
    return OpenAIObject.construct_from(fields, **facts)


def _pieces(chunks: Generator[OpenAIObject, None, None]) -> Generator[OpenAIObject, None, None]:
    for chunk in chunks:
        yield _as_text(chunk)


async def _apieces(chunks: AsyncGenerator[OpenAIObject, None]) -> AsyncGenerator[OpenAIObject, None]:
    async for chunk in chunks:
        yield _as_text(chunk)
