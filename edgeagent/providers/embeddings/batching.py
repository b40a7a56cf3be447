"""More inputs than one request takes: split, and joined again in order. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, TypeAlias

from edgeagent.providers.embeddings.base import Limits
from edgeagent.types import CreateEmbeddingResponse, EmbeddingRequest, EmbeddingUsage

__all__ = ["join", "split", "tokens_at_most"]

Item: TypeAlias = str | list[int] | dict[str, Any]

_NOT_SUMMED: Final = frozenset({"created", "version"})


def tokens_at_most(item: Item) -> int:
    """An upper bound of an input's tokens: a byte-level tokenizer makes no more tokens than there are bytes."""
    if isinstance(item, str):
        return len(item.encode("utf-8", "replace"))
    if isinstance(item, list):
        return len(item)
    texts = (part.get("text") for part in item.get("content", ()) if isinstance(part, dict))
    return sum(len(text.encode("utf-8", "replace")) for text in texts if isinstance(text, str))


def split(
    request: EmbeddingRequest, limits: Limits, count: Callable[[Item], int] = tokens_at_most
) -> list[EmbeddingRequest]:
    """Requests of at most `limits` each, whose inputs in order are those of `request`.

    An input that alone has more tokens than the limit stands alone: the vendor has the last word on it. What need not
    be split is returned as it is.
    """
    items = request.items
    groups = list(_groups(items, limits, count))
    if len(groups) <= 1:
        return [request]
    return [request.model_copy(update={"input": list(group)}) for group in groups]


def _groups(items: Sequence[Item], limits: Limits, count: Callable[[Item], int]) -> Iterator[Sequence[Item]]:
    start = tokens = 0
    for at, item in enumerate(items):
        size = count(item) if limits.tokens is not None else 0
        full = limits.inputs is not None and at - start >= limits.inputs
        if at > start and (full or (limits.tokens is not None and tokens + size > limits.tokens)):
            yield items[start:at]
            start, tokens = at, 0
        tokens += size
    yield items[start:]


def join(answers: Sequence[CreateEmbeddingResponse]) -> CreateEmbeddingResponse:
    """The answers to split requests, in their order, as one: indices counted through, usage summed.

    Usage is None if any answer has none, since a part of it would be taken for the whole. Of the vendor's own fields,
    numbers are summed, lists put together, objects joined by these rules; of texts the first counts.

    Raises:
        ValueError: there are no answers.
    """
    if not answers:
        raise ValueError("nothing to join")
    if len(answers) == 1:
        return answers[0]
    vectors = [vector for answer in answers for vector in answer.data]
    data = [vector.model_copy(update={"index": index}) for index, vector in enumerate(vectors)]
    usages = [answer.usage for answer in answers if answer.usage is not None]
    values: dict[str, Any] = dict(answers[0].model_extra or {})
    for answer in answers[1:]:
        values = _joined(values, answer.model_extra or {})
    usage = None
    if len(usages) == len(answers):
        total = usages[0].model_dump(exclude_unset=True)
        for more in usages[1:]:
            total = _joined(total, more.model_dump(exclude_unset=True))
        usage = EmbeddingUsage.model_validate(total)
    return CreateEmbeddingResponse(**values, data=data, model=answers[0].model, object="list", usage=usage)


def _joined(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    both = dict(one)
    for name, value in other.items():
        both[name] = _sum(one[name], value, name) if name in one else value
    return both


def _sum(one: Any, other: Any, name: str) -> Any:
    if isinstance(one, dict) and isinstance(other, dict):
        return _joined(one, other)
    if isinstance(one, list) and isinstance(other, list):
        return one + other
    if one is None:
        return other
    if _is_number(one) and _is_number(other) and name not in _NOT_SUMMED:
        return one + other
    return one


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
