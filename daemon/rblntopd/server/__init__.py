"""The gRPC services, and the socket that they are served on."""
