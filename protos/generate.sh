#!/bin/sh
# Regenerates the Python code beside the .proto files: `make protos`.
# Generated with the oldest grpcio and protobuf that we support, because generated code refuses older runtimes.
set -eu
cd "$(dirname "$0")"
"${PYTHON:-python3}" -m grpc_tools.protoc -I. --python_out=. --pyi_out=. rblntop_api/v1/*.proto
"${PYTHON:-python3}" -m grpc_tools.protoc -I. --grpc_python_out=. rblntop_api/v1/telemetry.proto rblntop_api/v1/control.proto
