"""The result objects of openai<1: dicts whose keys are attributes too.

    r["choices"][0]["message"]["content"] == r.choices[0].message.content

They stand here, under the name that they had there, for `isinstance` checks and annotations of code of that time.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any, Final

from typing_extensions import Self

__all__ = ["OpenAIObject", "convert_to_openai_object"]

_FACTS: Final = ("organization", "engine", "edge")


class OpenAIObject(dict[str, Any]):
    """A JSON object; nested ones are of this class too.

    Beside the fields, which are the dict, it has what openai<1 kept there: `organization` (whose account answered),
    `engine` (as the call named it), `response_ms` (the provider's time in milliseconds); and `edge`, what the gateway
    did. They belong to the outermost object and are None elsewhere.
    """

    organization: str | None
    engine: str | None
    edge: Any

    def __init__(self, id: str | None = None, **facts: Any) -> None:
        super().__init__()
        for name in (*_FACTS, "_response_ms"):
            object.__setattr__(self, name, facts.get(name.lstrip("_")))
        if id:
            self["id"] = id

    @classmethod
    def construct_from(cls, values: Mapping[str, Any], **facts: Any) -> Self:
        """An object of these fields; `facts` are `organization`, `engine`, `response_ms` and `edge`."""
        made = cls(**facts)
        for name, value in values.items():
            dict.__setitem__(made, name, convert_to_openai_object(value))
        return made

    def refresh_from(self, values: Mapping[str, Any], **facts: Any) -> None:
        """Put these fields in the place of all that it has, and the facts of `values`, or those that are given."""
        for name in (*_FACTS, "_response_ms"):
            told = facts.get(name.lstrip("_")) or getattr(values, name, None)
            if told is not None or name != "engine":  # which the call named, whatever it was answered
                object.__setattr__(self, name, told)
        fields = {name: convert_to_openai_object(value) for name, value in values.items()}
        self.clear()
        self.update(fields)

    @property
    def openai_id(self) -> Any:
        """The field `id`."""
        return self.id

    @property
    def response_ms(self) -> int | None:
        """How long the provider took, in milliseconds."""
        told: int | None = self._response_ms
        return told

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_") or name in _FACTS:
            object.__setattr__(self, name, value)
        else:
            self[name] = value

    def __delattr__(self, name: str) -> None:
        if name.startswith("_") or name in _FACTS:
            object.__delattr__(self, name)
        else:
            del self[name]

    def __setitem__(self, name: str, value: Any) -> None:
        if isinstance(value, str) and not value:
            raise ValueError(f"{name} cannot be set to an empty text; set it to None to leave it out.")
        super().__setitem__(name, value)

    def __delitem__(self, name: str) -> None:
        raise NotImplementedError("Fields cannot be deleted; set them to None.")

    def to_dict(self) -> dict[str, Any]:
        """A plain dict; nested objects stay as they are."""
        return dict(self)

    def to_dict_recursive(self) -> dict[str, Any]:
        """Plain dicts all the way down."""
        return {name: _plain(value) for name, value in self.items()}

    def __str__(self) -> str:
        return json.dumps(self.to_dict_recursive(), indent=2)

    def __repr__(self) -> str:
        named = (self.get("object"), f"id={self['id']}" if isinstance(self.get("id"), str) else None)
        words = " ".join([type(self).__name__, *(word for word in named if isinstance(word, str))])
        return f"<{words} at {hex(id(self))}> JSON: {self}"

    def __copy__(self) -> Self:
        copied = type(self)()
        copied.__dict__.update(self.__dict__)
        copied.update(self)  # as dict.update, it asks no __setitem__: empty text came from the provider
        return copied

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        copied = type(self)()
        memo[id(self)] = copied
        copied.__dict__.update(self.__dict__)
        copied.update({name: deepcopy(value, memo) for name, value in self.items()})
        return copied

    def __reduce__(self) -> tuple[Any, ...]:
        return (_rebuilt, (type(self), dict(self), self.__dict__))


def _rebuilt(cls: type[OpenAIObject], fields: dict[str, Any], facts: dict[str, Any]) -> OpenAIObject:
    made = cls()
    made.__dict__.update(facts)
    made.update(fields)
    return made


def convert_to_openai_object(value: Any) -> Any:
    """Dicts as objects, all the way down; everything else as it is."""
    if isinstance(value, list):
        return [convert_to_openai_object(item) for item in value]
    if isinstance(value, dict) and not isinstance(value, OpenAIObject):
        return OpenAIObject.construct_from(value)
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, OpenAIObject):
        return value.to_dict_recursive()
    return [_plain(item) for item in value] if isinstance(value, list) else value
