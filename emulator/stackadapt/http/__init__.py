"""The HTTP endpoints of the StackAdapt service: `/graphql` and `/uploads/<sandbox>/`."""

from emulator.stackadapt.http.graphql_endpoint import blueprint as graphql_blueprint
from emulator.stackadapt.http.graphql_endpoint import journal_refused
from emulator.stackadapt.http.upload_endpoint import blueprint as uploads_blueprint

__all__ = ["graphql_blueprint", "journal_refused", "uploads_blueprint"]
