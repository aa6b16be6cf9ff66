"""Prints messages in the proto JSON mapping."""

from __future__ import annotations

import click
from google.protobuf import json_format
from google.protobuf.message import Message


def print_json(message: Message, *, one_line: bool = False) -> None:
    """Print one message. Zeros are printed; only a value that is not known is left out."""
    text = json_format.MessageToJson(
        message, indent=None if one_line else 2, always_print_fields_with_no_presence=True
    )
    click.echo(text)
