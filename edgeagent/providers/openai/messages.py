"""Messages and tools as they are sent: without what only answers have, and what only other vendors know."""

from __future__ import annotations

from typing import Any, Final

from edgeagent.providers.files import missing_name
from edgeagent.providers.openai.quirks import Quirks
from edgeagent.providers.openai.repair import WIRE

__all__ = ["CACHE_HINT", "Taken", "media_of_results", "own_parts"]

REASONING: Final = ("reasoning", "reasoning_content", "reasoning_details", "reasoning_encrypted")
"""Under which names servers tell their reasoning, and some want it back (`Quirks.replayed`)."""

OTHERS: Final = frozenset(
    {
        *("citations", "executed_tools"),  # Perplexity and others; Groq
        *("provider_metadata", "padding", "token_id"),  # Vercel, GitHub Copilot, Together
        *("graph_data", "image_data", "llm_data", "translation_data", "web_search_data"),  # Writer
    }
)
"""Fields that an answer's message has at servers other than OpenAI, which refuses them."""

RESPONSE_ONLY: Final = OTHERS | {"annotations", "channel", "native_content", "parsed"}
"""Fields that an assistant's message has in an answer and must not have in a request."""

CALL_SIGNATURE: Final = "extra_content"
"""Gemini's signature of a call on its OpenAI endpoint: https://ai.google.dev/gemini-api/docs/thought-signatures"""

ASSISTANT_PARTS: Final = frozenset({"text", "refusal"})
"""The content parts that OpenAI takes in an assistant's message; others are parts of another vendor's answer."""

MEDIA: Final = frozenset({"image_url", "input_audio", "file"})

CACHE_HINT: Final = "cache_control"
"""Anthropic's prompt-caching hint: OpenAI caches without being asked."""

FOREIGN_FIELDS: Final = frozenset({"citations", "context", "transformations"})
"""What else a part may say to Anthropic's models; OpenAI refuses a part with a field that it does not know."""

TYPED_LINKS: Final = frozenset({"image_url", "file"})
"""Parts whose `format` tells Google the media type; sounds have one at OpenAI, too."""


def own_parts(message: dict[str, Any]) -> list[Any] | None:
    """The content in parts that a server of OpenAI's shape answered with; None if the answer was another vendor's."""
    native = message.get("native_content")
    if not isinstance(native, dict) or native.get("wire") != WIRE or not isinstance(native.get("content"), list):
        return None
    return list(native["content"])


def media_of_results(messages: list[dict[str, Any]]) -> list[dict[str, Any]] | None:
    """The messages with the media of tools' results in a user message after them; None if there are none.

    OpenAI's document has text alone in a tool's message (`ChatCompletionRequestToolMessageContentPart`).
    """
    if not any(_media(message) for message in messages):
        return None
    sent: list[dict[str, Any]] = []
    waiting: list[Any] = []
    for message in messages:
        if waiting and message.get("role") != "tool":
            sent.append({"role": "user", "content": waiting})
            waiting = []
        media = _media(message)
        if media:
            waiting += [{"type": "text", "text": f"From the tool call {message.get('tool_call_id')}:"}, *media]
            rest = [part for part in message["content"] if part not in media]
            message = {**message, "content": rest or ""}  # an empty list is refused
        sent.append(message)
    return [*sent, {"role": "user", "content": waiting}] if waiting else sent


def _media(message: dict[str, Any]) -> list[Any]:
    content = message.get("content")
    if message.get("role") != "tool" or not isinstance(content, list):
        return []
    return [part for part in content if isinstance(part, dict) and part.get("type") in MEDIA]


