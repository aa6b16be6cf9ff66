"""What engines did in the last hour and day: rows of figures in bounded memory. Knows no gRPC."""
