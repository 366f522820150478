"""A running emulator: one WSGI application with the endpoints of both services and a control API."""
