"""The commands. They import grpc only when they call, and textual never (but for the dashboard itself)."""
