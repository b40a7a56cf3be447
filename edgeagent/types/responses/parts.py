"""What messages and reasoning consist of: texts, refusals, annotations, log probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

from pydantic import PlainValidator

from edgeagent.types.responses._open import Open, one_of, told

__all__ = [
    "Annotation",
    "AnnotationContainerFileCitation",
    "AnnotationFileCitation",
    "AnnotationFilePath",
    "AnnotationURLCitation",
    "Logprob",
    "LogprobTopLogprob",
    "ReasoningText",
    "ResponseContentPart",
    "ResponseOutputContent",
    "ResponseOutputRefusal",
    "ResponseOutputText",
]


class AnnotationFileCitation(Open):
    """The text cites a file."""

    type: Literal["file_citation"] = "file_citation"
    file_id: str = told()
    filename: str = told()
    index: int = told()


class AnnotationURLCitation(Open):
    """The text between the two positions (of characters) cites a web page."""

    type: Literal["url_citation"] = "url_citation"
    end_index: int = told()
    start_index: int = told()
    title: str = told()
    url: str = told()


class AnnotationContainerFileCitation(Open):
    """The text between the two positions (of characters) cites a file of a container."""

    type: Literal["container_file_citation"] = "container_file_citation"
    container_id: str = told()
    end_index: int = told()
    file_id: str = told()
    filename: str = told()
    start_index: int = told()


class AnnotationFilePath(Open):
    """A file that was made."""

    type: Literal["file_path"] = "file_path"
    file_id: str = told()
    index: int = told()


if TYPE_CHECKING:
    Annotation: TypeAlias = (
        AnnotationFileCitation | AnnotationURLCitation | AnnotationContainerFileCitation | AnnotationFilePath
    )
else:
    Annotation = Annotated[
        Any,
        PlainValidator(
            one_of(
                {
                    "file_citation": AnnotationFileCitation,
                    "url_citation": AnnotationURLCitation,
                    "container_file_citation": AnnotationContainerFileCitation,
                    "file_path": AnnotationFilePath,
                }
            )
        ),
    ]


class LogprobTopLogprob(Open):
    """One alternative token."""

    token: str = told()
    bytes: list[int] | None = None
    logprob: float = told()


class Logprob(Open):
    """One token with its log probability and its alternatives."""

    token: str = told()
    bytes: list[int] | None = None
    logprob: float = told()
    top_logprobs: list[LogprobTopLogprob] | None = None


class ResponseOutputText(Open):
    """A text of a message. See `ParsedResponseOutputText`, too."""

    type: Literal["output_text"] = "output_text"
    annotations: list[Annotation] = told()
    text: str = told()
    logprobs: list[Logprob] | None = None


class ResponseOutputRefusal(Open):
    """The model's refusal, in words."""

    type: Literal["refusal"] = "refusal"
    refusal: str = told()


class ReasoningText(Open):
    """A piece of reasoning: of its summary (`summary_text`), or the reasoning itself (`reasoning_text`)."""

    type: str = told()
    text: str = told()


if TYPE_CHECKING:
    ResponseOutputContent: TypeAlias = ResponseOutputText | ResponseOutputRefusal
    ResponseContentPart: TypeAlias = ResponseOutputText | ResponseOutputRefusal | ReasoningText
else:
    _CONTENT = {"output_text": ResponseOutputText, "refusal": ResponseOutputRefusal}
    ResponseOutputContent = Annotated[Any, PlainValidator(one_of(_CONTENT))]
    ResponseContentPart = Annotated[Any, PlainValidator(one_of({**_CONTENT, "reasoning_text": ReasoningText}))]
