"""What a control token may be: a value that every HTTP client can send in a header, and that is not empty."""

from __future__ import annotations

import re

from emulator.errors import InputError

_TOKEN = re.compile("[!-~]{1,1000}")


def check_control_token(token: str) -> str:
    """The token. Raises InputError, without repeating it, for one that no request could send."""
    if not _TOKEN.fullmatch(token):
        raise InputError(
            "the control token is empty" if not token else "the control token cannot be sent in a header",
            where="--control-token",
            allowed="1 to 1000 letters, digits and signs of ASCII, without spaces",
            hint="`openssl rand -hex 16` prints one that fits.",
        )
    return token
