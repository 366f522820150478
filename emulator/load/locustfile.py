"""Locust's users for both services: `locust -f FILE`, on its own or as master and workers.

Worker k of n sends people k, k + n, … of a seed, and nothing is sent twice. All imports of Locust are here.
"""

from __future__ import annotations

import base64
import json
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

import gevent
from locust import FastHttpUser, events, runners, task
from locust.exception import StopUser
from locust.runners import LocalRunner, MasterRunner, WorkerRunner

from emulator.clock import Throttle
from emulator.generator.people import Population
from emulator.load.people_sequence import PeopleSequence
from emulator.load.person_request import SEGMENT, SIDES, STACKADAPT, PersonRequest
from emulator.load.worker_ledger import ACKNOWLEDGED, AGAIN, ERRORS, FAILED, LIMITED, LOST, REFUSED, SENT, Ledger
from emulator.workspace import load_workspace

_SENT = "everyone-is-sent"
# About two minutes, in which a server that was killed can be started again.
_ATTEMPTS = 60
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0
_POLL_SECONDS = 0.2
_ANSWER_SECONDS = 60.0
# After so many seconds without a heartbeat a worker is lost; by default 3, which a busy machine exceeds.
runners.HEARTBEAT_LIVENESS = 15
_TOO_MANY, _SERVER_ERROR, _CLIENT_ERROR = 429, 500, 400


@events.init_command_line_parser.add_listener
def add_options(parser: Any) -> None:
    """The options beside Locust's own; a master passes them on to its workers."""
    group = parser.add_argument_group("People sent to the emulator")
    group.add_argument("--seed", type=int, default=1, help="People of this seed.")
    group.add_argument("--start", type=int, default=0, help="Number of the first person.")
    group.add_argument("--people", type=int, default=0, help="How many; 0 for as many as there is time for.")
    group.add_argument("--rate", type=float, default=0.0, help="Requests a second over all workers; 0 for no limit.")
    group.add_argument("--ledger", default="ledgers", help="Folder for what each worker has sent.")
    group.add_argument("--workspace", default="", help="Workspace file of the emulator; default: its default one.")
    group.add_argument("--advertiser", default="1001", help="Advertiser of the GraphQL requests.")
    group.add_argument("--write-key", default="segment-local", env_var="STACKADAPT_EMULATOR_LOAD_WRITE_KEY")
    group.add_argument("--token", default="sa-local-write", env_var="STACKADAPT_EMULATOR_LOAD_TOKEN")


@events.init.add_listener
def prepare(environment: Any, runner: Any, **_: Any) -> None:
    """On the process that steers: ends the run when every worker has sent its people."""
    if isinstance(runner, WorkerRunner):
        # Faker's names are read now: a worker that does so while it sends would miss heartbeats.
        next(Population(seed=0).people())
        return
    finished: set[str] = set()
    runner.register_message(_SENT, lambda environment, msg, **_: finished.add(msg.node_id))
    gevent.spawn(_quit_when_sent, runner, finished)
    if isinstance(runner, MasterRunner) and environment.parsed_options.master_bind_port == 0:
        sys.stdout.write(f"{runner.server.port}\n")
        sys.stdout.flush()


def _quit_when_sent(runner: Any, finished: set[str]) -> None:
    while not (finished and finished.issuperset(_waited_for(runner))):
        gevent.sleep(_POLL_SECONDS)
    runner.quit()


def _waited_for(runner: Any) -> set[str]:
    """The workers that are there: not those that have been killed."""
    if isinstance(runner, LocalRunner):
        return set()
    return {client.id for client in (*runner.clients.ready, *runner.clients.spawning, *runner.clients.running)}


@events.test_start.add_listener
def begin(environment: Any, **_: Any) -> None:
    """On each process that sends: its share of the people."""
    if not isinstance(environment.runner, MasterRunner):
        environment.share = Share(environment)


@events.test_stop.add_listener
def end(environment: Any, **_: Any) -> None:
    """On each process that has sent, after the last answer."""
    if not isinstance(environment.runner, MasterRunner):
        environment.share.ledger.close()


