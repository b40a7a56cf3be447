"""Asking the semantic cache: what of a request is compared by meaning, and what must be equal.

The text of the last user turn is compared; everything else of the request is hashed by the rules of the key into the
name of a group, and only within a group is anything compared. A request whose last message is not a user's text has no
place here: after a tool's result, or with an image alone, there is no question to compare.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from edgeagent.cache.key import raw_key
from edgeagent.cache.semantic import SemanticCache, Similar
from edgeagent.core.keys import Keys, policy_of
from edgeagent.core.reads import bound_of
from edgeagent.effects import Flow, invoke, offload

if TYPE_CHECKING:
    from edgeagent.core.call import Call
    from edgeagent.types import ChatRequest

__all__ = ["Question", "find_similar", "keep_similar", "question_of"]

EMBED_SECONDS: Final = 10.0
"""How long a vector and a verifier are waited for; then it is a miss."""


class Question(NamedTuple):
    """The last user turn of a request, and the name of the group in which it may be compared."""

    group: bytes
    text: str
    vector: Any = None


def question_of(request: ChatRequest, candidates: bytes, policy: bytes) -> Question | None:
    """What of the request is compared; None if it ends with no text of a user."""
    last = request.messages[-1] if request.messages else {}
    if last.get("role") != "user":
        return None
    text, rest = _split(last.get("content"))
    if not text.strip():
        return None
    messages = [*request.messages[:-1], {**last, "content": rest}]
    return Question(raw_key(request.model_copy(update={"messages": messages}), candidates, policy), text)


def _split(content: Any) -> tuple[str, Any]:
    """The text of a message's content, and what is left of it; their places are kept."""
    if isinstance(content, str):
        return content, ""
    if not isinstance(content, list | tuple):
        return "", content
    texts, rest = [], []
    for part in content:
        is_text = isinstance(part, dict) and part.get("type") == "text" and isinstance(part.get("text"), str)
        texts += [part["text"]] if is_text else []
        rest.append({**part, "text": ""} if is_text else part)
    return "\n".join(texts), rest


def find_similar(
    call: Call, cache: SemanticCache, question: Question, fresh: Callable[[bytes], Any]
) -> Flow[tuple[Question, Similar | None]]:
    """The question with its vector, and the nearest answered one that is near enough, fresh and verified.

    Raises:
        Exception: whatever the embedder, the index or the verifier raises.
    """
    limit = call.clock() + EMBED_SECONDS if call.deadline is None else min(call.deadline, call.clock() + EMBED_SECONDS)
    vectors = yield from invoke(partial(cache.embedder.embed, [question.text]), limit)
    question = question._replace(vector=vectors[0])
    nearest = partial(cache.nearest, question.group, question.vector)
    found = yield from offload(nearest, bound_of(call), prompt=False)
    if found is None or fresh(found.value) is None:
        return question, None
    if cache.verify is not None and found.text != question.text:
        serves = yield from invoke(partial(cache.verify, question.text, found.text), limit)
        if serves != 1:  # numpy has a True of its own; a text such as "no" is none
            return question, None
    return question, found


def keep_similar(call: Call, cache: SemanticCache, keys: Keys, data: bytes, ttl: float | None) -> bool:
    """Keep the answer to the question as it was asked → True; where it was not, forget the answer that it replaces.

    Raises:
        Exception: whatever the index raises.
    """
    asked = call.question
    if asked is not None:
        cache.put(asked.group, asked.text, asked.vector, data, ttl, (keys.raw, keys.shared))
        return True
    question = question_of(call.request, keys.candidates, policy_of(call))
    if question is not None:
        cache.forget(question.group, question.text)
    return False
