"""Puts a service object behind its proto: one handler for each method, so that none can be forgotten."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import grpc
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass


def service_handler(
    service: ServiceDescriptor, servicer: object, serialised: Collection[str] = ()
) -> grpc.GenericRpcHandler[Any, Any]:
    """A handler for every method of ``service``; those in ``serialised`` write bytes that are ready to send.

    The generated registration would serialise each message once for each subscriber.
    """
    handlers = {}
    for method in service.methods:
        behaviour = getattr(servicer, method.name)
        request = GetMessageClass(method.input_type)
        response = GetMessageClass(method.output_type)
        make = (
            grpc.unary_stream_rpc_method_handler
            if method.server_streaming
            else grpc.unary_unary_rpc_method_handler
        )
        handlers[method.name] = make(
            behaviour,
            request_deserializer=request.FromString,
            response_serializer=None if method.name in serialised else response.SerializeToString,
        )
    return grpc.method_handlers_generic_handler(service.full_name, handlers)
