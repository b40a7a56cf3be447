"""The types that a checker sees are the parameters that a call accepts."""

from __future__ import annotations

from typing import get_type_hints

from openai.types.chat.completion_create_params import CompletionCreateParamsBase

from edgeagent.config import edge_options
from edgeagent.core.call import CallOptions
from edgeagent.types import ChatRequest
from edgeagent.types.options import EdgeOptions
from edgeagent.types.params import ChatParams

OPTIONS = {"extra_headers", "extra_query", "extra_body", "timeout", "edge"}


def test_parameters_are_the_requests_fields() -> None:
    """Nothing that the request has is missing from the types, and nothing else is in them."""
    assert set(get_type_hints(ChatParams)) == set(ChatRequest.model_fields) - {"stream"} | OPTIONS


def test_parameters_are_openais() -> None:
    """Every parameter of the installed openai package is one of ours."""
    assert set(get_type_hints(CompletionCreateParamsBase)) <= set(get_type_hints(ChatParams))


def test_edge_options_are_those_that_are_read() -> None:
    """Each key of the typed dict is accepted; None leaves the client's own."""
    base = CallOptions()
    for name in get_type_hints(EdgeOptions):
        assert edge_options(base, {name: None}) == base
