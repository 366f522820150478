"""Runs that are cut off: by a status 429, a lost connection, four hours of waiting; and what cannot begin."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from emulator.errors import UserMistake
from emulator.harness.probe import CONFIRMED, NOT_SEEN, STATE, State, player_of_probes
from tests.harness.probe.conftest import TOKEN, WORKSPACE, Live, Open, row_of


class Counting(httpx.BaseTransport):
    """Counts the documents that are sent, and loses the response to some."""

    def __init__(self, through: httpx.BaseTransport) -> None:
        self.sent: list[str] = []
        self.lose: str | None = None
        self._through = through

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request.read().decode())
        response = self._through.handle_request(request)
        if self.lose is not None and self.lose in self.sent[-1]:
            self.lose = None
            raise httpx.ReadError("the connection was closed")
        return response


def counting(target: Live) -> Counting:
    target.transport = transport = Counting(target.transport)
    return transport


def fault(target: Live, operation: str) -> None:
    given = {"fault": "status", "status": 429, "retryAfter": 30, "operation": operation, "times": 1}
    response = target.emulator.client.post("/_emulator/faults", json=given)
    assert response.status_code in (200, 201), response.text


def test_the_first_429_stops_everything_and_the_rest_is_sent_later(live: Open) -> None:
    target = live()
    sent = counting(target).sent
    fault(target, "profileMappingStatus")
    report = target.begin(writes=False)
    stopped = report.progress.stopped
    assert stopped is not None
    assert (stopped.probe, stopped.request, stopped.reason) == ("R11", "status", "status 429, Retry-After: 30")
    assert "profileMappingStatus" in sent[-1]
    assert row_of(report, "mapping.status").reason == "R11 was not reached."
    assert row_of(report, "audiences.empty").result == NOT_SEEN
    assert row_of(report, "account.fixed").result == CONFIRMED
    before = len(sent)
    report = target.resume()
    assert report.progress.stopped is None
    assert row_of(report, "mapping.status").result == row_of(report, "audiences.empty").result == CONFIRMED
    # After the rights of the token, R11, R12, R13 and R15 are left: nothing that has an answer is sent again.
    assert "tokenInfo" in sent[before]
    assert "profileMappingStatus" in sent[before + 1]
    assert len(sent) - before - 1 == report.requests == 7


def test_a_lost_first_response_keeps_nothing(live: Open) -> None:
    target = live()
    counting(target).lose = "tokenInfo"
    with pytest.raises(UserMistake, match="does not answer: no response: the connection was closed"):
        target.begin("W14")
    assert not target.folder.exists()


def test_a_lost_response_of_a_probe_that_writes_makes_it_begin_again_with_other_people(live: Open) -> None:
    target = live()
    counting(target).lose = "upsertProfiles(input: $i)"
    report = target.begin("W14")
    assert report.progress.stopped is not None
    assert report.progress.stopped.reason == "no response: the connection was closed"
    first = _people(target)
    assert len(first) == 1
    report = target.resume()
    while report.progress.waiting:
        target.clock.advance(timedelta(hours=4))
        report = target.resume()
    assert row_of(report, "ingestion.sync-id").result == CONFIRMED
    assert len(_people(target) - first) == 2


def _people(target: Live) -> set[str]:
    return {profile["email"] for profile in target.emulator.stackadapt.profiles()}


def test_a_lost_response_of_a_probe_that_reads_is_asked_for_again(live: Open) -> None:
    target = live()
    transport = counting(target)
    transport.lose = "customSegments"
    report = target.begin("R10", "R15", writes=False)
    assert report.progress.stopped is not None
    assert report.progress.stopped.probe == "R15"
    before = len(transport.sent)
    report = target.resume()
    assert row_of(report, "audiences.empty").result == CONFIRMED
    assert len(transport.sent) - before == report.requests + 1 == 3


def test_what_was_written_is_looked_for_during_four_hours(live: Open) -> None:
    target = live({"ingestion": {"latency": "2h"}})
    sent = counting(target).sent
    report = target.begin("W4")
    assert [*report.progress.waiting] == ["W4"]
    until = report.progress.waiting["W4"]
    assert until == target.clock.now() + timedelta(hours=4)
    assert (
        row_of(report, "ingestion.email-identity").reason
        == "W4 waits for what it sent, until 2026-06-01T04:00:00.000Z."
    )
    for _ in range(3):
        target.clock.advance(timedelta(hours=1))
        assert [*target.resume().progress.waiting] == ["W4"]
    writes = [each for each in sent if "upsertProfiles" in each]
    target.clock.advance(timedelta(hours=1))
    report = target.resume()
    assert report.progress.waiting == {}
    assert row_of(report, "ingestion.email-identity").result == CONFIRMED
    assert len(writes) == 2
    assert [each for each in sent if "upsertProfiles" in each] == writes
    # Once it is over, nothing more is sent.
    assert target.resume().requests == 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"token": "wrong"}, 'the endpoint does not accept the token. Found: "status 401, '),
        ({"advertiser": "9"}, "--advertiser: the token cannot see the advertiser 9. Allowed: 7, 8"),
        ({"advertiser": "77"}, "the token cannot see the advertiser 77"),
    ],
)
def test_nothing_begins_without_access(live: Open, given: dict[str, Any], message: str) -> None:
    target = live()
    with pytest.raises(UserMistake) as found:
        target.begin(**given)
    assert message in str(found.value)
    assert not target.folder.exists()


def test_a_service_that_is_no_stackadapt_is_named(live: Open) -> None:
    target = live()
    target.transport = httpx.MockTransport(lambda _: httpx.Response(404, text="<html>"))
    with pytest.raises(UserMistake, match=r"does not answer like StackAdapt. Found: 'status 404'. Check the URL"):
        target.begin()


_READER = {"advertiser": {"id": "7"}, "scopes": ["READ", "OTHER", None]}


@pytest.mark.parametrize("listed", [[None, 3, {}, {"advertiser": 1}, _READER], [_READER, {"advertiser": {"id": "8"}}]])
def test_lists_with_other_things_in_them_and_strange_addresses_are_read(live: Open, listed: list[Any]) -> None:
    target = live()
    data = {
        "tokenInfo": {"scopesByAdvertiser": {"nodes": listed}},
        "advertisers": {"totalCount": 3, "nodes": [None, 7]},
        "advertiser": {"id": "7"},
        "cdpProfiles": {"size": 5, "nodes": [4]},
    }
    answer = {"data": data, "errors": [{"message": f"{TOKEN} of ada@private.test"}, 3]}
    target.transport = httpx.MockTransport(lambda _: httpx.Response(200, json=answer))
    assert target.begin("R3", "R7", "R8", "R9", writes=False).setup.scopes == ("READ",)
    for path in target.folder.iterdir():
        written = path.read_text(encoding="utf-8")
        assert "private.test" not in written
        assert TOKEN not in written


def answered(target: Live, response: httpx.Response) -> None:
    """Every request but the first has this response."""
    through, asked = target.transport, iter("1")

    def answer(request: httpx.Request) -> httpx.Response:
        return through.handle_request(request) if next(asked, None) else response

    target.transport = httpx.MockTransport(answer)


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateway_without_its_service_is_no_evidence(live: Open, status: int) -> None:
    target = live()
    through = target.transport
    answered(target, httpx.Response(status, text="<html>"))
    report = target.begin("R1", writes=False)
    assert report.progress.stopped is not None
    assert report.progress.stopped.reason == f"no response of the service: status {status}"
    target.transport = through
    assert row_of(target.resume(), "graphql.unauthorized").result == CONFIRMED


@pytest.mark.parametrize("charset", ["hex", "utf-16", "idna", "no-such", "utf-8"])
def test_a_body_is_read_as_utf_8_whatever_its_header_says(live: Open, charset: str) -> None:
    target = live()
    body = b'{"errors": [{"message": "\\ud800\\n+ \xff\\u001b[31m"}]}'
    answered(
        target, httpx.Response(200, content=body, headers={"content-type": f"application/json; charset={charset}"})
    )
    report = target.begin("R5", writes=False)
    assert row_of(report, "graphql.operation-name").seen == {"R5": "200: \ufffd\\n+ \ufffd\\x1b[31m"}
    assert report.patch is not None


def test_a_body_without_end_is_not_read_to_its_end(live: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(player_of_probes, "_MOST_BYTES", 1000)
    target = live()
    target.transport = httpx.MockTransport(lambda _: httpx.Response(200, content=itertools.repeat(b"x" * 100)))
    with pytest.raises(UserMistake, match="no response: it has more than 1,000 bytes"):
        target.begin("R1")


def test_a_redirect_is_not_followed(live: Open) -> None:
    target = live()
    hosts: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        hosts.append(request.url.host)
        return httpx.Response(307, headers={"location": "https://elsewhere.test/graphql"})

    target.transport = httpx.MockTransport(answer)
    with pytest.raises(UserMistake, match="Found: 'status 307'"):
        target.begin("R1")
    assert hosts == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("scopes", "message"),
    [
        (None, "the endpoint does not accept the token"),
        ({"7": ["READ"]}, "the token has other scopes .* Found: 'READ'. Allowed: READ, WRITE"),
    ],
)
def test_a_token_with_other_rights_does_not_go_on(
    live: Open, scopes: dict[str, list[str]] | None, message: str
) -> None:
    another = [] if scopes is None else [{"token": "another-token", "name": "Another", "scopes": scopes}]
    target = live({"tokens": [*WORKSPACE["tokens"], *another]})
    fault(target, "profileMappingStatus")
    target.begin("R11", writes=False)
    before = (target.folder / STATE).read_bytes()
    with pytest.raises(UserMistake, match=message):
        target.resume(token="another-token")
    assert (target.folder / STATE).read_bytes() == before


def test_a_folder_has_one_probe(live: Open) -> None:
    target = live()
    target.begin("R1")
    with pytest.raises(UserMistake, match="there is a probe in this folder already"):
        target.begin("R1")
    assert target.resume().requests == 0


def test_a_state_that_was_cut_off_goes_on_and_a_damaged_one_is_named(live: Open) -> None:
    target = live()
    target.begin("R1", "R8", writes=False)
    path = target.folder / STATE
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:-1]) + lines[-1][:40], encoding="utf-8")
    assert target.resume().requests == 1
    assert row_of(target.resume(), "advertiser.read-scope").result == CONFIRMED
    path.write_text("".join([lines[0], "{}\n"]), encoding="utf-8")
    with pytest.raises(UserMistake, match=r"state.jsonl:2: an answer cannot be read"):
        target.resume()
    path.write_text(json.dumps({"format": 2}) + "\n", encoding="utf-8")
    with pytest.raises(UserMistake, match=r"state.jsonl:1: not the state of a probe. Found: 2. Allowed: 1"):
        target.resume()
    path.write_text(json.dumps({"format": 1, "setup": {"url": "x"}}) + "\n", encoding="utf-8")
    with pytest.raises(UserMistake, match=r"state.jsonl:1: the setup of a probe cannot be read"):
        target.resume()
    path.unlink()
    with pytest.raises(UserMistake, match="no probe to resume"):
        target.resume()


def test_a_cut_at_any_place_loses_no_whole_answer_and_no_foreign_line(live: Open) -> None:
    target = live()
    target.begin("R8", writes=False)
    path = target.folder / STATE
    whole = path.read_bytes()
    first = len(whole.splitlines(keepends=True)[0])
    for cut, sent in ((len(whole) - 1, 0), (len(whole) - 2, 1), (first + 1, 3), (first, 3), (first - 1, 3)):
        path.write_bytes(whole[:cut])
        assert target.resume().requests == sent
        assert target.resume().requests == 0
    for foreign in (b"not ours", whole[: first // 2]):
        path.write_bytes(foreign)
        with pytest.raises(UserMistake, match=r"state.jsonl:1: not JSON"):
            target.resume()
        assert path.read_bytes() == foreign


def test_another_token_of_the_same_rights_may_go_on(live: Open) -> None:
    target = live()
    fault(target, "profileMappingStatus")
    target.begin("R11", writes=False)
    state = State.load(target.folder / STATE)
    assert TOKEN not in (target.folder / STATE).read_text(encoding="utf-8")
    assert state.setup.scopes == ("READ", "WRITE")
    assert row_of(target.resume(), "mapping.status").result == CONFIRMED
