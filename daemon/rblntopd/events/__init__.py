"""What happened to engines: the latest events, from the rings and from the audit log. Knows no gRPC."""
