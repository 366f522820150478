"""gql reads the schema of the served emulator and checks its documents with it."""

from gql import Client, gql
from gql.transport.requests import RequestsHTTPTransport


def test_gql_queries_the_served_emulator(stackadapt, segment):
    segment.identify("u1", {"email": "ada@example.com", "total_spent": 900})
    headers = {"Authorization": f"Bearer {stackadapt.token}"}
    transport = RequestsHTTPTransport(stackadapt.url, headers=headers)
    document = gql("{ cdpProfiles(advertiserId: 1001) { size profiles { nodes { email } } } }")
    with Client(transport=transport, fetch_schema_from_transport=True) as session:
        found = session.execute(document)
    assert found["cdpProfiles"]["profiles"]["nodes"] == [{"email": "ada@example.com"}]
