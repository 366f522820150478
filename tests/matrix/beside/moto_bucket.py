"""moto answers for S3 while the emulator, in process and on a port, answers for StackAdapt."""

import boto3
import httpx
from moto import mock_aws


@mock_aws
def test_profiles_are_copied_to_a_bucket(stackadapt, segment):
    segment.identify("u1", {"email": "ada@example.com", "total_spent": 900})
    body, headers = {"query": "{ cdpProfiles(advertiserId: 1001) { size } }"}, {"Authorization": stackadapt.token}
    headers = {"Authorization": f"Bearer {stackadapt.token}"}
    answer = httpx.post(stackadapt.url, json=body, headers=headers)
    keys = {"aws_access_key_id": "a", "aws_secret_access_key": "b", "region_name": "us-east-1"}
    bucket = boto3.client("s3", **keys)
    bucket.create_bucket(Bucket="profiles")
    bucket.put_object(Bucket="profiles", Key="size", Body=answer.content)
    assert bucket.get_object(Bucket="profiles", Key="size")["Body"].read() == answer.content
    stackadapt.expect_profile(email="ada@example.com")
