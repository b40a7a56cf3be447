"""The family of servers that speak OpenAI's chat completions: one row each.

A row says where a server lives, which variable holds its key (the one that the vendor's own SDK or documentation
names), and how it differs from OpenAI (`Quirks`). A new server is a new row, of ours or of the caller's own; it needs
no code. What is not certain is left out: then the codec sends what the caller said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from edgeagent.providers.base import Feature
from edgeagent.providers.family import Row, needed
from edgeagent.providers.openai.quirks import COMPATIBLE
from edgeagent.providers.self_hosted import SELF_HOSTED

__all__ = ["ROWS", "row", "set_up"]


def _can(base: frozenset[Feature], *more: Feature) -> frozenset[Feature]:
    return base.union(more)


_NONE: Final[frozenset[Feature]] = frozenset()
_CHAT: Final = _can(_NONE, "tools", "json_schema", "stop", "streaming", "reasoning")
_SEEING: Final = _can(_CHAT, "vision", "video")


_LIMIT: Final = (("max_completion_tokens", "max_tokens"),)
"""For servers whose reference has the older name only, and which would ignore or refuse the newer."""

_THINKING: Final = replace(COMPATIBLE, replayed=("reasoning_content",))
_OPEN: Final = replace(COMPATIBLE, replayed=("reasoning", "reasoning_content", "reasoning_details"))
"""Servers that pass messages through to a model's template, or to another server."""
_PLAIN: Final = replace(COMPATIBLE, replayed=())
"""Servers that take OpenAI's fields in messages and no others."""
_CACHES: Final = ("prompt_cache_key", "prompt_cache_retention", "prompt_cache_options")

_GROQ: Final = replace(
    COMPATIBLE,
    replayed=("reasoning",),
    refused=(
        *("logit_bias", "logprobs", "top_logprobs"),  # "will result in a 400 error": console.groq.com/docs/openai
        *("audio", "modalities", "web_search_options"),  # the others are not in the `groq` package's types
    ),
    dropped=(*_CACHES, "safety_identifier", "verbosity", "prediction", "moderation"),
    values=(("service_tier", ("auto", "on_demand", "flex", "performance")),),
    message_names=False,
)

