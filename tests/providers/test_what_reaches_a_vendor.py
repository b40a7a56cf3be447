"""What a request asks for, vendor by vendor: where it stands in the vendor's body, or how we say that it cannot.

One row for each thing that a request of OpenAI's shape can say, one cell for each wire format. A cell is

- a path, where the vendor's body holds the very value that was given, or a path and the value there;
- `DROPPED`: advisory, left out and named in `dropped`; the body is what it is without it;
- `UNFIT`: the vendor is not asked (a `RequestValidationError`, with which the router goes to the next target);
- `NOTHING`: the vendor's default is what was asked for.

Paths are the vendors' documents'; the bodies' validity is judged by their own packages in `test_valid_requests.py`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

import pytest

from edgeagent.errors import RequestValidationError
from edgeagent.types import ChatRequest
from tests.providers.every import CODECS, Wire

__all__: list[str] = []

DROPPED: Final = "dropped"
UNFIT: Final = "unfit"
NOTHING: Final = "nothing"

GROUPS = {
    "chat": ("openai", "compatible", "deepseek"),
    "claude": ("anthropic", "bedrock invoke", "claude on vertex"),
    "google": ("gemini", "gemini 3", "vertex"),
    **{name: (name,) for name in ("responses", "mistral", "cohere", "ollama", "bedrock", "watsonx", "cloudflare")},
}
"""Wires that say a thing in the same way, unless a row has a cell for one alone."""

ABSENT: Final = object()
Cell = str | tuple[Any, ...]


@dataclass(frozen=True)
class Row:
    """Something that a request says; the first parameter is the one whose value paths are to hold."""

    name: str
    asked: dict[str, Any]
    cells: dict[str, Cell]
    edits: frozenset[str] = frozenset()
    """Groups and wires where the change is told in `edits`."""
    promises: frozenset[str] = frozenset()
    """Those where less is asked for, and we check the answer."""

    def cell(self, wire: str) -> Cell:
        group = next(name for name, wires in GROUPS.items() if wire in wires)
        return self.cells[wire] if wire in self.cells else self.cells[group]

    def __str__(self) -> str:
        return self.name


def everywhere(cell: Cell, **cells: Cell) -> dict[str, Cell]:
    return {**dict.fromkeys(GROUPS, cell), **cells}


USER = {"role": "user", "content": "Hi"}
PNG = "data:image/png;base64,aWNv"
PDF = "data:application/pdf;base64,JVBERg=="
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
CLOSED = {**CITY, "additionalProperties": False}
LOOK = {"type": "function", "function": {"name": "look", "description": "Looks.", "parameters": CITY}}
WAIT = {"type": "function", "function": {"name": "wait", "parameters": {"type": "object", "properties": {}}}}
STRICT = {"type": "function", "function": {"name": "look", "parameters": CLOSED, "strict": True}}
FREE = {"type": "custom", "custom": {"name": "look", "description": "Looks."}}
NAMED = {"type": "function", "function": {"name": "look"}}
SCHEMA = {"type": "json_schema", "json_schema": {"name": "place", "schema": CLOSED, "strict": True}}
AUDIO = {"type": "input_audio", "input_audio": {"data": "UklGRg==", "format": "wav"}}


def part(value: dict[str, Any], **params: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": [{"type": "text", "text": "Look:"}, value]}], **params}


def image(**fields: Any) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": PNG, **fields}}


def file(**fields: Any) -> dict[str, Any]:
    return {"type": "file", "file": fields}


def system_then(role: str) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": "Be brief."}, USER]}


LATER = {"messages": [USER, {"role": "assistant", "content": "Yes?"}, {"role": "system", "content": "Be brief."}, USER]}
BEGUN = {"messages": [USER, {"role": "assistant", "content": "It is"}]}
DECLINED = {"messages": [USER, {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]}, USER]}
HINTED = {
    "messages": [{"role": "user", "content": [{"type": "text", "text": "Hi", "cache_control": {"type": "ephemeral"}}]}]
}
CALLS = [
    {"id": f"call_{n}", "type": "function", "function": {"name": "look", "arguments": json.dumps({"city": city})}}
    for n, city in enumerate(["Rome", "Oslo"])
]
USED = {
    "messages": [
        USER,
        {"role": "assistant", "content": "Both.", "tool_calls": CALLS},
        {"role": "tool", "tool_call_id": "call_0", "content": "sun"},
        {"role": "tool", "tool_call_id": "call_1", "content": "snow"},
        {"role": "user", "content": "And now?"},
    ],
    "tools": [LOOK],
}
SHOWN = {
    "messages": [
        USER,
        {"role": "assistant", "content": None, "tool_calls": CALLS[:1]},
        {"role": "tool", "tool_call_id": "call_0", "content": [{"type": "text", "text": "A map:"}, image()]},
    ],
    "tools": [LOOK],
}

TEXT_IN_TAGS = "<system>\nBe brief.\n</system>"
FUNCTION = "tools.0.function"
CONFIG = "generationConfig."

ROWS = (
    # numbers and words
    Row(
        "max_tokens",
        {"max_tokens": 4321},
        everywhere("max_tokens")
        | {"responses": "max_output_tokens", "ollama": "options.num_predict", "bedrock": "inferenceConfig.maxTokens"}
        | {"google": f"{CONFIG}maxOutputTokens"},
    ),
    Row(
        "max_completion_tokens",
        {"max_completion_tokens": 4321},
        everywhere("max_tokens", chat="max_completion_tokens", deepseek="max_tokens", watsonx="max_completion_tokens")
        | {"responses": "max_output_tokens", "ollama": "options.num_predict", "bedrock": "inferenceConfig.maxTokens"}
        | {"google": f"{CONFIG}maxOutputTokens"},
    ),
    Row(
        "temperature",
        {"temperature": 0.25},
        everywhere("temperature", ollama="options.temperature", bedrock="inferenceConfig.temperature")
        | {"google": f"{CONFIG}temperature"},
    ),
    Row(
        "top_p",
        {"top_p": 0.75},
        everywhere("top_p", cohere="p", ollama="options.top_p", bedrock="inferenceConfig.topP")
        | {"google": f"{CONFIG}topP"},
    ),
    Row(
        "top_k",
        {"top_k": 43},
        everywhere("top_k", ollama="options.top_k", bedrock="additionalModelRequestFields.top_k")
        | {"google": f"{CONFIG}topK"},
    ),
    Row(
        "stop",
        {"stop": ["END"]},
        everywhere("stop", claude="stop_sequences", cohere="stop_sequences", ollama="options.stop")
        | {"bedrock": "inferenceConfig.stopSequences", "google": f"{CONFIG}stopSequences"}
        | {"responses": UNFIT, "cloudflare": UNFIT},
    ),
    Row(
        "seed",
        {"seed": 77},
        everywhere("seed", claude=DROPPED, responses=DROPPED, bedrock=DROPPED, mistral="random_seed")
        | {"ollama": "options.seed", "google": f"{CONFIG}seed"},
    ),
    Row(
        "presence_penalty",
        {"presence_penalty": 0.25},
        everywhere("presence_penalty", claude=DROPPED, responses=DROPPED, bedrock=DROPPED, google=DROPPED)
        | {"ollama": "options.presence_penalty"},
    ),
    Row(
        "frequency_penalty",
        {"frequency_penalty": 0.25},
        everywhere("frequency_penalty", claude=DROPPED, responses=DROPPED, bedrock=DROPPED, google=DROPPED)
        | {"ollama": "options.frequency_penalty"},
    ),
    Row("logit_bias", {"logit_bias": {"7": -5}}, everywhere(UNFIT, chat="logit_bias", watsonx="logit_bias")),
    Row(
        "logprobs",
        {"top_logprobs": 3, "logprobs": True},
        everywhere("top_logprobs", google=f"{CONFIG}logprobs")
        | dict.fromkeys(("claude", "cohere", "bedrock", "cloudflare"), UNFIT),
    ),
    Row(
        "logprobs alone",
        {"logprobs": True},
        everywhere("logprobs", google=f"{CONFIG}responseLogprobs")
        | {"responses": ("include", ["message.output_text.logprobs", "reasoning.encrypted_content"])}
        | dict.fromkeys(("claude", "bedrock", "cloudflare"), UNFIT),
    ),
    Row(
        "n",
        {"n": 2},
        everywhere(UNFIT, chat="n", mistral="n", watsonx="n", google=f"{CONFIG}candidateCount"),
    ),
    Row(
        "reasoning effort",
        {"reasoning_effort": "high"},
        everywhere("reasoning_effort", responses="reasoning.effort", ollama="think", cohere=DROPPED)
        | {
            "claude": ("thinking", {"type": "enabled", "budget_tokens": 16384}),
            "bedrock": ("additionalModelRequestFields.thinking", {"type": "enabled", "budget_tokens": 16384}),
            "google": (f"{CONFIG}thinkingConfig", {"thinkingBudget": 24576, "includeThoughts": True}),
            "gemini 3": (f"{CONFIG}thinkingConfig", {"thinkingLevel": "high", "includeThoughts": True}),
        },
    ),
    Row(
        "no reasoning",
        {"reasoning_effort": "none"},
        everywhere("reasoning_effort", responses="reasoning.effort", ollama=("think", False))
        | dict.fromkeys(("claude", "bedrock", "cohere"), NOTHING)
        | {
            "google": (f"{CONFIG}thinkingConfig.thinkingBudget", 0),
            "gemini 3": (f"{CONFIG}thinkingConfig.thinkingLevel", "low"),
            "vertex": (f"{CONFIG}thinkingConfig.thinkingBudget", 128),
        },
        edits=frozenset({"gemini 3", "vertex"}),
    ),
    Row(
        "a budget of reasoning, in Anthropic's words",
        {"thinking": {"type": "enabled", "budget_tokens": 2000}, "max_tokens": 9000},
        everywhere("thinking", bedrock="additionalModelRequestFields.thinking")
        | {"google": ("thinking", {"type": "enabled", "budgetTokens": 2000})},
    ),
    Row(
        "verbosity",
        {"verbosity": "low"},
        everywhere(DROPPED, chat="verbosity", responses="text.verbosity"),
    ),
    # who asks, and how it is to be served
    Row(
        "user",
        {"user": "u-1"},
        everywhere(DROPPED, chat="user", responses="user", claude="metadata.user_id"),
    ),
    Row(
        "safety_identifier",
        {"safety_identifier": "u-1"},
        everywhere(DROPPED, chat="safety_identifier", responses="safety_identifier", claude="metadata.user_id"),
    ),
    Row(
        "metadata",
        {"metadata": {"team": "a"}},
        everywhere(DROPPED, chat="metadata", responses="metadata", mistral="metadata", bedrock="requestMetadata"),
    ),
    Row(
        "a cheaper service",
        {"service_tier": "flex"},
        everywhere(DROPPED, chat="service_tier", responses="service_tier", bedrock="serviceTier.type")
        | {"google": "serviceTier", "vertex": DROPPED}
        | {"bedrock invoke": ("headers.x-amzn-bedrock-service-tier", "flex")},
    ),
    Row(
        "a faster service",
        {"service_tier": "priority"},
        everywhere(DROPPED, chat="service_tier", responses="service_tier", bedrock="serviceTier.type")
        | {"google": "serviceTier", "vertex": DROPPED, "claude": ("service_tier", "auto")}
        | {"bedrock invoke": ("headers.x-amzn-bedrock-service-tier", "priority")},
    ),
    Row("store", {"store": True}, everywhere(DROPPED, chat="store", responses="store")),
    Row(
        "a key of the prompt's cache",
        {"prompt_cache_key": "k"},
        everywhere(DROPPED, chat="prompt_cache_key", responses="prompt_cache_key", mistral="prompt_cache_key"),
    ),
    Row(
        "a hint for the prompt's cache",
        HINTED,
        everywhere(DROPPED)
        | {"claude": ("messages.0.content.0.cache_control", {"type": "ephemeral"})}
        | dict.fromkeys(("compatible", "deepseek"), ("messages.0.content.0.cache_control", {"type": "ephemeral"}))
        | {"bedrock": ("messages.0.content.1.cachePoint", {"type": "default"})},
    ),
    Row(
        "a prediction",
        {"prediction": {"type": "content", "content": "As before."}},
        everywhere(DROPPED, chat="prediction", mistral="prediction"),
    ),
    Row(
        "a search of the web",
        {"web_search_options": {"search_context_size": "low"}},
        everywhere(UNFIT, chat="web_search_options")
        | {
            "responses": ("tools", [{"type": "web_search", "search_context_size": "low"}]),
            "claude": ("tools.0.name", "web_search"),
            "google": ("tools", [{"googleSearch": {}}]),
        },
    ),
    Row(
        "a search of the web, however",
        {"web_search_options": {}},
        everywhere(UNFIT, chat="web_search_options")
        | {
            "responses": ("tools", [{"type": "web_search"}]),
            "claude": ("tools.0.name", "web_search"),
            "google": ("tools", [{"googleSearch": {}}]),
        },
    ),
    Row(
        "a spoken answer",
        {"audio": {"voice": "alloy", "format": "pcm16"}, "modalities": ["text", "audio"]},
        everywhere(UNFIT, chat="audio")
        | {"google": (f"{CONFIG}speechConfig.voiceConfig.prebuiltVoiceConfig.voiceName", "alloy")},
    ),
    # tools
    Row(
        "a tool",
        {"tools": [LOOK]},
        everywhere((FUNCTION, LOOK["function"]))
        | {
            "claude": ("tools.0", {"name": "look", "description": "Looks.", "input_schema": CITY}),
            "responses": ("tools.0", {"type": "function", **LOOK["function"], "strict": False}),  # type: ignore[dict-item]
            "bedrock": (
                "toolConfig.tools.0.toolSpec",
                {"name": "look", "description": "Looks.", "inputSchema": {"json": CITY}},
            ),
            "google": (
                "tools.0.functionDeclarations.0",
                {"name": "look", "description": "Looks.", "parametersJsonSchema": CITY},
            ),
        },
    ),
    Row(
        "a strict tool",
        {"tools": [STRICT]},
        everywhere((f"{FUNCTION}.strict", True), claude=("tools.0.strict", True), responses=("tools.0.strict", True))
        | {"cohere": ("strict_tools", True), "bedrock": ("toolConfig.tools.0.toolSpec.strict", True)}
        | dict.fromkeys(("ollama", "cloudflare"), (f"{FUNCTION}.parameters", CLOSED))
        | {"google": ("tools.0.functionDeclarations.0.parametersJsonSchema", CLOSED)},
        edits=frozenset({"ollama", "cloudflare", "google"}),
        promises=frozenset({"ollama", "cloudflare", "google"}),
    ),
    Row(
        "a tool of free form",
        {"tools": [FREE]},
        everywhere(UNFIT, chat=("tools.0", FREE), watsonx=("tools.0", FREE))
        | {
            "responses": ("tools.0", {"type": "custom", "name": "look", "description": "Looks."}),
            "claude": ("tools.0.name", "look"),
            "bedrock": ("toolConfig.tools.0.toolSpec.name", "look"),
            "google": ("tools.0.functionDeclarations.0.name", "look"),
        },
    ),
    Row(
        "tools if it likes",
        {"tool_choice": "auto", "tools": [LOOK]},
        everywhere(NOTHING, chat="tool_choice", responses="tool_choice", mistral="tool_choice")
        | {
            "claude": ("tool_choice", {"type": "auto"}),
            "bedrock": ("toolConfig.toolChoice", {"auto": {}}),
            "google": ("toolConfig.functionCallingConfig.mode", "AUTO"),
            "watsonx": "tool_choice_option",
        },
    ),
    Row(
        "no tools now",
        {"tool_choice": "none", "tools": [LOOK]},
        everywhere(("tools", ABSENT), chat="tool_choice", responses="tool_choice", mistral="tool_choice")
        | {
            "claude": ("tool_choice", {"type": "none"}),
            "cohere": ("tool_choice", "NONE"),
            "bedrock": ("toolConfig", ABSENT),
            "google": ("toolConfig.functionCallingConfig.mode", "NONE"),
            "watsonx": "tool_choice_option",
        },
        edits=frozenset({"ollama", "cloudflare", "bedrock"}),
    ),
    Row(
        "some tool",
        {"tool_choice": "required", "tools": [LOOK]},
        everywhere(UNFIT, chat="tool_choice", responses="tool_choice", mistral=("tool_choice", "any"))
        | {
            "claude": ("tool_choice", {"type": "any"}),
            "cohere": ("tool_choice", "REQUIRED"),
            "bedrock": ("toolConfig.toolChoice", {"any": {}}),
            "google": ("toolConfig.functionCallingConfig.mode", "ANY"),
            "watsonx": "tool_choice_option",
        },
    ),
    Row(
        "this tool",
        {"tool_choice": NAMED, "tools": [LOOK, WAIT]},
        everywhere(UNFIT, chat="tool_choice", mistral="tool_choice", watsonx="tool_choice")
        | {
            "responses": ("tool_choice", {"type": "function", "name": "look"}),
            "claude": ("tool_choice", {"type": "tool", "name": "look"}),
            "cohere": ("tools.1", ABSENT),
            "bedrock": ("toolConfig.toolChoice", {"tool": {"name": "look"}}),
            "google": ("toolConfig.functionCallingConfig", {"mode": "ANY", "allowedFunctionNames": ["look"]}),
        },
        edits=frozenset({"cohere"}),
    ),
    Row(
        "one of these tools",
        {
            "tool_choice": {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [NAMED]}},
            "tools": [LOOK, WAIT],
        },
        everywhere(UNFIT, chat="tool_choice", watsonx="tool_choice")
        | {
            "responses": (
                "tool_choice",
                {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "look"}]},
            ),
            "claude": ("tools.1", ABSENT),
            "mistral": ("tools.1", ABSENT),
            "cohere": ("tools.1", ABSENT),
            "bedrock": ("toolConfig.tools.1", ABSENT),
            "google": ("toolConfig.functionCallingConfig", {"mode": "ANY", "allowedFunctionNames": ["look"]}),
        },
        edits=frozenset({"claude", "mistral", "cohere", "bedrock"}),
    ),
    Row(
        "one call at a time",
        {"parallel_tool_calls": False, "tools": [LOOK]},
        everywhere(DROPPED, chat="parallel_tool_calls", responses="parallel_tool_calls", mistral="parallel_tool_calls")
        | {
            "claude": ("tool_choice.disable_parallel_tool_use", True),
            "bedrock": ("additionalModelRequestFields.tool_choice.disable_parallel_tool_use", True),
        },
    ),
    Row(
        "calls and their results",
        USED,
        everywhere(("messages.3", USED["messages"][3]))
        | {
            "claude": (
                "messages.2.content",
                [
                    {"type": "tool_result", "tool_use_id": "call_0", "content": "sun"},
                    {"type": "tool_result", "tool_use_id": "call_1", "content": "snow"},
                    {"type": "text", "text": "And now?"},
                ],
            ),
            "responses": ("input.5", {"type": "function_call_output", "call_id": "call_1", "output": "snow"}),
            "mistral": ("messages.3.content", "snow"),
            "ollama": (
                "messages.3",
                {"role": "tool", "content": "snow", "tool_name": "look", "tool_call_id": "call_1"},
            ),
            "bedrock": (
                "messages.2.content",
                [
                    {"toolResult": {"toolUseId": "call_0", "content": [{"text": "sun"}]}},
                    {"toolResult": {"toolUseId": "call_1", "content": [{"text": "snow"}]}},
                    {"text": "And now?"},
                ],
            ),
            "google": (
                "contents.2.parts.1.functionResponse",
                {"name": "look", "id": "call_1", "response": {"output": "snow"}},
            ),
        },
        edits=frozenset({"mistral", "gemini 3"}),
    ),
    Row(
        "a picture as a result",
        SHOWN,
        everywhere(("messages.2.content.1", image()))
        | {
            "openai": ("messages.3.content.1", image()),
            "claude": ("messages.2.content.0.content.1.type", "image"),
            "responses": ("input.2.output.1.type", "input_image"),
            "cohere": UNFIT,
            "ollama": ("messages.2.images", ["aWNv"]),
            "bedrock": ("messages.2.content.0.toolResult.content.1.image.format", "png"),
            "google": ("contents.2.parts.1.inlineData.data", "aWNv"),
            "gemini 3": ("contents.2.parts.0.functionResponse.parts.0.inlineData.data", "aWNv"),
        },
        edits=frozenset({"openai", "mistral", "google"}),
    ),
    Row(
        "Anthropic's own tool",
        {"tools": [{"type": "web_search_20250305", "name": "web_search", "max_uses": 3}]},
        everywhere("tools") | dict.fromkeys(("cohere", "ollama", "bedrock", "google", "cloudflare"), UNFIT),
    ),
    Row(
        "Google's own tool",
        {"tools": [{"google_search": {}}]},
        everywhere(UNFIT, chat="tools", responses="tools", watsonx="tools")
        | {"google": ("tools", [{"googleSearch": {}}])},
    ),
    # the form of the answer
    Row(
        "a JSON object",
        {"response_format": {"type": "json_object"}},
        everywhere("response_format", responses="text.format", ollama=("format", "json"))
        | {
            "claude": ("tool_choice.name", "edgeagent_json_output"),
            "bedrock": ("toolConfig.toolChoice.tool.name", "edgeagent_json_output"),
            "google": (f"{CONFIG}responseMimeType", "application/json"),
        },
        edits=frozenset({"claude", "bedrock"}),
    ),
    Row(
        "JSON by a schema",
        {"response_format": SCHEMA},
        everywhere("response_format")
        | {
            "responses": (
                "text.format",
                {"type": "json_schema", "name": "place", "schema": CLOSED, "strict": True},
            ),
            "claude": ("output_config.format.schema", CLOSED),
            "cohere": ("response_format", {"type": "json_object", "json_schema": CLOSED}),
            "ollama": ("format", CLOSED),
            "bedrock": ("outputConfig.textFormat.structure.jsonSchema.name", "place"),
            "google": (f"{CONFIG}responseJsonSchema", CLOSED),
            "cloudflare": ("response_format", {"type": "json_schema", "json_schema": CLOSED}),
        },
        promises=frozenset({"cohere", "ollama", "cloudflare"}),
    ),
    # roles
    Row(
        "the system",
        system_then("system"),
        everywhere(("messages.0", {"role": "system", "content": "Be brief."}))
        | {
            "claude": ("system", "Be brief."),
            "responses": ("instructions", "Be brief."),
            "bedrock": ("system", [{"text": "Be brief."}]),
            "google": ("systemInstruction", {"parts": [{"text": "Be brief."}]}),
        },
    ),
    Row(
        "the developer",
        system_then("developer"),
        everywhere(("messages.0", {"role": "system", "content": "Be brief."}))
        | {
            "chat": ("messages.0", {"role": "developer", "content": "Be brief."}),
            "deepseek": ("messages.0", {"role": "system", "content": "Be brief."}),
            "claude": ("system", "Be brief."),
            "responses": ("input.0", {"type": "message", "role": "developer", "content": "Be brief."}),
            "bedrock": ("system", [{"text": "Be brief."}]),
            "google": ("systemInstruction", {"parts": [{"text": "Be brief."}]}),
        },
        edits=frozenset({"ollama", "cloudflare"}),
    ),
    Row(
        "the system in the middle",
        LATER,
        everywhere(("messages.2", {"role": "system", "content": "Be brief."}))
        | {
            "claude": ("messages.2.content.0.text", TEXT_IN_TAGS),
            "responses": ("input.2", {"type": "message", "role": "system", "content": "Be brief."}),
            "mistral": ("messages.2.content", TEXT_IN_TAGS),
            "cohere": ("messages.2.content", TEXT_IN_TAGS),
            "bedrock": ("messages.2.content.0.text", TEXT_IN_TAGS),
            "google": ("contents.2.parts.0.text", TEXT_IN_TAGS),
        },
        edits=frozenset({"claude", "mistral", "cohere", "bedrock", "google"}),
    ),
    Row(
        "an answer that has begun",
        BEGUN,
        everywhere(("messages.1.content", "It is"))
        | {
            "responses": ("input.1", {"type": "message", "role": "assistant", "content": "It is"}),
            "mistral": ("messages.1.prefix", True),
            "bedrock": ("messages.1", {"role": "assistant", "content": [{"text": "It is"}]}),
            "google": ("contents.1", {"role": "model", "parts": [{"text": "It is"}]}),
        },
        edits=frozenset({"mistral"}),
    ),
    Row(
        "a refusal",
        DECLINED,
        everywhere(("messages.1.content", [{"type": "text", "text": "No."}]))
        | dict.fromkeys(("chat", "watsonx"), ("messages.1.content", [{"type": "refusal", "refusal": "No."}]))
        | dict.fromkeys(("ollama", "cloudflare"), ("messages.1.content", "No."))
        | {
            "responses": ("input.1.content", "No."),
            "bedrock": ("messages.1.content", [{"text": "No."}]),
            "google": ("contents.1.parts", [{"text": "No."}]),
        },
    ),
    Row(
        "a name",
        {"messages": [{**USER, "name": "Ann"}]},
        everywhere(DROPPED, chat=("messages.0.name", "Ann"), watsonx=("messages.0.name", "Ann")),
    ),
    # content parts
    Row(
        "a picture",
        part(image()),
        everywhere(("messages.0.content.1", image()))
        | {
            "claude": (
                "messages.0.content.1.source",
                {"type": "base64", "media_type": "image/png", "data": "aWNv"},
            ),
            "responses": ("input.0.content.1", {"type": "input_image", "image_url": PNG, "detail": "auto"}),
            "ollama": ("messages.0.images", ["aWNv"]),
            "bedrock": ("messages.0.content.1.image", {"format": "png", "source": {"bytes": "aWNv"}}),
            "google": ("contents.0.parts.1.inlineData", {"mimeType": "image/png", "data": "aWNv"}),
        },
    ),
    Row(
        "a picture elsewhere",
        part(image(url="https://x.example/a.png")),
        everywhere(("messages.0.content.1.image_url.url", "https://x.example/a.png"))
        | {
            "claude": ("messages.0.content.1.source", {"type": "url", "url": "https://x.example/a.png"}),
            "responses": ("input.0.content.1.image_url", "https://x.example/a.png"),
            "ollama": UNFIT,
            "bedrock": UNFIT,
            "google": (
                "contents.0.parts.1.fileData",
                {"mimeType": "image/png", "fileUri": "https://x.example/a.png"},
            ),
        },
    ),
    Row(
        "how closely to look",
        part(image(detail="low")),
        everywhere(DROPPED, responses=("input.0.content.1.detail", "low"))
        | dict.fromkeys(
            ("chat", "mistral", "cohere", "watsonx", "cloudflare"),
            ("messages.0.content.1.image_url.detail", "low"),
        ),
    ),
    Row(
        "a recording",
        part(AUDIO),
        everywhere(UNFIT)
        | {
            "chat": ("messages.0.content.1", AUDIO),
            "watsonx": ("messages.0.content.1", AUDIO),
            "mistral": ("messages.0.content.1", {"type": "input_audio", "input_audio": "UklGRg=="}),
            "bedrock": ("messages.0.content.1.audio", {"format": "wav", "source": {"bytes": "UklGRg=="}}),
            "google": ("contents.0.parts.1.inlineData", {"mimeType": "audio/wav", "data": "UklGRg=="}),
        },
    ),
    Row(
        "a file",
        part(file(filename="a.pdf", file_data=PDF)),
        everywhere(UNFIT)
        | dict.fromkeys(("chat", "watsonx"), ("messages.0.content.1", file(filename="a.pdf", file_data=PDF)))
        | {
            "claude": (
                "messages.0.content.1",
                {
                    "type": "document",
                    "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERg=="},
                    "title": "a.pdf",
                },
            ),
            "responses": ("input.0.content.1", {"type": "input_file", "file_data": PDF, "filename": "a.pdf"}),
            "mistral": (
                "messages.0.content.1",
                {"type": "document_url", "document_url": PDF, "document_name": "a.pdf"},
            ),
            "bedrock": (
                "messages.0.content.1.document",
                {"format": "pdf", "name": "a", "source": {"bytes": "JVBERg=="}},
            ),
            "google": ("contents.0.parts.1.inlineData", {"mimeType": "application/pdf", "data": "JVBERg=="}),
        },
    ),
    Row(
        "a file uploaded to OpenAI",
        part(file(file_id="file-1")),
        everywhere(UNFIT, responses=("input.0.content.1", {"type": "input_file", "file_id": "file-1"}))
        | dict.fromkeys(("chat", "watsonx"), ("messages.0.content.1", file(file_id="file-1"))),
    ),
    # vendors' own parameters
    Row(
        "Google's safety settings",
        {"safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]},
        everywhere("safety_settings", google="safetySettings", bedrock="additionalModelRequestFields.safety_settings"),
    ),
    Row(
        "Amazon's guardrail",
        {"guardrailConfig": {"guardrailIdentifier": "g", "guardrailVersion": "1"}},
        everywhere("guardrailConfig") | {"bedrock invoke": ("headers.x-amzn-bedrock-guardrailidentifier", "g")},
    ),
)


def at(body: Any, path: str) -> Any:
    """The value at a path of names and places; `ABSENT` if there is none."""
    for step in path.split("."):
        if isinstance(body, list) and step.isdecimal() and int(step) < len(body):
            body = body[int(step)]
        elif isinstance(body, dict) and step in body:
            body = body[step]
        else:
            return ABSENT
    return body


CELLS = [(row, wire) for row in ROWS for wire in CODECS]


@pytest.mark.parametrize(("row", "wire"), CELLS, ids=[f"{row}-{wire}" for row, wire in CELLS])
def test_every_cell(row: Row, wire: Wire) -> None:
    """What is asked stands where the cell says, is dropped by its name, or makes the target unfit."""
    request = ChatRequest(model="m", **{"messages": [USER], **row.asked})
    cell = row.cell(wire.name)
    if cell == UNFIT:
        with pytest.raises(RequestValidationError):
            wire.codec.encode_request(request, model=wire.model, stream=False)
        return
    made = wire.codec.encode_request(request, model=wire.model, stream=False)
    name, given = next(iter(row.asked.items()))
    plain = ChatRequest(model="m", **{"messages": [USER], **{k: v for k, v in row.asked.items() if k != name}})
    without = wire.codec.encode_request(plain, model=wire.model, stream=False)
    if cell == DROPPED:
        assert set(made.dropped) - set(without.dropped)
        assert name == "messages" or made.body == without.body
        return
    assert not set(made.dropped) - {*without.dropped, "web_search_options.search_context_size"}
    if cell == NOTHING:
        assert made.body == without.body
        return
    path, value = cell if isinstance(cell, tuple) else (cell, given)
    found = made.headers.get(path.removeprefix("headers.")) if path.startswith("headers.") else at(made.body, path)
    assert found is value if value is ABSENT else found == value
    names = {wire.name, *(group for group, wires in GROUPS.items() if wire.name in wires)}
    assert bool(set(made.edits) - set(without.edits)) == bool(names & row.edits)
    assert bool(made.promises) == bool(names & row.promises)


def test_the_table_is_whole() -> None:
    """Each row has a cell for each wire, and each thing stands there once."""
    names = [row.name for row in ROWS]
    assert len(set(names)) == len(names)
    wires = {wire for group in GROUPS.values() for wire in group}
    assert wires == {wire.name for wire in CODECS}
    for row in ROWS:
        assert row.cells.keys() <= wires | GROUPS.keys()
        assert row.edits <= wires | GROUPS.keys()
        for wire in wires:
            row.cell(wire)
