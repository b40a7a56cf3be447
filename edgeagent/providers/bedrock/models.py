"""What is known of the models behind Bedrock, as far as a Converse request's form depends on it.

A model is known by its id, wherever it is called from (`us.anthropic.claude-…`, a foundation model's ARN). What an
application inference profile stands for cannot be told from its ARN; it counts as able to do everything.

Sources: https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html,
/bedrock/latest/APIReference/API_runtime_ToolChoice.html (who can be made to call a tool),
/bedrock/latest/userguide/structured-output.html, /prompt-caching.html.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from edgeagent.providers.claude import ModelFacts, model_facts

__all__ = ["BedrockFacts", "bedrock_facts", "is_bedrock_name"]

_MAKERS: Final = (
    *("ai21", "amazon", "anthropic", "cohere", "deepseek", "google", "luma", "meta", "minimax", "mistral"),
    *("moonshot", "moonshotai", "nvidia", "openai", "qwen", "stability", "twelvelabs", "writer", "zai"),
)
_REGIONS: Final = ("us", "us-gov", "eu", "apac", "au", "ca", "global", "jp", "sa")
_ID: Final = re.compile(rf"(?:^|/)(?:(?:{'|'.join(_REGIONS)})\.)?({'|'.join(_MAKERS)})\.([a-z0-9][\w.:-]*)$")
_COMPILES_SCHEMAS: Final = re.compile(
    r"(openai|qwen|google|nvidia|zai|minimax|moonshot|moonshotai)\.|deepseek\.v|"
    r"mistral\.(mistral-large-3|ministral|magistral|devstral|voxtral)"
)


@dataclass(frozen=True, slots=True)
class BedrockFacts:
    """What one model accepts.

    Attributes:
        name: maker and model, as in `amazon.nova-lite-v1:0`; empty when not known.
        claude: Anthropic's own facts, for its models.
        compiles_schemas: whether `outputConfig.textFormat` and strict tools exist.
        forced: whether a call of one named tool can be demanded, of any tool, or none.
        caches: whether `cachePoint` blocks are accepted.
    """

    name: str
    claude: ModelFacts | None
    compiles_schemas: bool
    forced: Literal["tool", "any", "none"]
    caches: bool

    @property
    def is_nova(self) -> bool:
        """Whether this is one of Amazon's own newer models."""
        return self.name.startswith("amazon.nova")


@lru_cache(maxsize=256)
def bedrock_facts(model: str) -> BedrockFacts:
    """The facts of a model by its id, inference profile or ARN."""
    found = _ID.search(model.lower())
    name = f"{found[1]}.{found[2]}" if found else ""
    claude = model_facts(model) if "claude" in model.lower() else None
    if claude is not None:
        return BedrockFacts(name, claude, claude.native_schema, "tool" if claude.forced_tools else "none", True)
    if not name or name.startswith("amazon.nova"):
        return BedrockFacts(name, None, False, "tool", True)
    compiles = _COMPILES_SCHEMAS.match(name) is not None
    return BedrockFacts(name, None, compiles, "any" if name.startswith("mistral.") else "none", False)


def is_bedrock_name(model: str) -> bool:
    """Whether the name looks like one of Bedrock's: a maker's prefix, perhaps behind a region's, or an ARN."""
    return model.startswith("arn:aws") or _ID.search(model) is not None
