"""How many tokens a request has before it is sent, and an answer before it has come."""

from edgeagent.tokens.estimator import Counter, Encoder, Estimate, TokenEstimator
from edgeagent.tokens.output import OutputLengths
from edgeagent.tokens.script import text_tokens
from edgeagent.tokens.size import Size, size_of

__all__ = ["Counter", "Encoder", "Estimate", "OutputLengths", "Size", "TokenEstimator", "size_of", "text_tokens"]
