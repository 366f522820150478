"""Names of the emulator's own HTTP headers, and of the sandbox that requests without one mean."""

SANDBOX_HEADER = "X-Emulator-Sandbox"
FAULT_HEADER = "X-Emulator-Fault"
TRACE_HEADER = "x-emulator-trace-id"
DEFAULT_SANDBOX = "default"
