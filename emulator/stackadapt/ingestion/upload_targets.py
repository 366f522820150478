"""The files of `createUserUploadedProfiles`: those sent to an upload target, and those in one folder.

The emulator never fetches anything from the network.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy import Connection, insert, select, update

from emulator.addresses import is_localhost
from emulator.errors import unreadable
from emulator.ids import secret
from emulator.stackadapt import messages
from emulator.stackadapt.rules.user_errors import refusal
from emulator.stackadapt.tables import UPLOAD_TARGETS


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadPlaces:
    """`folder` holds the files that can be named by path, None for none.

    `base_url` is the address of the upload targets, with a slash at the end.
    """

    folder: Path | None = None
    base_url: str = "http://127.0.0.1/uploads/default/"


def make_target(connection: Connection, places: UploadPlaces, *, filename: str, mime_type: str) -> tuple[str, str]:
    """A new upload target: its key, and the URL that names the file once it was sent."""
    key = secret("")
    resource_url = f"{places.base_url}{key}"
    row = {"key": key, "filename": filename, "mime_type": mime_type, "resource_url": resource_url}
    connection.execute(insert(UPLOAD_TARGETS).values(row))
    return key, resource_url


def store_sent(connection: Connection, key: str, content: str) -> bool:
    """Stores the text of a file that was sent to a target; False for an unknown key."""
    stored = update(UPLOAD_TARGETS).where(UPLOAD_TARGETS.c.key == key).values(content=content)
    return connection.execute(stored).rowcount == 1


def read_upload(connection: Connection, places: UploadPlaces, url: str, *, most_bytes: int) -> tuple[str, bytes]:
    """The name and the content of the file at a URL: a target's `resourceUrl`, or a file in the folder.

    Raises Refusal, with the path of `url`.
    """
    sent = connection.execute(select(UPLOAD_TARGETS).where(UPLOAD_TARGETS.c.resource_url == url)).one_or_none()
    if sent is not None:
        if sent.content is None:
            raise refusal(messages.NOTHING_UPLOADED, "input", "url")
        return sent.filename, sent.content.encode()
    file = _file_in(places.folder, url)
    try:
        if file.stat().st_size > most_bytes:
            raise refusal(messages.FILE_TOO_LARGE.format(most_bytes), "input", "url")
        return file.name, file.read_bytes()
    except OSError as error:
        raise refusal(str(unreadable(url, error)), "input", "url") from None


def _file_in(folder: Path | None, url: str) -> Path:
    try:
        parts = urlsplit(url)
    except ValueError:
        raise refusal(messages.URL_UNREADABLE.format(url), "input", "url") from None
    if parts.scheme not in ("", "file") or (parts.netloc and not is_localhost(parts.netloc)):
        raise refusal(messages.NO_NETWORK, "input", "url")
    if folder is None:
        raise refusal(messages.NO_UPLOAD_FOLDER, "input", "url")
    root = folder.resolve()
    try:
        file = (root / unquote(parts.path)).resolve()
        known = file.is_relative_to(root) and file.is_file()
    except (OSError, ValueError):
        # No file system has such a name: too long, or with a zero byte.
        known = False
    if not known:
        raise refusal(messages.FILE_UNKNOWN.format(url), "input", "url")
    return file
