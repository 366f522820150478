"""Processes that run a function of this package, spawned: a fork would copy locks that other threads hold."""

from __future__ import annotations

import os
from multiprocessing import get_context
from multiprocessing.context import SpawnContext


def spawning() -> SpawnContext | None:
    """What starts them; None where no process can be started, because the current folder, in which Python has it begin,
    was deleted.
    """
    try:
        os.getcwd()
    except OSError:
        return None
    return get_context("spawn")
