"""What `generate` does with generated people and events: encodes blocks in any process, writes them, sends them."""
