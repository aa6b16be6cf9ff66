"""Runs a command the way a shell expects: messages to stderr, trusted exit codes, quiet when cut short."""

from __future__ import annotations

import os
import sys

import click

from rblntop.cli import exit_codes
from rblntop.cli.completion import answer_shell
from rblntop.cli.next_step import as_typed, next_step, without_daemon
from rblntop.cli.options import CAN_GO_DIRECT, CHANGES_ENGINES
from rblntop.client.errors import AddressError, ClientError, UnreachableError


def run_command(command: click.Command, arguments: list[str] | None = None) -> int:
    """Run a click command and return its exit code.

    Not with click's own ``main()``: that prints on Ctrl-C, and takes a closed pipe for a failure.
    """
    if arguments is None and (answered := answer_shell(command)) is not None:
        return answered
    known: dict[str, object] = {}
    try:
        given = sys.argv[1:] if arguments is None else arguments
        with command.make_context(command.name, list(given)) as context:
            known = context.meta
            outcome = command.invoke(context)
        if sys.stdout is not None:
            sys.stdout.flush()
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.UsageError as error:
        error.show()
        return exit_codes.USAGE
    except click.ClickException as error:
        error.show()
        return exit_codes.FAILED
    except AddressError as error:
        return _fail(error, exit_codes.USAGE)
    except UnreachableError as error:
        hint = without_daemon(error, direct=CAN_GO_DIRECT in known, changing=CHANGES_ENGINES in known)
        return _fail(error, exit_codes.UNREACHABLE, hint)
    except ClientError as error:
        return _fail(error, exit_codes.FAILED, next_step(error))
    except (KeyboardInterrupt, click.Abort):
        return exit_codes.INTERRUPTED
    except BrokenPipeError:
        # The reader has what it wanted (`| head`). Python flushes stdout at exit and would complain.
        _discard_output()
        return exit_codes.DONE
    except OSError as error:
        # A full disk, most likely.
        _discard_output()
        click.echo(f"Error: {error.strerror or error}", err=True)
        return exit_codes.FAILED
    return outcome if isinstance(outcome, int) else exit_codes.DONE


def _discard_output() -> None:
    """What is still buffered goes nowhere."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(error: ClientError, code: int, hint: str = "") -> int:
    click.echo(f"Error: {as_typed(str(error))}", err=True)
    if hint:
        click.echo(hint, err=True)
    return code
