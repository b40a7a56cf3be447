"""Targets in an order: routers, model names, health."""

from edgeagent.routing.base import Router
from edgeagent.routing.breaker import BreakerPolicy
from edgeagent.routing.conditional import ConditionalRouter, tagged
from edgeagent.routing.cost import CostRouter
from edgeagent.routing.failover import FailoverRouter
from edgeagent.routing.health import LastError, Latency, TargetReport
from edgeagent.routing.hybrid import HybridRouter
from edgeagent.routing.latency import LatencyRouter
from edgeagent.routing.least_busy import LeastBusyRouter
from edgeagent.routing.model import ModelRouter
from edgeagent.routing.outlook import Outlook
from edgeagent.routing.quality import QualityRouter
from edgeagent.routing.round_robin import RoundRobinRouter
from edgeagent.routing.split import SplitRouter
from edgeagent.routing.sticky import StickyRouter, session_of
from edgeagent.routing.weighted import WeightedRouter

__all__ = [
    "BreakerPolicy",
    "ConditionalRouter",
    "CostRouter",
    "FailoverRouter",
    "HybridRouter",
    "LastError",
    "Latency",
    "LatencyRouter",
    "LeastBusyRouter",
    "ModelRouter",
    "Outlook",
    "QualityRouter",
    "RoundRobinRouter",
    "Router",
    "SplitRouter",
    "StickyRouter",
    "TargetReport",
    "WeightedRouter",
    "session_of",
    "tagged",
]
