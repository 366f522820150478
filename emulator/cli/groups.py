"""A group of commands that proposes the nearest one for a name that it does not have."""

from __future__ import annotations

import click

from emulator.errors import nearest


class ProposingGroup(click.Group):
    """As click's, with `Did you mean …` where a name is close."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            told = " ".join(filter(None, (error.message, nearest(args[0], self.list_commands(ctx)))))
            raise click.UsageError(told, ctx) from None
