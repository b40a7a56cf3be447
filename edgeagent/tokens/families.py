"""What is known of a model's own way of counting before it has answered once, by the family in its name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from edgeagent.tokens.size import Size

__all__ = ["Family", "family_of"]


@dataclass(frozen=True, slots=True)
class Family:
    """How sizes become tokens; fitted on recorded traffic.

    Args:
        text: of its tokens for each token of our count.
        message: for the frame of each message.
        tools: for each token of the tools' JSON, which vendors shorten or lengthen.
        tool: for each tool.
        with_tools: the vendor's own prompt where there are any.
        schema: for each token of the answer's schema.
        always: the vendor's own prompt.
    """

    text: float = 1.0
    message: float = 3.5
    tools: float = 0.8
    tool: float = 5.0
    with_tools: float = 30.0
    schema: float = 0.8
    always: float = 3.0

    def tokens(self, size: Size) -> float:
        """Of a request of that size."""
        tokens = size.text * self.text + size.messages * self.message + size.media
        if size.tool_count:
            tokens += size.tool_count * self.tool + self.with_tools
        return tokens + size.tools * self.tools + size.schema * self.schema + self.always


_FAMILIES: Final = (
    ("claude", Family(text=1.05, tools=1.06, tool=42.0, with_tools=400.0)),
    ("gemini", Family(message=1.0, tools=0.5, with_tools=0.0, schema=0.0, always=0.0)),
    ("mistral", Family(message=1.5, tools=0.9, tool=0.0, with_tools=0.0)),
    ("codestral", Family(message=1.5, tools=0.9, tool=0.0, with_tools=0.0)),
    ("gpt", Family(tools=0.42, tool=0.0, with_tools=8.0)),
    ("o1", Family(tools=0.5, tool=0.0, with_tools=8.0)),
    ("o3", Family(tools=0.5, tool=0.0, with_tools=8.0)),
    ("o4", Family(tools=0.5, tool=0.0, with_tools=8.0)),
    ("deepseek", Family(tool=0.0, with_tools=160.0)),
    ("command", Family(always=490.0, tools=1.0, tool=0.0, with_tools=880.0)),
    ("nova", Family(with_tools=350.0)),
    ("qwen", Family(message=5.0, tools=0.6, tool=30.0, with_tools=60.0)),
)
_OTHER: Final = Family()


def family_of(model: str) -> Family:
    """The family whose name occurs in the model's."""
    name = model.lower()
    return next((family for part, family in _FAMILIES if part in name), _OTHER)