class Share:
    """The people of this worker, who are sent by its users in order; one that is late joins without any."""

    def __init__(self, environment: Any) -> None:
        options, self._runner = environment.parsed_options, environment.runner
        alone = isinstance(self._runner, LocalRunner)
        worker, workers = (0, 1) if alone else (self._runner.worker_index, options.expect_workers)
        people = PeopleSequence(
            seed=options.seed,
            start=options.start,
            count=options.people or None,
            workspace=load_workspace(Path(options.workspace) if options.workspace else None),
            advertiser=options.advertiser,
        )
        late = worker >= workers
        self._queues: dict[str, Iterator[tuple[PersonRequest, ...]]] = {
            side: iter(()) if late else people.of_worker(side, worker=worker, workers=workers) for side in SIDES
        }
        self.ledger = Ledger(Path(options.ledger), worker)
        self._throttle = Throttle(options.rate / workers, sleep=gevent.sleep) if options.rate else None
        self._numbers = count()
        self._under_way = 0
        self._ended = False
        basic = base64.b64encode(f"{options.write_key}:".encode()).decode()
        credentials = {SEGMENT: f"Basic {basic}", STACKADAPT: f"Bearer {options.token}"}
        self._headers = {
            side: {"Content-Type": "application/json", "Authorization": value} for side, value in credentials.items()
        }

    def send_next(self, side: str, client: Any) -> None:
        """Sends everything for the next person of a side, then of the other one. Raises StopUser after the last."""
        sides = (side, *(other for other in SIDES if other != side))
        requests = next((found for each in sides if (found := next(self._queues[each], None))), None)
        if requests is not None:
            self._under_way += 1
            try:
                for request in requests:
                    self._send(client, request)
            finally:
                self._under_way -= 1
        else:
            self._ended = True
        if self._ended and not self._under_way:
            self._runner.send_message(_SENT)
        if self._ended:
            raise StopUser

    def _send(self, client: Any, request: PersonRequest) -> None:
        """Sends a request, unchanged, until it has a final answer."""
        pause = _FIRST_PAUSE
        for _ in range(_ATTEMPTS):
            if self._throttle is not None:
                self._throttle.wait_for(next(self._numbers))
            end = self._attempt(client, request)
            if end not in AGAIN:
                return
            gevent.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _attempt(self, client: Any, request: PersonRequest) -> str:
        self.ledger.write(request, SENT)
        options = {"name": request.name, "headers": self._headers[request.side], "catch_response": True}
        with client.request("POST", request.path, data=request.body, **options) as response:
            end = _end(request, response)
            if end in (ACKNOWLEDGED, ERRORS):
                response.success()
            else:
                response.failure(f"{end}, status {response.status_code}")
        self.ledger.write(request, end, response.status_code)
        return end


def _end(request: PersonRequest, response: Any) -> str:
    """How a request ended, by its response; status 0 is none."""
    status = response.status_code
    if not status or response.content is None:
        return LOST
    if status >= _SERVER_ERROR:
        return FAILED
    if status >= _CLIENT_ERROR:
        return LIMITED if status == _TOO_MANY else REFUSED
    return ERRORS if request.side == STACKADAPT and _has_errors(response.content) else ACKNOWLEDGED


def _has_errors(content: bytes) -> bool:
    answer = json.loads(content)
    fields = (answer.get("data") or {}).values()
    return bool(answer.get("errors")) or any(field.get("userErrors") for field in fields if isinstance(field, dict))


class Sender(FastHttpUser):
    """A user who sends one person after another. A POST request is never repeated below this."""

    abstract = True
    network_timeout = connection_timeout = _ANSWER_SECONDS
    concurrency = 1
    side: ClassVar[str]

    @task
    def send_next(self) -> None:
        """Sends the next person."""
        self.environment.share.send_next(self.side, self.client)


class SegmentUser(Sender):
    """An app or a server with Segment's SDK: identify, track, page, screen and group, alone and in batches."""

    side = SEGMENT
    weight = 4


class StackAdaptUser(Sender):
    """A client of the GraphQL API: the destination's mutations, those of other clients, and queries."""

    side = STACKADAPT
    weight = 1
