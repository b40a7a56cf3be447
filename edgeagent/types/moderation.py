"""Moderation: openai's parameters and answers, typed, unknown fields kept.

The fields are those of OpenAI's `POST /moderations` (https://platform.openai.com/docs/api-reference/moderations). The
categories of another vendor are kept beside them, under its own names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ConfigDict, Field

from edgeagent.types._model import Model
from edgeagent.types.parameters import Answered, Parameters, check_model, refuse, validated

__all__ = [
    "Categories",
    "CategoryAppliedInputTypes",
    "CategoryScores",
    "Moderation",
    "ModerationCreateResponse",
    "ModerationRequest",
    "moderation_request",
]


class ModerationRequest(Parameters):
    """Texts (or parts with text and pictures) to be judged; see `moderation_request`."""

    input: str | list[str] | list[dict[str, Any]]


class Categories(Model):
    """Whether each category was found; None where the vendor does not know it."""

    model_config = ConfigDict(populate_by_name=True)

    harassment: bool | None = None
    harassment_threatening: bool | None = Field(default=None, alias="harassment/threatening")
    hate: bool | None = None
    hate_threatening: bool | None = Field(default=None, alias="hate/threatening")
    illicit: bool | None = None
    illicit_violent: bool | None = Field(default=None, alias="illicit/violent")
    self_harm: bool | None = Field(default=None, alias="self-harm")
    self_harm_instructions: bool | None = Field(default=None, alias="self-harm/instructions")
    self_harm_intent: bool | None = Field(default=None, alias="self-harm/intent")
    sexual: bool | None = None
    sexual_minors: bool | None = Field(default=None, alias="sexual/minors")
    violence: bool | None = None
    violence_graphic: bool | None = Field(default=None, alias="violence/graphic")


class CategoryScores(Model):
    """How sure the model is of each category, 0 to 1; None where the vendor does not know it."""

    model_config = ConfigDict(populate_by_name=True)

    harassment: float | None = None
    harassment_threatening: float | None = Field(default=None, alias="harassment/threatening")
    hate: float | None = None
    hate_threatening: float | None = Field(default=None, alias="hate/threatening")
    illicit: float | None = None
    illicit_violent: float | None = Field(default=None, alias="illicit/violent")
    self_harm: float | None = Field(default=None, alias="self-harm")
    self_harm_instructions: float | None = Field(default=None, alias="self-harm/instructions")
    self_harm_intent: float | None = Field(default=None, alias="self-harm/intent")
    sexual: float | None = None
    sexual_minors: float | None = Field(default=None, alias="sexual/minors")
    violence: float | None = None
    violence_graphic: float | None = Field(default=None, alias="violence/graphic")


class CategoryAppliedInputTypes(Model):
    """Of which kinds of input each score is: `"text"`, `"image"`; None where the vendor does not know the category."""

    model_config = ConfigDict(populate_by_name=True)

    harassment: list[str] | None = None
    harassment_threatening: list[str] | None = Field(default=None, alias="harassment/threatening")
    hate: list[str] | None = None
    hate_threatening: list[str] | None = Field(default=None, alias="hate/threatening")
    illicit: list[str] | None = None
    illicit_violent: list[str] | None = Field(default=None, alias="illicit/violent")
    self_harm: list[str] | None = Field(default=None, alias="self-harm")
    self_harm_instructions: list[str] | None = Field(default=None, alias="self-harm/instructions")
    self_harm_intent: list[str] | None = Field(default=None, alias="self-harm/intent")
    sexual: list[str] | None = None
    sexual_minors: list[str] | None = Field(default=None, alias="sexual/minors")
    violence: list[str] | None = None
    violence_graphic: list[str] | None = Field(default=None, alias="violence/graphic")


class Moderation(Model):
    """The verdict on one input."""

    flagged: bool
    categories: Categories
    category_scores: CategoryScores
    category_applied_input_types: CategoryAppliedInputTypes | None = None


class ModerationCreateResponse(Answered):
    """The verdicts, in the order of the inputs."""

    id: str
    model: str
    results: list[Moderation]


def moderation_request(params: Mapping[str, Any], extra_body: Mapping[str, Any] | None = None) -> ModerationRequest:
    """A caller's keyword arguments → a request.

    Raises:
        RequestValidationError: `.param` names what is missing, ill-typed or empty.
    """
    request = validated(ModerationRequest, params, extra_body)
    check_model(request)
    if not request.input:
        refuse("must not be empty", "input")
    return request
