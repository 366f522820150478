"""Test harness: clients, expectations, scenarios, recordings, checks and comparisons with the contracts."""
