"""ariadne-codegen writes a client from the schema that the emulator serves."""

import subprocess
import sys

CONFIGURATION = """
[tool.ariadne-codegen]
remote_schema_url = "%s"
remote_schema_headers = {Authorization = "Bearer %s"}
queries_path = "queries.graphql"
async_client = false
"""


def test_a_client_is_generated_from_the_served_schema(stackadapt, segment, tmp_path, monkeypatch):
    segment.identify("u1", {"email": "ada@example.com", "total_spent": 900})
    (tmp_path / "queries.graphql").write_text("query size { cdpProfiles(advertiserId: 1001) { size } }\n")
    (tmp_path / "pyproject.toml").write_text(CONFIGURATION % (stackadapt.url, stackadapt.token))
    subprocess.run([sys.executable, "-m", "ariadne_codegen"], cwd=tmp_path, check=True)
    monkeypatch.syspath_prepend(str(tmp_path))
    from graphql_client import Client

    client = Client(url=stackadapt.url, headers={"Authorization": f"Bearer {stackadapt.token}"})
    assert client.size().cdp_profiles.size == 1
