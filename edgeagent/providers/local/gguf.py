"""What the head of a GGUF file says about the model's chat template, without loading the model.

The format (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md): magic, version, counts, then key-value pairs; a
key is a length and its bytes, a value a type and its bytes. Rather than walk over a vocabulary of 100,000 words, the
one pair is searched for by its whole head: length, key and type, which no other place of the metadata holds together.
"""

from __future__ import annotations

import mmap
from pathlib import Path
from struct import pack, unpack_from
from typing import Final

from edgeagent.errors import ConfigurationError

__all__ = ["chat_templates", "check"]

MAGIC: Final = b"GGUF"
STRING: Final = 8
"""The type of a value that is text: a length of 64 bits and UTF-8 bytes."""
METADATA_LIMIT: Final = 64 * 1024 * 1024
"""How far the metadata is searched; the largest vocabularies take a quarter of it."""
TEMPLATE_KEYS: Final = ("tokenizer.chat_template", "tokenizer.chat_template.tool_use")


def check(path: Path) -> None:
    """That there is a GGUF file.

    Raises:
        ConfigurationError: there is no such file, it cannot be read, or it is something else.
    """
    try:
        with path.open("rb") as file:
            head = file.read(len(MAGIC))
    except OSError as error:
        raise ConfigurationError(f"The model file {path} cannot be read: {error.strerror or error}.") from error
    if head != MAGIC:
        raise ConfigurationError(f"The model file {path} is not a GGUF file.")


def chat_templates(path: Path) -> tuple[str, ...]:
    """The chat templates (Jinja) that the file carries; raises like `check`."""
    check(path)
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        found = (_text(data, key) for key in TEMPLATE_KEYS)
        return tuple(text for text in found if text is not None)


def _text(data: mmap.mmap, key: str) -> str | None:
    name = key.encode()
    head = pack("<Q", len(name)) + name + pack("<I", STRING)
    at = data.find(head, 0, METADATA_LIMIT)
    start = at + len(head) + 8
    if at < 0 or start > len(data):
        return None
    (length,) = unpack_from("<Q", data, start - 8)
    return data[start : start + length].decode("utf-8", "replace")
