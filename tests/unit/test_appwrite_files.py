"""The stand-in Appwrite's buckets, files and push messages."""

from __future__ import annotations

import pytest

from appwrite_platform import Platform, Reply

BOUNDARY = "end-of-part"
FILES = "/storage/buckets/silks/files"
SILK = bytes(range(256))


def part(name: str, value: bytes, file_name: str = "") -> bytes:
    file = f'; filename="{file_name}"\r\nContent-Type: image/png' if file_name else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n'
    return head.encode() + value + b"\r\n"


def upload(platform: Platform, file_id: str, content: bytes = SILK, name: str = "a.png", **headers: str) -> Reply:
    body = (
        part("fileId", file_id.encode())
        + part("permissions[]", b'read("any")')
        + part("file", content, name)
        + f"--{BOUNDARY}--\r\n".encode()
    )
    return platform.call("POST", FILES, body, content_type=f"multipart/form-data; boundary={BOUNDARY}", **headers)


def stocked(**bucket: object) -> Platform:
    platform = Platform()
    made = platform.call("POST", "/storage/buckets", {"bucketId": "silks", "name": "Silks", **bucket})
    assert made.status == 201, made.body
    return platform


def test_a_file_comes_back_as_it_went_in() -> None:
    platform = stocked()
    made = upload(platform, "s1")
    assert (made.status, made.body["sizeOriginal"], made.body["mimeType"]) == (201, 256, "image/png")
    assert made.body["$permissions"] == ['read("any")']
    for call in ("view", "download"):
        seen = platform.call("GET", f"{FILES}/s1/{call}")
        assert (seen.content, seen.headers["content-type"]) == (SILK, "image/png")
    assert platform.call("GET", f"{FILES}/s1").body == made.body
    assert platform.list(path=FILES) == {"total": 1, "files": [made.body]}


def test_the_same_id_again_is_refused() -> None:
    platform = stocked()
    upload(platform, "s1")
    again = upload(platform, "s1", b"other")
    assert (again.status, again.kind) == (409, "storage_file_already_exists")
    assert platform.call("GET", f"{FILES}/s1/view").content == SILK
    assert platform.call("DELETE", f"{FILES}/s1").status == 204
    assert upload(platform, "s1", b"other").status == 201


def test_the_limits_of_a_bucket() -> None:
    platform = stocked(maximumFileSize=100, allowedFileExtensions=["png"])
    assert upload(platform, "s1", name="a.svg").kind == "storage_file_type_unsupported"
    assert upload(platform, "s1").kind == "storage_invalid_file_size"
    assert upload(platform, "s1", b"").kind == "storage_file_empty"
    assert upload(platform, "a/b").kind == "general_argument_invalid"
    assert platform.call("PUT", "/storage/buckets/silks", {"name": "Silks", "maximumFileSize": 256}).status == 200
    assert upload(platform, "s1").status == 201


def test_a_large_file_comes_in_chunks() -> None:
    platform = stocked()
    chunk, content = 5 * 1024 * 1024, SILK * 4 * 1024 * 6
    size = len(content)
    first = upload(platform, "s1", content[:chunk], content_range=f"bytes 0-{chunk - 1}/{size}")
    assert (first.body["chunksTotal"], first.body["chunksUploaded"]) == (2, 1)
    assert platform.call("GET", f"{FILES}/s1").kind == "storage_file_not_found"
    rest = upload(platform, "s1", content[chunk:], content_range=f"bytes {chunk}-{size - 1}/{size}")
    assert rest.body["chunksUploaded"] == 2
    assert platform.call("GET", f"{FILES}/s1/view").content == content


def test_one_request_carries_at_most_five_mebibytes_of_a_file_in_chunks() -> None:
    size = 5 * 1024 * 1024 + 1
    reply = upload(stocked(), "s1", b"x" * size, content_range=f"bytes 0-{size - 1}/{size}")
    assert (reply.status, reply.kind) == (400, "storage_invalid_content_range")


@pytest.mark.parametrize(
    ("bucket", "status"),
    [({}, 404), ({"permissions": ['read("any")']}, 200), ({"fileSecurity": True}, 200)],
)
def test_what_somebody_without_a_key_sees(bucket: dict[str, object], status: int) -> None:
    platform = stocked(**bucket)
    upload(platform, "s1")
    link = {"query": [("project", "raceday")], "x_appwrite_key": "", "x_appwrite_project": ""}
    assert platform.call("GET", f"{FILES}/s1/view", **link).status == status


def test_buckets_are_found_listed_and_changed() -> None:
    platform = stocked()
    assert platform.call("POST", "/storage/buckets", {"bucketId": "silks", "name": "x"}).kind == (
        "storage_bucket_already_exists"
    )
    upload(platform, "s1")
    assert platform.call("GET", "/storage/buckets/silks").body["totalSize"] == 256
    assert [one["$id"] for one in platform.list(path="/storage/buckets")["buckets"]] == ["silks"]
    assert platform.call("GET", "/storage/buckets/nope").kind == "storage_bucket_not_found"


PUSH = {
    "messageId": "m1",
    "title": "Odds moved",
    "body": "Phar Lap 4.5 to 3.8",
    "users": ["u1"],
    "data": {"raceId": "r1"},
}


def test_a_push_message_goes_out_once() -> None:
    platform, path = Platform(), "/messaging/messages/push"
    made = platform.call("POST", path, PUSH)
    assert (made.status, made.body["providerType"], made.body["status"]) == (201, "push", "processing")
    assert made.body["data"]["data"] == {"raceId": "r1"}
    again = platform.call("POST", path, PUSH)
    assert (again.status, again.kind) == (409, "message_already_exists")
    assert platform.call("GET", "/messaging/messages/m1").body == made.body
    assert platform.call("GET", "/messaging/messages/m2").kind == "message_not_found"


@pytest.mark.parametrize(
    "asked", [{"title": "x" * 257}, {"body": "x" * 64_231}, {"users": []}, {"data": "x"}, {"messageId": "a/b"}]
)
def test_messages_that_are_refused(asked: dict[str, object]) -> None:
    reply = Platform().call("POST", "/messaging/messages/push", PUSH | asked)
    assert (reply.status, reply.kind) == (400, "general_argument_invalid")
