"""One request being masked: everything in it is read first, then every value that was found is replaced everywhere.

Reading first has two reasons. A request that is to be refused is refused before a placeholder is spent on it; and a
value that is recognised in one place, by the words beside it, is replaced in all others too, where it stands without.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from typing import Any, Final

from edgeagent.errors import ConfigurationError, ShieldBlockedError
from edgeagent.shield.base import Detector
from edgeagent.shield.json_text import Token, is_integer, is_json, legible, quoted, rewritten
from edgeagent.shield.labels import canonical, label_of
from edgeagent.shield.literals import Literals, is_joined
from edgeagent.shield.placeholders import LITERAL, Names
from edgeagent.shield.places import Document
from edgeagent.shield.policy import Action, Policy
from edgeagent.shield.respell import spellings
from edgeagent.shield.restore import Restorer, forms_of
from edgeagent.shield.spans import Span, beside, merged
from edgeagent.shield.standins import shifted, standin
from edgeagent.shield.vault import Entity, Vault
from edgeagent.shield.walk import MediaKind, walked

__all__ = ["Masking", "blocked_error"]

_DEEPEST: Final = 4
"""JSON text in strings of JSON text is looked into so far."""
_SHORTEST: Final = 4
"""Values with fewer characters are replaced only where they were found."""
_QUIET: Final = frozenset({"allow", "report"})


class Masking:
    """The state of one request.

    Args:
        policy: what happens to what is found.
        detectors: find it.
        vault: which value has which placeholder.
        key: of `hash`.
    """

    def __init__(self, policy: Policy, detectors: Sequence[Detector], vault: Vault, key: bytes) -> None:
        self._policy = policy
        self._detectors = detectors
        self._vault = vault
        self._key = key
        self._known = len(vault)
        self._spans: dict[str, list[Span]] = {}
        self._places: dict[str, str] = {}
        self._is_json: dict[str, bool] = {}
        self._used: dict[str, Entity] = {}
        self._bare: dict[str, str] = {}
        self._joined: set[str] = set()
        self._counted: dict[str, set[str]] = {}
        self.findings: list[tuple[str, str, int, int]] = []
        """Type, place, start and end of everything that was found and is not allowed."""
        self.reported: dict[str, int] = {}
        """How often each type was found whose action is `report`; in a dry run each type that has any."""

    @property
    def masked(self) -> dict[str, int]:
        """How many different values of each type were replaced."""
        return {kind: len(values) for kind, values in self._counted.items()}

    @property
    def is_new(self) -> bool:
        """Whether the vault learned anything from this request."""
        return len(self._vault) > self._known

    def restorer(self) -> Restorer:
        """What puts back the values that this request held, and no others."""
        return Restorer.of(self._used.values(), self._bare, self._documents)

    def restorer_besides(self, other: Masking) -> Restorer:
        """The same without what another request held, too."""
        used = [entity for token, entity in self._used.items() if token not in other._used]
        return Restorer.of(used, {name: text for name, text in self._bare.items() if name not in other._bare})

    def _documents(self) -> list[Document]:
        """The files of the request that are text, masked; of JSON text, which is written anew, no places are known."""
        texts = [text for text, where in self._places.items() if where.endswith(".file_data")]
        return [Document(self.written(text), [*self._steps(text)]) for text in texts if not self._is_json.get(text)]

    def _steps(self, text: str) -> Iterator[tuple[int, int]]:
        for span in self._spans.get(text, ()):
            yield span.start, span.end - span.start - len(self._token(span, text[span.start : span.end]))

    def run(self, parts: Mapping[str, Any]) -> dict[str, Any]:
        """A masked copy.

        Args:
            parts: the parts of a request by name, in the order in which placeholders are to be numbered.

        Raises:
            ShieldBlockedError: the policy forbids sending it.
        """
        read = {name: walked(value, _Reader(self), name) for name, value in parts.items()}
        self._decide()
        if self._policy.dry_run or not any(self._spans.values()):
            return dict(parts) if self._policy.dry_run else read
        writer = _Writer(self)
        return {name: walked(value, writer, name) for name, value in read.items()}

    def looked(self, parts: Mapping[str, Any]) -> tuple[list[str], list[tuple[str, str]]]:
        """Every text of the parts, and type and value of everything that is found in them; nothing is decided."""
        for name, value in parts.items():
            walked(value, _Reader(self), name)
        found = [(span.type, text[span.start : span.end]) for text, spans in self._spans.items() for span in spans]
        return list(self._spans), found

    # reading

    def read(self, text: str, where: str, depth: int = 0) -> None:
        """Look for what is in a text."""
        if text in self._is_json:
            return
        self._places.setdefault(text, where)
        self._is_json[text] = as_json = depth < _DEEPEST and is_json(text)
        if as_json:
            self._spans[text] = []
            self._read_json(text, where, depth)
        else:
            self._spans[text] = [*self._spans.get(text, ()), *self._found(text)]

    def read_data(self, value: Mapping[str, Any], where: str) -> None:
        """Look for what is in an object by the names of its keys."""
        with suppress(TypeError, ValueError, RecursionError):  # what is no JSON is refused later
            text = json.dumps(value, ensure_ascii=False)
            self._read_json(text, where, 1)

    def _found(self, text: str) -> list[Span]:
        policy = self._policy
        spans = []
        for detector in self._detectors:
            for match in detector.find(text):
                if match.score < policy.threshold or match.start >= match.end:
                    continue
                action = policy.action(match.type)
                if action != "allow":
                    spans.append(Span(match.start, match.end, match.type, action, match.score))
        return spans

    def _read_json(self, text: str, where: str, depth: int) -> None:
        """Each string by itself, and what is found in the whole text, whose keys say what a value is."""
        plain, tokens = legible(text)
        ahead = sorted(self._found(plain), reverse=True)
        near: list[Span] = []
        for token in tokens:
            if token.is_number:
                self._spans.setdefault(token.value, [])
                self._places.setdefault(token.value, where)
            else:
                self.read(token.value, where, depth + 1)
            if near or ahead:
                while ahead and ahead[-1].start < token.end:
                    near.append(ahead.pop())
                near = [span for span in near if span.end > token.start]  # the others lie behind all that follow
                if near and not self._is_json.get(token.value):
                    self._spans[token.value] += _inside(token, near)

    # deciding

    def _decide(self) -> None:
        """What is refused, what is only counted, what is replaced; then the same values everywhere else."""
        self._spans = {text: sorted(set(spans)) for text, spans in self._spans.items()}
        for text, spans in self._spans.items():
            self.findings += [(s.type, self._places[text], s.start, s.end) for s in spans]
        if self._policy.dry_run:
            for kind, *_ in self.findings:
                self.reported[kind] = self.reported.get(kind, 0) + 1
            self._spans = {}
            return
        self._block()
        for text, spans in self._spans.items():
            for span in spans:
                if span.action == "report":
                    self.reported[span.type] = self.reported.get(span.type, 0) + 1
            self._spans[text] = merged(span for span in spans if span.action not in _QUIET)
        self._spread()
        self._block()
        self._allocate()
        self._escape()

    def _block(self) -> None:
        blocked = [
            (span.type, self._places[text], span.start, span.end)
            for text, spans in self._spans.items()
            for span in spans
            if span.action == "block"
        ]
        if blocked:
            raise blocked_error(blocked)

    def _spread(self) -> None:
        """Values that were found, or that the vault knows, are replaced wherever they stand."""
        kinds: dict[str, tuple[str, Action]] = {}
        for value, entity in self._vault.spellings():
            action = self._policy.action(entity.type)
            if entity.type != LITERAL and action not in _QUIET:
                kinds[value] = entity.type, action
        for text, spans in self._spans.items():
            for span in spans:
                kinds[text[span.start : span.end]] = span.type, span.action
        literals = Literals(value for value in kinds if len(value) >= _SHORTEST)
        low = {value.lower(): kind for value, kind in kinds.items()}
        self._everywhere(literals, lambda value: low[value.lower()])

    def _allocate(self) -> None:
        """Number the values in the order in which they stand, before any text is written."""
        self._joined = {
            canonical(span.type, text[span.start : span.end])
            for text, spans in self._spans.items()
            for span in spans
            if span.action == "pseudonymise" and is_joined(text, span.start, span.end)
        }
        for text, spans in self._spans.items():
            for span in spans:
                self._token(span, text[span.start : span.end])

    def _escape(self) -> None:
        """Text that could be taken for one of ours is itself replaced; stand-ins first: that makes placeholders."""
        standins = {entity.token for entity in self._used.values() if not entity.in_brackets}
        if standins:
            forms = {form for standin in standins | spellings(standins) for form in forms_of(standin)}
            self._everywhere(Literals(forms), lambda _: (LITERAL, "mask"))
        labels = {label_of(entity.type).replace("_", "") for entity in self._used.values() if entity.in_brackets}
        if labels or any(span.type == LITERAL for spans in self._spans.values() for span in spans):
            names = Names({*labels, LITERAL}, any_number=True)
            for text, spans in self._spans.items():
                if not self._is_json.get(text):
                    more = [Span(start, end, LITERAL, "mask") for start, end in names.find(text)]
                    self._spans[text] = beside(spans, more) if more else spans

    def _everywhere(self, literals: Literals, kind: Any) -> None:
        if not literals.first:
            return
        for text, spans in self._spans.items():
            if not self._is_json.get(text):
                left = _without(text, spans)
                more = [Span(start, end, *kind(which)) for start, end, which in literals.find(left)]
                self._spans[text] = beside(spans, more) if more else spans

    # writing

    def written(self, text: str) -> str:
        """A text with everything in it replaced."""
        if self._is_json.get(text):
            return rewritten(text, self._json_token)
        spans = self._spans.get(text)
        if not spans:
            return text
        pieces: list[str] = []
        done = 0
        for span in spans:
            pieces += (text[done : span.start], self._token(span, text[span.start : span.end]))
            done = span.end
        return "".join((*pieces, text[done:]))

    def bare(self, text: str) -> str:
        """The same in a place that takes no brackets."""
        new = self.written(text)
        if new == text:
            return text
        name = "".join(character for character in new if character.isalnum() or character in "_-@.")
        while name in self._spans or self._bare.get(name, text) != text:  # another tool has this name
            name += "_"
        self._bare[name] = text
        return name

    def _json_token(self, token: Token) -> str | None:
        new = self.written(token.value)
        if new == token.value:
            return None
        return new if token.is_number and is_integer(new) else quoted(new)

    def number(self, number: float) -> Any:
        """A number with everything in it replaced; a text, if what stands for it is no number."""
        text = _written(number)
        new = self.written(text)
        return number if new == text else int(new) if is_integer(new) else new

    def _token(self, span: Span, value: str) -> str:
        if span.type != LITERAL:
            self._counted.setdefault(span.type, set()).add(canonical(span.type, value))
        if span.action == "redact":
            return f"<{label_of(span.type)}>"
        if span.action == "hash":
            return f"<{label_of(span.type)}_#{self._hashed(span.type, value)}>"
        entity = self._entity(span, value)
        self._used[entity.token] = entity
        return entity.token

    def _entity(self, span: Span, value: str) -> Entity:
        kind = span.type
        if span.action != "pseudonymise" or canonical(kind, value) in self._joined:
            return self._vault.entity(kind, value)  # a stand-in that is joined to other words is not recognised
        if "DATE" in kind:
            days = self._vault.days()
            return self._vault.entity(kind, value, lambda _: shifted(value, days))
        return self._vault.entity(kind, value, lambda number: standin(kind, value, number))

    def _hashed(self, kind: str, value: str) -> str:
        told = f"{kind}\0{canonical(kind, value)}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key, told, sha256).hexdigest()[:16]


def _inside(token: Token, spans: Iterable[Span]) -> Iterable[Span]:
    """What of these spans of a JSON text lies in one of its strings or numbers; a number is taken whole."""
    start = token.start + (not token.is_number)
    size = len(token.value)
    for span in spans:
        if span.start < start + size and span.end > start:
            inner = max(0, span.start - start), min(size, span.end - start)
            first, last = (0, size) if token.is_number else inner
            yield span._replace(start=first, end=last)


def _without(text: str, spans: Iterable[Span]) -> str:
    """A text as long as it is, with nothing in these places: what stands beside them begins and ends there."""
    pieces: list[str] = []
    done = 0
    for span in spans:
        pieces += (text[done : span.start], "\0" * (span.end - span.start))
        done = span.end
    return "".join((*pieces, text[done:])) if pieces else text


def _written(number: float) -> str:
    try:
        return json.dumps(number)
    except ValueError:  # more digits than Python writes: it is refused as no JSON
        return ""


def blocked_error(findings: Iterable[tuple[str, str, int, int]]) -> ShieldBlockedError:
    """The error for what a policy forbids to send."""
    found = tuple(findings)
    places = "; ".join(f"{kind} in {where} [{start}:{end}]" for kind, where, start, end in found[:8])
    more = f"; and {len(found) - 8} more" if len(found) > 8 else ""
    return ShieldBlockedError(f"The shield's policy forbids sending this: {places}{more}.", findings=found)


class _Reader:
    """Reads every text; what is not text is replaced or refused here."""

    def __init__(self, masking: Masking) -> None:
        self._masking = masking

    def text(self, text: str, where: str, _bare: bool, /) -> str:
        self._masking.read(text, where)
        return text

    def number(self, number: float, where: str, /) -> Any:
        self._masking.read_data({"": number}, where)  # by itself it would be a text that is nothing but a number
        return number

    def data(self, value: Mapping[str, Any], where: str, /) -> None:
        self._masking.read_data(value, where)

    def media(self, part: dict[str, Any], kind: MediaKind, where: str, /) -> dict[str, Any]:
        policy = self._masking._policy
        wanted = getattr(policy, kind)
        if wanted == "allow" or policy.dry_run:
            if wanted == "block" and not where.startswith("body."):  # which says the same in a vendor's own format
                self._masking.findings.append((kind.upper(), where, 0, 0))
            return part
        if wanted == "block":
            raise blocked_error([(kind.upper(), where, 0, 0)])
        made = wanted(part)
        if not isinstance(made, dict):
            raise ConfigurationError(f"shield: {kind}= must give a content part, a dict; got {type(made).__name__}.")
        return made


class _Writer:
    """Writes every text anew."""

    def __init__(self, masking: Masking) -> None:
        self._masking = masking

    def text(self, text: str, _where: str, bare: bool, /) -> str:
        return self._masking.bare(text) if bare else self._masking.written(text)

    def number(self, number: float, _where: str, /) -> Any:
        return self._masking.number(number)

    def data(self, value: Mapping[str, Any], where: str, /) -> None: ...

    def media(self, part: dict[str, Any], _kind: MediaKind, _where: str, /) -> dict[str, Any]:
        return part
