"""Sockets are refused, apart from the test that asks for one: in process the emulator needs none."""

import httpx
import pytest
import pytest_socket


def test_no_socket_is_needed_in_process(stackadapt, segment):
    segment.identify("u1", {"email": "ada@example.com", "total_spent": 900})
    stackadapt.expect_profile(email="ada@example.com")
    with pytest.raises(pytest_socket.SocketBlockedError):
        httpx.get("http://127.0.0.1:9")


@pytest.mark.enable_socket
def test_the_served_emulator_is_on_this_machine(stackadapt, segment):
    answer = httpx.get(f"{segment.host}/_emulator/health")
    assert answer.status_code == 200
