"""Structure that plain text does not have: markers of roles and turns, delimiters, what a page hides, links that leak.

See `signs`.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["STRUCTURES", "Structure"]


class Structure(NamedTuple):
    """A sign's name, its anchors (parted by spaces; `~` stands for a space), and the pattern that is searched for."""

    sign: str
    anchors: str
    pattern: str


STRUCTURES: Final[tuple[Structure, ...]] = (
    Structure(
        "role_marker",
        "<| inst] <<sys sys>> (system_message <start_of_turn",
        r"<\|[a-z_]{2,24}\|>|\[/?inst\]|<</?sys>>|\(system_message\)|<start_of_turn>",
    ),
    Structure(
        "role_marker",
        "<system </system <assistant </assistant <user </user <instruction <information> <admin",
        r"</?(?:system|assistant|user|instructions?|information|admin)\b[^>\n]{0,40}>",
    ),
    Structure(
        "role_marker",
        "system assistant: human: developer: admin]",
        r"""^[\s>#*\[(\"'-]{0,8}(?:system|assistant|developer|human|admin)[\])*]{0,3} ?:|\[(?:system|admin"""
        r"|developer)[^\]\n]{0,30}\]",
    ),
    Structure(
        "role_marker",
        "###",
        r"#{2,9} ?\(?(?:system|instructions?|response|end|new|assistant)",
    ),
    Structure(
        "role_marker",
        '"role"',
        r'"role" ?: ?"(?:system|developer|assistant)"',
    ),
    Structure(
        "delimiter",
        '--- === ### """ ``` ***',
        r"(?:---|===|###|\*\*\*|\"\"\"|```) ?\[?(?:end|begin|start|new|stop|system|user)\b",
    ),
    Structure(
        "delimiter",
        "}]} end~of",
        r'"\}\]\}|^\W{0,12}end of (?:user|document|input|context|prompt)',
    ),
    Structure(
        "delimiter",
        "</user </document </context </input </data </text",
        r"</(?:user|document|context|input|data|text)>",
    ),
    Structure(
        "hidden_html",
        "<!--",
        r"<!--[^>]{0,200}?\b(?:assistants?|ai|llm|model|instructions?|ignore|prompt|system|agent)\b",
    ),
    Structure(
        "hidden_html",
        "display: font-size visibility opacity color:",
        r"(?:display ?: ?none|font-size ?: ?[01](?:px|pt|em)?\b|visibility ?: ?hidden|opacity ?: ?0\b"
        r"|color ?: ?(?:white|#fff\b|#ffffff|transparent))[^<]{0,80}>[^<]{8}",
    ),
    Structure(
        "markdown_exfiltration",
        "](http ](//",
        r"!?\[[^\]\n]{0,80}\]\((?:https?:)?//[^)\s]{1,200}?(?:[?&][\w-]{1,20}=|\{)",
    ),
    Structure(
        "placeholder",
        "[insert {z} prompt~here {prompt [your <prompt",
        r"\[insert|\{z\}|\{\{? ?prompt|prompt here|<prompt>|\[your (?:prompt|question|query)",
    ),
    Structure(
        "shouting",
        "!!!",
        r"!!!",
    ),
)
