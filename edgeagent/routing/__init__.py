"""Targets in an order: routers, model names, health."""
