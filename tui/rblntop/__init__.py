"""rblntop: dashboard, command line and client library for vLLM engines on RBLN NPUs."""
