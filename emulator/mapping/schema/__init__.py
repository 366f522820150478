"""Fields of a definition → JSON Schema → payloads that are tidied and judged as Segment's engine judges them."""

from emulator.mapping.schema.payload_check import Complaint, PayloadCheck

__all__ = ["Complaint", "PayloadCheck"]
