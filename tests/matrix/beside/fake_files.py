"""A test that replaces the file system by a fake one still has its emulator."""

from pathlib import Path

import pytest

import emulator


@pytest.fixture
def fs(fs):
    """The fake file system, with the contracts that the emulator reads."""
    fs.add_real_directory(Path(emulator.__file__).parent)
    return fs


def test_the_emulator_runs_while_files_are_fake(fs, stackadapt, segment):
    Path("/export.csv").write_text("ada@example.com")
    segment.identify("u1", {"email": Path("/export.csv").read_text(), "total_spent": 900})
    stackadapt.expect_profile(email="ada@example.com").in_audience("vip_customers")


def test_files_become_fake_after_the_emulator_has_started(stackadapt, segment, fs):
    segment.identify("u1", {"email": "ada@example.com", "total_spent": 900})
    stackadapt.expect_profile(email="ada@example.com")
