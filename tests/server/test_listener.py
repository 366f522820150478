"""The listener with many connections, and signals while it serves."""

from __future__ import annotations

import os
import resource
import signal
import socket
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Event, Semaphore, Thread
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from waitress import wasyncore
from waitress.channel import HTTPChannel
from waitress.task import WSGITask

from emulator.server.listener import THREADS, Listener
from emulator.server.signals import StopSignals

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

# One process can select() among 1024 files.
MANY = 1100


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Length", "2")])
    return [b"ok"]


@pytest.fixture
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Both ends of each connection are in this process.
    needed = 2 * MANY + 200
    if hard != resource.RLIM_INFINITY and hard < needed:
        pytest.skip(f"this machine allows a process {hard} open files, and {needed} are needed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
def test_more_than_a_thousand_connections_are_served() -> None:
    listener = Listener(app)
    listener.start()
    host, port = listener.url.removeprefix("http://").split(":")
    with ExitStack() as opened:
        opened.callback(listener.stop)
        for _ in range(MANY):
            opened.enter_context(socket.create_connection((host, int(port))))
        assert httpx.get(listener.url, trust_env=False, timeout=20).text == "ok"


def test_a_request_that_waits_for_a_thread_is_not_logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    added, done = Semaphore(0), Event()

    def waits(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        done.wait(20)
        return app(environ, start_response)

    listener = Listener(waits)
    listener.start()
    dispatcher = listener._server.task_dispatcher
    add_task = dispatcher.add_task
    monkeypatch.setattr(dispatcher, "add_task", lambda task: (add_task(task), added.release()))
    with ThreadPoolExecutor(THREADS + 3) as clients:
        answers = [clients.submit(httpx.get, listener.url, trust_env=False, timeout=20) for _ in range(THREADS + 3)]
        assert all(added.acquire(timeout=20) for _ in range(THREADS + 3))
        done.set()
        assert [answer.result().text for answer in answers] == ["ok"] * (THREADS + 3)
    listener.stop()
    assert not [record for record in caplog.records if record.name.startswith("waitress")]


@pytest.fixture
def handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("handlers")
def test_signals_stop_it_once_and_only_after_every_socket_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    closing: list[bool] = []
    close_all = wasyncore.close_all

    def close_during_signals(sockets: dict[int, Any]) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            os.kill(os.getpid(), number)
        close_all(sockets)
        closing.append(True)

    monkeypatch.setattr(wasyncore, "close_all", close_during_signals)
    listener = Listener(app)

    def request_then_interrupt() -> None:
        httpx.get(listener.url, trust_env=False, timeout=20)
        os.kill(os.getpid(), signal.SIGINT)

    requesting = Thread(target=request_then_interrupt)
    with StopSignals() as signals:
        requesting.start()
        listener.run(signals)
        assert closing == [True]
    requesting.join()


@pytest.mark.usefixtures("handlers")
def test_an_ignored_signal_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with StopSignals() as signals:
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        os.kill(os.getpid(), signal.SIGTERM)
        signals.wait()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


@pytest.mark.usefixtures("handlers")
def test_handlers_are_restored_unless_a_signal_has_stopped_the_process() -> None:
    before = signal.getsignal(signal.SIGTERM)
    with StopSignals() as signals:
        signals.wake()
        signals.wait()
    assert signal.getsignal(signal.SIGTERM) is before
    with StopSignals() as signals:
        os.kill(os.getpid(), signal.SIGINT)
        signals.wait()
    os.kill(os.getpid(), signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN


def test_the_internals_of_waitress_that_the_listener_uses_exist() -> None:
    listener = Listener(app)
    server = listener._server
    assert issubclass(server.channel_class, HTTPChannel)
    assert issubclass(server.channel_class.task_class, WSGITask)
    assert callable(server.task_dispatcher.shutdown)
    assert server.trigger.thunks == []
    assert server.trigger.lock.acquire(blocking=False)
    server.trigger.lock.release()
    assert listener._open
    wasyncore.close_all(listener._open)
    server.task_dispatcher.shutdown()
    assert listener._open == {}
