"""The environments of the matrix: what is installed beside the wheel, in one command without flags."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

OTHER_PYTHONS: Final = ("3.12", "3.13", "3.14")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One environment.

    `beside` are the requirements; `test` is a file of `beside/` that uses them. `oldest` installs the lowest version of
    each run-time dependency. `full` asks all requests, not only some. `python` is another version than this one; where
    no such interpreter is found, the dependencies are resolved for it and nothing is run.
    """

    name: str
    beside: tuple[str, ...] = ("pytest",)
    test: str | None = None
    arguments: tuple[str, ...] = ()
    oldest: bool = False
    full: bool = False
    python: str | None = None


ROWS: Final = (
    Row(name="newest", full=True),
    Row(name="oldest", oldest=True, full=True),
    Row(name="core-3.2", beside=("graphql-core==3.2.*", "pytest"), full=True),
    Row(name="core-3.3", beside=("graphql-core==3.3.*", "pytest"), full=True),
    Row(name="gql-3.5", beside=("gql[requests]==3.5.*", "pytest"), test="gql_client"),
    Row(name="gql-4.0", beside=("gql[requests]==4.0.*", "pytest"), test="gql_client"),
    Row(name="gql-4.4", beside=("gql[requests]==4.4.*", "pytest"), test="gql_client"),
    Row(name="graphene-3", beside=("graphene==3.*", "pytest"), test="graphene_schema"),
    Row(name="strawberry", beside=("strawberry-graphql", "pytest"), test="strawberry_schema"),
    Row(name="ariadne-codegen", beside=("ariadne-codegen", "pytest"), test="generated_client"),
    Row(name="django-4.2", beside=("django==4.2.*", "pytest"), test="django_view"),
    Row(name="django-5", beside=("django==5.*", "pytest"), test="django_view"),
    Row(name="fastapi", beside=("fastapi", "pytest"), test="fastapi_route"),
    Row(name="flask-2.3", beside=("flask==2.3.*", "pytest"), test="flask_route"),
    Row(name="moto", beside=("moto[s3]", "pytest"), test="moto_bucket"),
    Row(name="pytest-7.0", beside=("pytest==7.0.*",)),
    Row(name="pytest-7", beside=("pytest==7.*",)),
    Row(name="pytest-8", beside=("pytest==8.*",)),
    Row(name="pytest-9", beside=("pytest==9.*",)),
    Row(name="pytest-xdist", beside=("pytest-xdist",), arguments=("-n", "2")),
    Row(name="pytest-asyncio", beside=("pytest-asyncio",), test="coroutine"),
    Row(name="pytest-randomly", beside=("pytest-randomly",), test="random_order"),
    Row(name="pytest-socket", beside=("pytest-socket",), test="no_socket", arguments=("--disable-socket",)),
    Row(name="pyfakefs", beside=("pyfakefs", "pytest"), test="fake_files"),
    *(Row(name=f"python-{version}", python=version, full=True) for version in OTHER_PYTHONS),
)
# What CI runs of it.
SHORT: Final = ("core-3.2", "gql-3.5")
