"""What commands print: counts in sentences, and a progress bar on terminals."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TimeRemainingColumn
from rich.text import Text


class Terminal(Console):
    """A console on which a reader that leaves early is no error of the command."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError(errno.EPIPE, "the reader has left")


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:,.0f}/s")


@contextmanager
def progress(total: int, *, hidden: bool = False) -> Iterator[Callable[[int], None]]:
    """A bar with rate and time left on standard error if that is a terminal; yields a function to call per step."""
    console = Terminal(stderr=True)
    columns = (BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=hidden or not console.is_terminal, transient=True) as bar:
        task = bar.add_task("", total=total)
        yield lambda done: bar.advance(task, done)


@contextmanager
def repeated(line: Callable[[], str | None], *, every: float) -> Iterator[None]:
    """Shows a line on standard error within the block, made again every so many seconds, if that is a terminal.

    `line` runs on a thread of its own; the line stays as it is where it returns None.
    """
    console = Terminal(stderr=True)
    if not console.is_terminal:
        yield
        return
    ended = Event()
    with console.status("") as status:

        def show() -> None:
            while not ended.wait(every):
                if (text := line()) is not None:
                    status.update(text)

        showing = Thread(target=show, daemon=True)
        showing.start()
        try:
            yield
        finally:
            ended.set()
            showing.join()


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 error`, `2,000 errors`; `many` is the plural of a word that does not simply take an s."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
