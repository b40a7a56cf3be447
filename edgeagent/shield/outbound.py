"""What is found in an answer and did not stand in the request: counted, masked or refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from edgeagent.errors import ShieldBlockedError
from edgeagent.shield.mask import Masking
from edgeagent.shield.policy import Policy
from edgeagent.shield.restore import Restorer
from edgeagent.shield.vault import Vault
from edgeagent.types import ChatCompletion

if TYPE_CHECKING:
    from edgeagent.shield.base import Detector, Match
    from edgeagent.shield.shield import Shield

__all__ = ["Outgoing"]


class Outgoing:
    """The check of one answer, before its placeholders are restored: what is found then was not in the request.

    Args:
        shield: its detectors, and its policy for answers.
        restorer: knows what stands for values of the request.
    """

    def __init__(self, shield: Shield, restorer: Restorer) -> None:
        policy = shield.policy
        self._mode = policy.outbound
        self._actions = policy
        self._detectors = [_Without(detector, restorer) for detector in shield.detectors]
        self.found: dict[str, int] = {}

    def checked(self, completion: ChatCompletion) -> ChatCompletion:
        """The answer, with findings redacted where that is the policy. Raises `ShieldBlockedError`."""
        quiet: dict[str, Any] = {name: "allow" for name, action in self._actions.actions.items() if action == "allow"}
        masking = Masking(Policy(quiet, "redact"), self._detectors, Vault(), b"")
        parts = {f"choices[{choice.index}].message": choice.message.to_dict() for choice in completion.choices}
        masked = masking.run(parts)
        for kind, *_ in masking.findings:
            self.found[kind] = self.found.get(kind, 0) + 1
        if not self.found or self._mode == "report":
            return completion
        if self._mode == "block":
            where = "; ".join(f"{kind} in {place} [{start}:{end}]" for kind, place, start, end in masking.findings[:8])
            raise ShieldBlockedError(f"The shield refuses this answer: {where}.", findings=tuple(masking.findings))
        return _with(completion, masked)


class _Without:
    """A detector that does not see what stands for values of the request."""

    def __init__(self, detector: Detector, restorer: Restorer) -> None:
        self._detector = detector
        self._restorer = restorer

    def find(self, text: str, /) -> list[Match]:
        found = self._detector.find(text)
        return [
            match
            for match in found
            if self._restorer.text(text[match.start : match.end]) == text[match.start : match.end]
        ]


def _with(completion: ChatCompletion, masked: Mapping[str, Any]) -> ChatCompletion:
    choices = [
        choice.model_copy(
            update={"message": type(choice.message).model_validate(masked[f"choices[{choice.index}].message"])}
        )
        for choice in completion.choices
    ]
    return completion.model_copy(update={"choices": choices})
