"""The gRPC API of rblntop: protocol definitions and the code generated from them."""
