"""One request → the body of `POST /v1/messages`.

Every parameter is translated, or dropped and named where it is advisory (`seed`, penalties, `store`, …: they ask for no
other answer, only how it is drawn, kept or billed), or a `RequestValidationError` where it asks for something that the
vendor has not (`n`, `logprobs`, `logit_bias`, audio, moderation). Extra parameters go into the body last, as they are.

Sources: https://platform.claude.com/docs/en/api/messages/create, /build-with-claude/thinking (sampling parameters),
/api/service-tiers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from edgeagent.errors import RequestValidationError
from edgeagent.providers.anthropic.betas import BETA_HEADER, betas_of, merged_betas
from edgeagent.providers.anthropic.messages import encode_messages
from edgeagent.providers.anthropic.output import OutputForm, force_json_tool, output_form
from edgeagent.providers.anthropic.thinking import encode_thinking, is_thinking, is_unthought
from edgeagent.providers.anthropic.tools import encode_choice, encode_tools
from edgeagent.providers.base import Encoded
from edgeagent.providers.claude import ModelFacts, model_facts
from edgeagent.providers.notes import Notes
from edgeagent.types import ChatRequest

__all__ = ["API_VERSION", "encode_request"]

Body = dict[str, Any]

API_VERSION: Final = "2023-06-01"
"""The version whose sampling parameters still exist; later ones refuse them (`anthropic-version: 2026-10-21`)."""

_ADVISORY: Final = (
    "metadata",
    "prediction",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "seed",
    "store",
    "verbosity",
)
_TIERS: Final[Mapping[str, str]] = {
    "auto": "auto",
    "default": "standard_only",
    "priority": "auto",
    "standard_only": "standard_only",
}
_SERVER_BLOCKS: Final = ("_tool_result", "server_tool_use", "mcp_tool_use")


def encode_request(request: ChatRequest, *, model: str, stream: bool) -> Encoded:
    """The body, the headers, what was dropped and what was edited. Raises `RequestValidationError`."""
    facts, notes = model_facts(model), Notes()
    _refuse(request)
    extra = dict(request.model_extra or {})
    betas = extra.pop("betas", None)  # a header, under the name that the vendor's SDK gives it
    body = {"model": model, **_translated(request, facts, extra, notes)}
    if stream:
        body["stream"] = True
    _add_extra(body, extra)
    return Encoded(body, _headers(body, betas), notes.dropped, notes.edits, notes.promises)


def _translated(request: ChatRequest, facts: ModelFacts, extra: Mapping[str, Any], notes: Notes) -> Body:
    form = output_form(request, facts, notes)
    system, messages = encode_messages(request.messages, facts, notes)
    _check_prefill(messages, facts, extra)
    tools = encode_tools(request, facts, notes) + _web_search(request, notes)
    choice = encode_choice(request, tools, facts)
    if form.tool is not None:
        tools, choice = force_json_tool(form.tool, tools, choice, notes)
    is_forced = choice is not None and choice["type"] in {"any", "tool"}
    thinking, effort = encode_thinking(
        request, facts, notes, forced=is_forced, unthought=is_unthought(_turns(messages))
    )
    thought = extra.get("thinking", thinking)
    config = {name: value for name, value in (("effort", effort), ("format", form.format)) if value is not None}
    body = {
        "max_tokens": _max_tokens(request, facts, thought, notes),
        "system": _instructed(system, form),
        "messages": messages,
        "tools": tools or None,
        "tool_choice": choice,
        "thinking": thinking,
        "output_config": config or None,
        **_sampling(request, facts, thought, notes),
        **_rest(request, notes),
    }
    return {name: value for name, value in body.items() if value is not None}


def _turns(messages: list[dict[str, Any]]) -> Iterator[tuple[str, list[str]]]:
    for message in reversed(messages):
        content = message["content"]
        yield message["role"], [str(block.get("type")) for block in content] if isinstance(content, list) else []


def _headers(body: Body, betas: Any) -> dict[str, str]:
    headers = {"anthropic-version": API_VERSION}
    if needed := merged_betas(betas_of(body), betas if isinstance(betas, list | str) else None):
        headers[BETA_HEADER] = needed
    return headers


def _refuse(request: ChatRequest) -> None:
    """What the vendor has not, and what would be another answer without it."""
    asked = {
        "n": (request.n not in {None, 1}, "gives one answer to a request"),
        "logprobs": (request.logprobs, "tells no log probabilities"),
        "top_logprobs": (request.top_logprobs, "tells no log probabilities"),
        "logit_bias": (request.logit_bias, "takes no bias of single tokens"),
        "audio": (request.audio is not None, "does not speak"),
        "modalities": (request.modalities not in (None, ["text"]), "answers with text only"),
        "moderation": (request.moderation is not None, "moderates no answers"),
    }
    for name, (is_asked, reason) in asked.items():
        if is_asked:
            raise RequestValidationError(f"{name}: Anthropic {reason}.", param=name)
    if request.temperature is not None and not 0 <= request.temperature <= 1:
        raise RequestValidationError("Anthropic's temperature is from 0 to 1.", param="temperature")
    if request.top_p is not None and not 0 <= request.top_p <= 1 and request.top_p != -1:  # -1 is served: as if unset
        raise RequestValidationError("Anthropic's top_p is from 0 to 1.", param="top_p")


def _check_prefill(messages: list[dict[str, Any]], facts: ModelFacts, extra: Mapping[str, Any]) -> None:
    """Refuse the beginning of an answer where the model does, but not a paused turn or a paid-for continuation."""
    last = messages[-1]
    if facts.prefill or last["role"] != "assistant" or "fallback_credit_token" in extra:
        return
    if isinstance(last["content"], list) and str(last["content"][-1]["type"]).endswith(_SERVER_BLOCKS):
        return
    raise RequestValidationError("This model's conversations do not end with the assistant's words.", param="messages")


def _max_tokens(request: ChatRequest, facts: ModelFacts, thinking: Any, notes: Notes) -> int:
    if request.max_completion_tokens is not None and request.max_tokens is not None:
        notes.drop("max_tokens")
    if request.output_limit is not None:
        return request.output_limit
    budget = thinking.get("budget_tokens") if isinstance(thinking, Mapping) else None
    limit = min(facts.max_output, facts.default_max_tokens + (budget if isinstance(budget, int) else 0))
    notes.edit(f"max_tokens is {limit}: the vendor needs a limit and none was given.")
    return limit


def _instructed(system: str | list[dict[str, Any]] | None, form: OutputForm) -> str | list[dict[str, Any]] | None:
    if form.instruction is None:
        return system
    blocks = [{"type": "text", "text": system}] if isinstance(system, str) else system or []
    return [*blocks, {"type": "text", "text": form.instruction}]


def _sampling(request: ChatRequest, facts: ModelFacts, thinking: Any, notes: Notes) -> dict[str, float | None]:
    """`temperature` and `top_p`, as far as the model takes them; a value that is the default asks for nothing."""
    temperature, top_p = request.temperature, request.top_p
    if facts.sampling == "none":
        for name, value in (("temperature", temperature), ("top_p", top_p)):
            if value not in {None, 1}:
                notes.drop(name)
        return {}
    if is_thinking(thinking):
        if temperature not in {None, 1}:
            temperature = None
            notes.drop("temperature")
            notes.edit("temperature is left out: the vendor refuses it beside thinking.")
        if top_p is not None and top_p < 0.95:
            top_p = None
            notes.drop("top_p")
            notes.edit("top_p is left out: the vendor refuses values below 0.95 beside thinking.")
    if facts.sampling == "one" and temperature is not None and top_p is not None:
        if top_p != 1:
            notes.drop("top_p")
            notes.edit("top_p is left out: this model takes temperature or top_p, not both.")
        top_p = None
    return {"temperature": temperature, "top_p": top_p}


def _rest(request: ChatRequest, notes: Notes) -> Body:
    user = request.safety_identifier if request.safety_identifier is not None else request.user
    if request.safety_identifier is not None and request.user is not None:
        notes.drop("user")
    tier = _TIERS.get(request.service_tier) if request.service_tier is not None else None
    if tier is None and request.service_tier is not None:
        notes.drop("service_tier")
    for name in ("frequency_penalty", "presence_penalty"):
        if getattr(request, name):
            notes.drop(name)
    for name in _ADVISORY:
        if getattr(request, name) is not None:
            notes.drop(name)
    return {
        "stop_sequences": _stop(request.stop) or None,
        "metadata": {"user_id": user} if user is not None else None,
        "service_tier": tier,
    }


def _stop(stop: str | list[str] | None) -> list[str]:
    sequences = [stop] if isinstance(stop, str) else stop or []
    if any(not sequence.strip() for sequence in sequences):
        raise RequestValidationError("Anthropic refuses stop sequences of white space only.", param="stop")
    return list(sequences)


def _web_search(request: ChatRequest, notes: Notes) -> list[dict[str, Any]]:
    """OpenAI's built-in web search as Anthropic's server tool (/agents-and-tools/tool-use/web-search-tool)."""
    options = request.web_search_options
    if options is None:
        return []
    tool: dict[str, Any] = {"type": "web_search_20250305", "name": "web_search"}
    location = options.get("user_location")
    if isinstance(location, Mapping) and isinstance(location.get("approximate"), Mapping):
        tool["user_location"] = {"type": "approximate", **location["approximate"]}
    if options.get("search_context_size") is not None:
        notes.drop("web_search_options.search_context_size")
    return [tool]


def _add_extra(body: Body, extra: Mapping[str, Any]) -> None:
    """The caller's own parameters win; those of `output_config` one by one, since ours stand in it too."""
    config = extra.get("output_config")
    if isinstance(config, Mapping) and "output_config" in body:
        extra = {**extra, "output_config": {**body["output_config"], **config}}
    body.update(extra)
