"""Credentials that sign or are fetched: what providers get, checked by the vendors' own libraries."""

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from mock_provider import good, http

ACCESS, SECRET, SESSION = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "IQoJb3JpZ2luX2VjEXAMPLE"


def signature_of(r, secret=SECRET, session=None, service="bedrock", region="us-east-1"):
    """What botocore would have signed the request that arrived with, at the time it names."""
    auth = dict(part.strip().split("=", 1) for part in r.headers["authorization"].split(" ", 1)[1].split(","))
    access, date, in_region, in_service, _ = auth["Credential"].split("/")
    assert (in_region, in_service) == (region, service)
    headers = {n: r.headers[n] for n in auth["SignedHeaders"].split(";") if n != "x-amz-security-token"}
    request = AWSRequest(method=r.method, url=f"http://{r.headers['host']}{r.path}", data=r.body, headers=headers)
    signer = SigV4Auth(Credentials(access, secret, session), service, region)
    request.context["timestamp"] = r.headers["x-amz-date"]
    if session:
        request.headers["X-Amz-Security-Token"] = session
    canonical = signer.canonical_request(request)
    return auth, access, signer.signature(signer.string_to_sign(request, canonical), request)


def is_signed(r, access=ACCESS, **more):
    auth, who, wanted = signature_of(r, **more)
    assert who == access and auth["Signature"] == wanted
    assert {"host", "x-amz-date", "content-type"} <= set(auth["SignedHeaders"].split(";"))
    return True


def aws(p, **more):
    return {"providers": {"cloud": {"dialect": "openai", "base_url": p.url, "allow_private_address": True, "region": "us-east-1",
                                    "credential": "aws", **more}},
            "models": {"m": {"targets": ["cloud/mock"]}}}


# --- signatures ---

def test_a_request_is_signed_as_botocore_signs_it(gateway, provider):
    p = provider()
    g = gateway(aws(p, access_key_id=ACCESS, secret_access_key=SECRET))
    assert g.chat(text="grüße \u2028 & more").status == 200
    assert g.chat(stream=True).status == 200
    assert all(is_signed(r) for r in p.requests) and len(p.requests) == 2
    assert SECRET not in g.logs() and SECRET not in g.metrics()


def test_keys_of_the_environment_and_a_session(gateway, provider):
    p = provider()
    g = gateway(aws(p), env={"AWS_ACCESS_KEY_ID": ACCESS, "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_SESSION_TOKEN": SESSION})
    assert g.chat().status == 200
    assert is_signed(p.requests[0], session=SESSION) and p.requests[0].headers["x-amz-security-token"] == SESSION
    assert SECRET not in g.logs() and SESSION not in g.logs()


def test_another_service_and_region(gateway, provider):
    p = provider()
    g = gateway(aws(p, access_key_id=ACCESS, secret_access_key=SECRET, aws_service="sagemaker", region="eu-west-3"))
    assert g.chat().status == 200 and is_signed(p.requests[0], service="sagemaker", region="eu-west-3")


def test_a_wrong_clock_is_noticed_and_the_request_goes_again(gateway, provider):
    def script(r):
        if r.headers["x-amz-date"] < "2030":
            return [http(403, {"message": "Signature expired"}, headers=[("date", "Tue, 01 Jan 2030 10:00:00 GMT")])]
        return good(r)

    p = provider(script)
    g = gateway(aws(p, access_key_id=ACCESS, secret_access_key=SECRET))
    assert g.chat().status == 200
    first, second = p.requests
    assert second.headers["x-amz-date"].startswith("20300101T10") and is_signed(first) and is_signed(second)
    assert g.chat().status == 200 and len(p.requests) == 3
    g.wait_log("our clock differs")


def test_refused_keys_are_told_and_left_alone(gateway, provider):
    p = provider(lambda r: [http(403, {"message": "The security token included in the request is invalid."})])
    g = gateway(aws(p, access_key_id=ACCESS, secret_access_key=SECRET))
    r = g.chat()
    assert r.status == 502 and r.error["code"] == "provider_auth" and SECRET not in r.body.decode()
    assert g.chat().status in (502, 503) and len(p.requests) == 1
    g.wait_log("refused our credential")


def test_without_keys_or_region_it_is_said_what_to_set(gateway, provider):
    p = provider()
    g = gateway({**aws(p), "models": {}}, env={"AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nowhere"})
    g.wait_log(r"cloud.* has no credential and is not used; set ")
