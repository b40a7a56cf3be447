"""detect-secrets, with its default plugins and filters, on the text in a file.

Its function for a single line is for trying a value: it tells every match, however little it looks like a secret. What
it takes for a keyword's value depends on the file's name: of `.txt`, `.env`, `.py`, `.json`, `.yaml` and none, `.yaml`
has it find the most.
"""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

from detect_secrets import SecretsCollection
from detect_secrets.settings import default_settings

from benchmarks.peers.worker import Find

__all__ = ["detector"]


def detector() -> Find:
    folder = TemporaryDirectory()

    def find(text: str) -> list[tuple[int, int, str]]:
        path = Path(folder.name) / "text.yaml"
        path.write_text(text, encoding="utf-8")
        secrets = SecretsCollection()
        with default_settings():
            secrets.scan_file(str(path))
        found = set()
        for _, secret in secrets:
            for place in re.finditer(re.escape(secret.secret_value or "\0"), text):
                found.add((*place.span(), secret.type))
        return sorted(found)

    return find