class Taken:
    """Takes out of messages and tools what must not be sent, and remembers what it took."""

    def __init__(self, quirks: Quirks) -> None:
        self._keep_hints = quirks.cache_hints
        self._keep_parts = quirks.parts_replayed
        self._without = RESPONSE_ONLY.union(REASONING) - set(quirks.replayed)
        self._keep_signatures = quirks.lenient
        self._keep_names = quirks.message_names
        self._names_files = quirks.file_names
        self._named = False
        self._fields: set[str] = set()
        self._audio = False
        self.dropped: set[str] = set()

    def edits(self) -> list[str]:
        """What was taken away, in words."""
        edits = []
        if self._fields:
            edits.append(f"fields of answers not sent back: {', '.join(sorted(self._fields))}")
        if self._audio:
            edits.append("audio of earlier answers sent by its id")
        if self._named:
            edits.append("files without a name sent with one")
        return edits

    def from_message(self, message: dict[str, Any]) -> dict[str, Any]:
        """A message as it is sent."""
        if len(message) == 2 and type(message.get("content")) is str:
            return message  # a role and a text: the usual case, with nothing to take
        sent = {name: value for name, value in message.items() if value is not None or name == "content"}
        self._hint(sent)
        if not self._keep_names and sent.get("role") != "function" and sent.pop("name", None) is not None:
            self.dropped.add("messages.name")
        content = sent.get("content")
        assistant = sent.get("role") == "assistant"
        if isinstance(content, list):
            parts = [self._from_part(part) for part in content if not (assistant and self._is_foreign(part))]
            sent["content"] = parts if parts or not content else None if sent.get("tool_calls") else ""
        if assistant:
            self._from_answer(sent)
        return sent

    def from_tool(self, tool: dict[str, Any]) -> dict[str, Any]:
        """A tool as it is sent."""
        function = tool.get("function")
        if CACHE_HINT not in tool and not (isinstance(function, dict) and CACHE_HINT in function):
            return tool
        sent = dict(tool)
        self._hint(sent)
        if isinstance(function, dict):
            sent["function"] = dict(function)
            self._hint(sent["function"])
        return sent

    def _from_answer(self, sent: dict[str, Any]) -> None:
        if self._keep_parts and (parts := own_parts(sent)) is not None:
            sent["content"] = parts
            del sent["native_content"]
            sent.pop("reasoning_content", None)  # it is among the parts
        for name in sorted(self._without & sent.keys()):
            del sent[name]
            self._fields.add(name)
        audio = sent.get("audio")
        if isinstance(audio, dict) and audio.keys() != {"id"} and "id" in audio:
            sent["audio"] = {"id": audio["id"]}
            self._audio = True
        calls = sent.get("tool_calls")
        if calls == []:
            del sent["tool_calls"]  # OpenAI refuses an empty list
        elif isinstance(calls, list):
            sent["tool_calls"] = [self._from_call(call) for call in calls]

    def _from_call(self, call: Any) -> Any:
        if not isinstance(call, dict):
            return call
        sent = {name: value for name, value in call.items() if value is not None and name != "index"}
        if "index" in call:
            self._fields.add("tool_calls.index")
        self._hint(sent)
        if not self._keep_signatures and sent.pop(CALL_SIGNATURE, None) is not None:
            self._fields.add(f"tool_calls.{CALL_SIGNATURE}")
        function = sent.get("function")
        if isinstance(function, dict) and "parsed_arguments" in function:  # added by openai's `parse` helper
            sent["function"] = {name: value for name, value in function.items() if name != "parsed_arguments"}
            self._fields.add("tool_calls.function.parsed_arguments")
        return sent

    def _is_foreign(self, part: Any) -> bool:
        kind = part.get("type") if isinstance(part, dict) else None
        if not isinstance(kind, str) or kind in ASSISTANT_PARTS or self._keep_parts:
            return False
        self.dropped.add(f"messages.content.{kind}")
        return True

    def _from_part(self, part: Any) -> Any:
        if self._keep_hints or not isinstance(part, dict):
            return part
        foreign = FOREIGN_FIELDS & part.keys()
        kind = part.get("type")
        link = part.get(kind) if isinstance(kind, str) and kind in TYPED_LINKS else None
        untyped = {k: v for k, v in link.items() if k != "format"} if isinstance(link, dict) else link
        if isinstance(untyped, dict) and self._names_files and (name := missing_name(untyped)) is not None:
            untyped["filename"] = name
            self._named = True
        if not (foreign or untyped != link or CACHE_HINT in part):
            return part
        sent = {name: value for name, value in part.items() if name not in foreign}
        self._hint(sent)
        self.dropped |= foreign
        if untyped != link:
            sent[kind] = untyped
            if isinstance(link, dict) and "format" in link:
                self.dropped.add(f"{kind}.format")
        return sent

    def _hint(self, holder: dict[str, Any]) -> None:
        if not self._keep_hints and holder.pop(CACHE_HINT, None) is not None:
            self.dropped.add(CACHE_HINT)
