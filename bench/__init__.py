"""Measurements of what the project promises; `python -m bench` runs them all."""
