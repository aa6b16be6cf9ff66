"""The rblntop daemon: finds engines, reads their flight recorders, streams and controls over gRPC."""
