"""Prometheus: what is exposed, how it is written, and where it is served."""
