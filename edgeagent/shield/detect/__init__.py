"""Detectors of personal data and secrets by form and evidence."""
