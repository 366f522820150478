"""Validation of payloads and settings: fields → JSON Schema → changes and violations as in Segment's engine."""

from emulator.mapping.schema.json_schema import is_email
from emulator.mapping.schema.payload_check import PayloadCheck, Violation

__all__ = ["PayloadCheck", "Violation", "is_email"]
