"""The older `POST /api/generate` said in terms of `/api/chat`: a prompt is a user's word, a response a message.

Source: https://docs.ollama.com/api/generate.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from edgeagent.errors import RequestValidationError

__all__ = ["chat_answer", "chat_body", "generate_answer", "generate_body"]

Fields = dict[str, Any]

_PROMPT: Final = frozenset({"prompt", "system", "images"})


def chat_answer(document: Mapping[str, Any]) -> Fields:
    """An answer, or a line of one, in the form of `/api/chat`; what only this API has is kept beside the message."""
    answer = {name: value for name, value in document.items() if name not in {"response", "thinking"}}
    if "response" in document:
        fields = {"content": document.get("response"), "thinking": document.get("thinking")}
        answer["message"] = {"role": "assistant", **{k: v for k, v in fields.items() if v is not None}}
    return answer


def generate_answer(document: Mapping[str, Any]) -> Fields:
    """The inverse: tool calls, which this API has not, are lost."""
    answer = {name: value for name, value in document.items() if name != "message"}
    message = document["message"]
    answer["response"] = message.get("content", "")
    if message.get("thinking"):
        answer["thinking"] = message["thinking"]
    return answer


def chat_body(body: Mapping[str, Any]) -> Fields:
    """A request in the form of `/api/chat`. Raises `RequestValidationError`."""
    prompt, system = body.get("prompt") or "", body.get("system")
    if not isinstance(prompt, str):
        raise RequestValidationError("prompt: it is text.", param="prompt")
    user = {"role": "user", "content": prompt}
    if body.get("images"):
        user["images"] = body["images"]
    before = [{"role": "system", "content": system}] if system else []
    rest = {name: value for name, value in body.items() if name not in _PROMPT and value not in ("", [], None)}
    return {**rest, "messages": [*before, user]}


def generate_body(body: Mapping[str, Any]) -> Fields:
    """The inverse. Raises `RequestValidationError` for what is more than a system's word and a user's."""
    messages = body["messages"]
    roles = [message["role"] for message in messages]
    if roles not in (["user"], ["system", "user"]):
        raise RequestValidationError("Ollama's generate API takes one user's message.", param="messages")
    if "tools" in body:
        raise RequestValidationError("Ollama's generate API has no tools.", param="tools")
    rest = {name: value for name, value in body.items() if name != "messages"}
    if len(messages) == 2:
        rest["system"] = messages[0].get("content", "")
    if "images" in messages[-1]:
        rest["images"] = messages[-1]["images"]
    return {**rest, "prompt": messages[-1].get("content", "")}
