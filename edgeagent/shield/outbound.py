"""What is found in an answer and did not stand in the request: counted, masked or refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from edgeagent.errors import ShieldBlockedError
from edgeagent.shield.labels import canonical
from edgeagent.shield.literals import Literals
from edgeagent.shield.looking import looked
from edgeagent.shield.mask import Masking
from edgeagent.shield.policy import Action, Policy
from edgeagent.shield.restore import Restorer
from edgeagent.shield.vault import Vault
from edgeagent.types import ChatCompletion
from edgeagent.types._model import Model
from edgeagent.types.completion import Choice

if TYPE_CHECKING:
    from edgeagent.shield.base import Detector, Match
    from edgeagent.shield.shield import Shield

__all__ = ["Outgoing"]


class Outgoing:
    """The check of one answer, before its placeholders are restored: what is found then was not in the request.

    Args:
        shield: its detectors, and its policy for answers.
        restorer: knows what stands for values of the request.
        sent: the parts of the request as they were sent; what stands there in the clear is no finding. Not as the
            caller wrote them: others whose request is the same but for masked values are given the same answer.
    """

    def __init__(self, shield: Shield, restorer: Restorer, sent: Mapping[str, Any]) -> None:
        policy = shield.policy
        self._mode = "report" if policy.dry_run else policy.outbound
        actions: dict[str, Action] = {
            name: "allow" if action == "allow" else "redact" for name, action in policy.actions.items()
        }
        self._policy = Policy(actions, "redact", policy.threshold)
        others = {name: _if_pseudonymised(action) for name, action in policy.actions.items()}
        self._pseudonymised = Policy(others, _if_pseudonymised(policy.default), policy.threshold)
        held = _Held(shield.readers, sent)
        self._detectors = [_Without(detector, restorer, held) for detector in shield.detectors]
        self.found: dict[str, int] = {}

    def has_standins(self, completion: ChatCompletion) -> bool:
        """Whether something is in it that a stand-in may be, for a value which the request does not hold."""
        masking = Masking(self._pseudonymised, self._detectors, Vault(), b"")
        masking.run(_parts(completion))
        return bool(masking.findings)

    def checked(self, completion: ChatCompletion) -> ChatCompletion:
        """The answer, with findings redacted where that is the policy. Raises `ShieldBlockedError`."""
        masking = Masking(self._policy, self._detectors, Vault(), b"")
        masked = masking.run(_parts(completion))
        for kind, *_ in masking.findings:
            self.found[kind] = self.found.get(kind, 0) + 1
        if not self.found or self._mode == "report":
            return completion
        if self._mode == "block":
            where = "; ".join(f"{kind} in {place} [{start}:{end}]" for kind, place, start, end in masking.findings[:8])
            raise ShieldBlockedError(f"The shield refuses this answer: {where}.", findings=tuple(masking.findings))
        return _with(completion, masked)


def _if_pseudonymised(action: Action) -> Action:
    return "redact" if action == "pseudonymise" else "allow"


class _Without:
    """A detector that does not see what stood in the request, by itself or by what stands for it."""

    def __init__(self, detector: Detector, restorer: Restorer, held: _Held) -> None:
        self._detector = detector
        self._restorer = restorer
        self._held = held

    def find(self, text: str, /) -> list[Match]:
        found = looked(self._detector, text)
        return [match for match in found if self._is_new(match.type, text[match.start : match.end])]

    def _is_new(self, kind: str, value: str) -> bool:
        rest = self._restorer.without(value)
        if rest != value:  # there may be more in it than what stands for values of the request
            return bool(looked(self._detector, rest))
        return not self._held(kind, value)


class _Held:
    """Whether a value stood in the clear in the request; which is not read before there is a question."""

    def __init__(self, detectors: Sequence[Detector], sent: Mapping[str, Any]) -> None:
        self._detectors = detectors
        self._sent = sent
        self._texts: list[str] | None = None
        self._values: set[tuple[str, str]] = set()

    def __call__(self, kind: str, value: str) -> bool:
        if self._texts is None:
            self._texts = self._read()
        said = Literals([value])
        return (kind, canonical(kind, value)) in self._values or any(said.find(text) for text in self._texts)

    def _read(self) -> list[str]:
        masking = Masking(Policy(default="report"), self._detectors, Vault(), b"")
        texts, found = masking.looked(self._sent)
        self._values = {(kind, canonical(kind, value)) for kind, value in found}
        return texts


def _parts(completion: ChatCompletion) -> dict[str, Any]:
    """What an answer says, by place: the messages, and what a vendor says beside them (search results)."""
    parts: dict[str, Any] = {}
    for choice in completion.choices:
        where = f"choices[{choice.index}]."
        parts |= {f"{where}message": choice.message.to_dict(), **_extra(choice, where)}
    return {**parts, **_extra(completion)}


def _extra(model: Model, where: str = "") -> dict[str, Any]:
    """Its members of a vendor's own; one that is a text or a number is a fact about the answer, as a time is."""
    members = (model.model_extra or {}).items()
    return {f"{where}{name}": value for name, value in members if isinstance(value, list | dict)}


def _with(completion: ChatCompletion, masked: Mapping[str, Any]) -> ChatCompletion:
    choices = [_choice(choice, masked) for choice in completion.choices]
    return completion.model_copy(update={**{name: masked[name] for name in _extra(completion)}, "choices": choices})


def _choice(choice: Choice, masked: Mapping[str, Any]) -> Choice:
    where = f"choices[{choice.index}]."
    message = type(choice.message).model_validate(masked[f"{where}message"])
    changes = {name: masked[f"{where}{name}"] for name in _extra(choice)}
    if message != choice.message:
        changes |= {"message": message, "logprobs": None}  # which spell out what is redacted
    return choice.model_copy(update=changes)
