"""How servers without a code for it say that the prompt does not fit the model's context window."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["OVERFLOW"]

_WORDS: Final = (
    # DeepSeek, OpenRouter, Together, vLLM, SGLang, SambaNova, Fireworks; xAI says "maximum prompt length"
    r"maximum (?:context|prompt|input) (?:length|size)",
    # llama.cpp: "Context size has been exceeded."; MiniMax: "context window exceeds limit"
    r"context (?:size|length|window)[^.]{0,40}exceed",
    # Groq, llama.cpp: "... exceeds the available context size"
    r"exceed[^.]{0,60}context (?:size|length|window)",
    # vLLM: "... is longer than the maximum model length of"; SGLang: "... than the model's context length"
    r"longer than the (?:maximum model|model's context) length",
    # Gemini, behind gateways: "The input token count (...) exceeds the maximum number of tokens allowed"
    r"input token count[^.]{0,40}exceeds",
    # Moonshot: "Your request exceeded model token limit: ...", "Input token length too long"
    r"exceeded model token limit",
    r"input token length too long",
    # Text Generation Inference
    r"`inputs` (?:must have less than|tokens \+ `max_new_tokens` must be)",
    # Alibaba: "Range of input length should be [1, ...]"
    r"range of input length should be",
    # Z.ai
    r"prompt exceeds max(?:imum)? length",
    # LM Studio: "... the model is loaded with context length of only ... tokens"
    r"loaded with context length of only",
    # Mistral: "Prompt contains ... tokens ... too large for model with ... maximum context length"
    r"too large for model with \d+ maximum context",
    # watsonx.ai: "the number of input tokens ... cannot exceed the total tokens limit ..."
    r"cannot exceed the total tokens limit",
    # Anthropic and Bedrock, behind gateways
    r"prompt is too long",
    r"input is too long",
)
"""Documented nowhere but in the servers' own words; gaps are bounded, so that looking is linear."""

OVERFLOW: Final = re.compile("|".join(_WORDS), re.IGNORECASE)
