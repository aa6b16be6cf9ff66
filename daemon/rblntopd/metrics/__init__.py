"""Figures made from steps: plain values and pure functions, with no gRPC and no files."""
