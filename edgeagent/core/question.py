"""Calls that are neither cached nor shared: rerank and moderation, with everything else that a call has."""

from __future__ import annotations

from edgeagent.core.attempts import attempt_targets
from edgeagent.core.call import CallOptions
from edgeagent.core.calls import Calls
from edgeagent.core.operation import MODERATIONS, A, Operation, R, ask_once, offers
from edgeagent.core.targets import vendor_of
from edgeagent.effects import Flow, Scope
from edgeagent.errors import NoTargetError
from edgeagent.providers.moderation import DEFAULT_MODELS
from edgeagent.types import Target

__all__ = ["Questions"]


class Questions(Calls):
    """One client's reranks and moderations."""

    def ask(
        self, operation: Operation[R, A], request: R, options: CallOptions, scope: Scope, *, prefers_async: bool
    ) -> Flow[A]:
        """Route, attempt, tell the observers."""
        call = self._begin(request, options, scope, prefers_async=prefers_async, operation=operation.name)
        try:
            self._costs(call)
            if options.shield is not None:
                from edgeagent.core.shielding import masked_operation

                yield from masked_operation(call)
            targets = self.targets.plan_operation(call, self._candidates(call), operation)

            def attempt(target: Target) -> Flow[A]:
                provider = self.targets.provider(target)
                return ask_once(call, operation, provider, target, call.request, max_body_bytes=self._max_body_bytes)

            asked = self._clock()
            answered = yield from attempt_targets(call, targets, attempt, self.targets.window)
            call.edge.provider_latency_ms = (self._clock() - asked) * 1e3
            self._answered_by(call, answered.target)
            call.settle(getattr(answered.answer, "usage", None), None)
        except Exception as error:
            self._failed(call, error)
            raise
        answer: A = answered.answer
        if call.shielding is not None:
            answer = call.shielding.operation(answer)
        answer._attach(call.edge)
        call.ended(answer, None)
        return answer

    def default_moderation(self) -> str:
        """The model of a moderation that names none: that of the first provider whose vendor has one.

        Raises:
            NoTargetError: there is no such provider.
        """
        for provider in self.targets.providers():
            model = DEFAULT_MODELS.get(vendor_of(provider))
            if model is not None and offers(MODERATIONS, provider, model):
                return model if getattr(provider, "literal_names", False) else f"{provider.name}/{model}"
        raise NoTargetError(
            "No configured provider is known to moderate: OpenAI and Mistral are; name the model of any other."
        )
