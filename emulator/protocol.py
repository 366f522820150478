"""Names of the emulator's own HTTP headers, and of the sandbox that requests without one address."""

SANDBOX_HEADER = "X-Emulator-Sandbox"
CONTROL_HEADER = "X-Emulator-Control-Token"
FAULT_HEADER = "X-Emulator-Fault"
# The id of each request, in responses of an emulated StackAdapt; the real one has no such header.
TRACE_HEADER = "x-emulator-trace-id"
DEFAULT_SANDBOX = "default"
# Of the console, in place of the control token: not the token itself, as cookies are sent to every port of a host.
CONSOLE_COOKIE = "stackadapt-emulator-console"
