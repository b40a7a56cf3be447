"""What is sent beside the body: a call's own header fields and query parameters, which are never changed.

They are for servers, which a placeholder would mislead; so what is found there is refused or counted, and not masked.
Secrets are not looked for: header fields are where credentials belong.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from edgeagent.shield.mask import Masking
from edgeagent.shield.policy import Action, Policy
from edgeagent.shield.presets import SECRETS
from edgeagent.shield.vault import Vault

if TYPE_CHECKING:
    from edgeagent.shield.shield import Shield

__all__ = ["found_beside"]

_OF_SDKS: Final = ("accept", "anthropic-", "openai-", "user-agent", "x-goog-", "x-stainless-")
"""How the names of fields begin that SDKs write by themselves."""
_HARMLESS: Final[Mapping[str, Action]] = dict.fromkeys(SECRETS, "allow")


def found_beside(shield: Shield, headers: Mapping[str, Any], query: Mapping[str, Any]) -> dict[str, int]:
    """How much of each type is found and let through. Raises `ShieldBlockedError`."""
    fields = {name: value for name, value in headers.items() if not name.lower().startswith(_OF_SDKS)}
    parts = {name: told for name, told in (("extra_headers", fields), ("extra_query", query)) if told}
    if not parts:
        return {}
    policy = shield.policy
    actions = {name: _told(action) for name, action in policy.actions.items() if name not in _HARMLESS}
    told = Policy({**_HARMLESS, **actions}, _told(policy.default), threshold=policy.threshold, dry_run=policy.dry_run)
    masking = Masking(told, shield.readers, Vault(), b"")
    masking.run(parts)
    return masking.reported


def _told(action: Action) -> Action:
    """The action for what cannot be changed."""
    return action if action in ("allow", "block") else "report"