ROWS: Final[Mapping[str, Row]] = {
    row.name: row
    for row in (
        Row(
            "deepseek",
            "https://api.deepseek.com",
            ("DEEPSEEK_API_KEY",),
            "https://api-docs.deepseek.com/",
            families=("deepseek-",),
            features=_can(_NONE, "tools", "stop", "streaming", "reasoning", "logprobs"),
            quirks=replace(_THINKING, developer_role=False, renamed=_LIMIT),
            responses="/responses",
        ),
        Row(
            "xai",
            "https://api.x.ai/v1",
            ("XAI_API_KEY",),
            "https://docs.x.ai/docs/api-reference",
            vendor="x_ai",
            families=("grok-",),
            features=_can(_SEEING, "n", "logprobs"),
            quirks=_THINKING,
            responses="/responses",
        ),
        Row(
            "groq",
            "https://api.groq.com/openai/v1",
            ("GROQ_API_KEY",),
            "https://console.groq.com/docs/openai",
            base_url_variables=("GROQ_BASE_URL",),
            features=_SEEING,
            quirks=_GROQ,
            responses="/responses",
        ),
        Row(
            "perplexity",
            "https://api.perplexity.ai",
            ("PERPLEXITY_API_KEY", "PPLX_API_KEY"),
            "https://docs.perplexity.ai/api-reference/chat-completions-post",
            families=("sonar",),
            features=_can(_NONE, "vision", "video", "documents", "json_schema", "streaming", "reasoning", "stop"),
            quirks=replace(_PLAIN, think_tags=True, renamed=_LIMIT, developer_role=False),
        ),
        Row(
            "moonshot",
            "https://api.moonshot.ai/v1",
            ("MOONSHOT_API_KEY",),
            "https://platform.moonshot.ai/docs/api/chat",
            vendor="moonshotai",
            families=("kimi-", "moonshot-"),
            features=_can(_SEEING, "n"),
            quirks=_THINKING,
        ),
        Row(
            "zai",
            "https://api.z.ai/api/paas/v4",
            ("ZAI_API_KEY",),
            "https://docs.z.ai/api-reference/llm/chat-completion",
            families=("glm-",),
            features=_SEEING,
            quirks=replace(_THINKING, developer_role=False, renamed=_LIMIT, message_names=False),
        ),
        Row(
            "alibaba",
            "https://dashscope-intl.aliyuncs.com/compatible-mode/v1",
            ("DASHSCOPE_API_KEY",),
            "https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope",
            families=("qwen-", "qwen2", "qwen3", "qwq-", "qvq-"),
            features=_can(_SEEING, "audio", "n", "logprobs"),
            quirks=_THINKING,
        ),
        Row(
            "minimax",
            "https://api.minimax.io/v1",
            ("MINIMAX_API_KEY",),
            "https://platform.minimax.io/docs/api-reference/text-openai-api",
            families=("MiniMax-",),
            features=_CHAT,
            quirks=_OPEN,
        ),
        Row(
            "xiaomi",
            "https://api.xiaomimimo.com/v1",
            ("MIMO_API_KEY",),
            "https://platform.xiaomimimo.com/",
            families=("mimo-",),
            features=_can(_SEEING, "audio"),
            quirks=_THINKING,
        ),
        Row(
            "together",
            "https://api.together.xyz/v1",
            ("TOGETHER_API_KEY",),
            "https://docs.together.ai/docs/openai-api-compatibility",
            base_url_variables=("TOGETHER_BASE_URL",),
            features=_can(_SEEING, "n", "logprobs"),
            quirks=replace(_OPEN, renamed=_LIMIT, logprobs_number=True),
        ),
        Row(
            "fireworks",
            "https://api.fireworks.ai/inference/v1",
            ("FIREWORKS_API_KEY",),
            "https://docs.fireworks.ai/tools-sdks/openai-compatibility",
            features=_can(_SEEING, "n", "logprobs"),
            responses="/responses",
        ),
        Row(
            "cerebras",
            "https://api.cerebras.ai/v1",
            ("CEREBRAS_API_KEY",),
            "https://inference-docs.cerebras.ai/resources/openai",
            base_url_variables=("CEREBRAS_BASE_URL",),
            features=_can(_SEEING, "logprobs"),
            quirks=replace(COMPATIBLE, replayed=("reasoning",), refused=("logit_bias",)),
        ),
        Row(
            "sambanova",
            "https://api.sambanova.ai/v1",
            ("SAMBANOVA_API_KEY",),
            "https://docs.sambanova.ai/cloud/docs/capabilities/openai-compatibility",
            features=_SEEING,
        ),
        Row(
            "nebius",
            "https://api.tokenfactory.nebius.com/v1",
            ("NEBIUS_API_KEY",),
            "https://docs.tokenfactory.nebius.com/api-reference/introduction",
            features=_can(_SEEING, "n", "logprobs"),
        ),
        Row(
            "deepinfra",
            "https://api.deepinfra.com/v1/openai",
            ("DEEPINFRA_API_KEY", "DEEPINFRA_TOKEN"),
            "https://deepinfra.com/docs/advanced/openai_api",
            features=_can(_SEEING, "n"),
        ),
        Row(
            "baseten",
            "https://inference.baseten.co/v1",
            ("BASETEN_API_KEY",),
            "https://docs.baseten.co/reference/inference-api/chat-completions",
            features=_can(_SEEING, "logprobs"),
        ),
        Row(
            "nvidia",
            "https://integrate.api.nvidia.com/v1",
            ("NVIDIA_API_KEY",),
            "https://docs.api.nvidia.com/nim/reference/llm-apis",
        ),
        Row(
            "openrouter",
            "https://openrouter.ai/api/v1",
            ("OPENROUTER_API_KEY",),
            "https://openrouter.ai/docs/api-reference/overview",
            quirks=_OPEN,
            responses="/responses",
            reseller=True,
        ),
        Row(
            "vercel",
            "https://ai-gateway.vercel.sh/v1",
            ("AI_GATEWAY_API_KEY",),
            "https://vercel.com/docs/ai-gateway/openai-compat",
            quirks=_OPEN,
            responses="/responses",
            reseller=True,
        ),
        Row(
            "huggingface",
            "https://router.huggingface.co/v1",
            ("HF_TOKEN",),
            "https://huggingface.co/docs/inference-providers",
            features=_can(_SEEING, "n", "logprobs"),
            responses="/responses",
        ),
        Row("venice", "https://api.venice.ai/api/v1", ("VENICE_API_KEY",), "https://docs.venice.ai/", quirks=_OPEN),
        Row(
            "doubleword",
            "https://api.doubleword.ai/v1",
            ("DOUBLEWORD_API_KEY",),
            "https://docs.doubleword.ai/",
            features=_can(_SEEING, "n", "logprobs"),
            quirks=_OPEN,
        ),
        Row(
            "writer",
            "https://api.writer.com/v1",
            ("WRITER_API_KEY",),
            "https://dev.writer.com/api-reference/completion-api/chat-completion",
            base_url_variables=("WRITER_BASE_URL",),
            families=("palmyra-",),
            features=_can(_CHAT, "n", "logprobs"),
            path="/chat",
            quirks=replace(_PLAIN, renamed=_LIMIT, developer_role=False),
        ),
        Row(
            "heroku",
            None,
            ("INFERENCE_KEY",),
            "https://devcenter.heroku.com/articles/heroku-inference-api-v1-chat-completions",
            base_url_variables=("INFERENCE_URL",),
            features=_CHAT,
            path="/v1/chat/completions",
            quirks=replace(_PLAIN, renamed=_LIMIT),
            reseller=True,
        ),
        Row(
            "databricks",
            "{DATABRICKS_HOST}/serving-endpoints",
            ("DATABRICKS_TOKEN",),
            "https://docs.databricks.com/en/machine-learning/foundation-model-apis/api-reference.html",
            features=_can(_SEEING, "n", "logprobs"),
            quirks=replace(_PLAIN, stream_options=False, renamed=_LIMIT, developer_role=False),
            reseller=True,
        ),
        Row(
            "snowflake",
            "https://{SNOWFLAKE_ACCOUNT}.snowflakecomputing.com/api/v2/cortex/v1",
            ("SNOWFLAKE_PAT",),  # as in docs.snowflake.com/user-guide/snowflake-cortex/cortex-agent-sdk/authentication
            "https://docs.snowflake.com/en/user-guide/snowflake-cortex/open_ai_sdk",
            features=_SEEING,
            automatic=False,
            quirks=_PLAIN,
            reseller=True,
        ),
        Row(
            "cloudflare_openai",
            "https://api.cloudflare.com/client/v4/accounts/{CLOUDFLARE_ACCOUNT_ID}/ai/v1",
            ("CLOUDFLARE_API_TOKEN",),
            "https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility/",
            vendor="cloudflare",
            features=_CHAT,
            automatic=False,  # the token usually serves something else
        ),
        Row(
            "cloudflare_gateway",
            "https://gateway.ai.cloudflare.com/v1/{CLOUDFLARE_ACCOUNT_ID}/{CLOUDFLARE_GATEWAY_ID}/compat",
            ("CF_AIG_TOKEN",),  # the documentation's name for it
            "https://developers.cloudflare.com/ai-gateway/usage/chat-completion/",
            key_header="cf-aig-authorization",
            key_scheme="Bearer ",
            automatic=False,
            reseller=True,
        ),
        Row(
            "github",
            "https://models.github.ai/inference",
            ("GITHUB_TOKEN",),
            "https://docs.github.com/en/rest/models/inference",
            automatic=False,  # every workflow has that variable
            quirks=_PLAIN,
            reseller=True,
        ),
        Row(
            "github_copilot",
            "https://api.githubcopilot.com",
            ("GITHUB_COPILOT_TOKEN",),
            "https://docs.github.com/en/copilot",
            vendor="github-copilot",
            automatic=False,
            quirks=_PLAIN,
            responses="/responses",
            reseller=True,
        ),
        Row(
            "azure_ai",
            None,
            ("AZURE_INFERENCE_CREDENTIAL",),
            "https://learn.microsoft.com/azure/ai-foundry/model-inference/reference/reference-model-inference-api",
            base_url_variables=("AZURE_INFERENCE_ENDPOINT",),
            vendor="azure.ai.inference",
            key_header="api-key",
            query=(("api-version", "2024-05-01-preview"),),
            quirks=_PLAIN,
            reseller=True,
        ),
        Row(
            "portkey",
            "https://api.portkey.ai/v1",
            ("PORTKEY_API_KEY",),
            "https://portkey.ai/docs/api-reference/inference-api/chat",
            key_header="x-portkey-api-key",
            reseller=True,
        ),
        Row(
            "crusoe",
            "https://api.inference.crusoecloud.com/v1",
            ("CRUSOE_API_KEY",),
            "https://docs.crusoecloud.com/managed-inference/overview",
            features=_SEEING,
            quirks=_OPEN,
        ),
        Row(
            "bedrock_mantle",
            "https://bedrock-mantle.{AWS_REGION}.api.aws/v1",
            ("AWS_BEARER_TOKEN_BEDROCK",),
            "https://docs.aws.amazon.com/bedrock/latest/userguide/bedrock-mantle.html",
            vendor="aws",
            features=_can(_SEEING, "audio", "n", "logprobs"),
            quirks=_PLAIN,
            automatic=False,  # the key is that of Bedrock's own API, too
            responses="/responses",
            reseller=True,
        ),
        Row(
            "gemini_openai",
            "https://generativelanguage.googleapis.com/v1beta/openai",
            ("GEMINI_API_KEY", "GOOGLE_API_KEY"),
            "https://ai.google.dev/gemini-api/docs/openai",
            vendor="gcp.gemini",
            automatic=False,
        ),
        Row(
            "pollinations",
            "https://text.pollinations.ai",
            (),
            "https://github.com/pollinations/pollinations/blob/master/APIDOCS.md",
            path="/openai",
            features=_SEEING,
        ),
        *SELF_HOSTED,
    )
}
"""Every row by its name. `EdgeClient()` configures those whose key is in the environment in this order."""


def row(name: str) -> Row | None:
    """The row of this name, if there is one."""
    return ROWS.get(name)


def set_up(environment: Mapping[str, str]) -> Iterator[Row]:
    """The rows that the environment configures: their key is set, and so is what their address needs."""
    for each in ROWS.values():
        if not each.automatic or not any(environment.get(key, "").strip() for key in each.keys):
            continue
        located = each.base_url is not None or any(environment.get(name) for name in each.base_url_variables)
        if located and all(environment.get(name, "").strip() for name in needed(each)):
            yield each
