"""The doors of a running emulator: one WSGI application, one port, one control API."""
