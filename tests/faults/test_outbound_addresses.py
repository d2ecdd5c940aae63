"""Where outgoing requests may go: which URLs, which addresses."""

from __future__ import annotations

import asyncio
import socket
import threading
from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raceday.errors import OutboundRefused
from raceday.outbound.addresses import check_addresses, is_public, resolved
from raceday.outbound.target import Target, host_matches, target_of

PUBLIC = [
    "8.8.8.8",
    "1.1.1.1",
    "203.0.112.7",
    "2606:4700::1111",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::1",
]
NOT_PUBLIC = {
    "private": ["10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd12:3456::1"],
    "loopback": ["127.0.0.1", "127.255.255.254", "::1"],
    "link-local": ["169.254.169.254", "fe80::1", "fe80::1%eth0"],
    "multicast": ["224.0.0.1", "239.255.255.250", "ff02::1", "ff0e::1"],
    "reserved": ["240.0.0.1", "255.255.255.255", "fec0::1", "5f00::1", "4000::1"],
    "unspecified": ["0.0.0.0", "0.1.2.3", "::"],
    "shared": ["100.64.0.1", "100.127.255.255"],
    "special": [
        "192.0.0.1",
        "192.0.2.1",
        "198.18.0.1",
        "203.0.113.5",
        "192.88.99.1",
        "2001:db8::1",
        "2001::1",
        "3fff::1",
    ],
    "carried": [
        "::ffff:127.0.0.1",
        "::ffff:10.1.1.1",
        "2002:7f00:1::",
        "2002:a00:1::",
        "64:ff9b::7f00:1",
        "64:ff9b::a00:1",
        "::7f00:1",
    ],
    "none": ["", "localhost", "1.2.3", "0x7f000001", "8.8.8.8/32"],
}


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_may_be_spoken_to(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", [address for addresses in NOT_PUBLIC.values() for address in addresses])
def test_all_others_may_not(address: str) -> None:
    assert not is_public(address)


@given(st.ip_addresses())
def test_an_address_that_is_not_global_is_never_public(address: object) -> None:
    if not address.is_global:
        carried = getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None)
        assert not is_public(str(address)) or (carried is not None and carried.is_global)


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_however_it_is_carried(address: object) -> None:
    number = int(address)
    forms = (
        f"::ffff:{address}",
        str(ip_address((0x2002 << 112) | (number << 80))),
        str(ip_address((0x64FF9B << 96) | number)),
    )
    assert [is_public(form) for form in forms] == [is_public(str(address))] * 3


def test_one_address_that_is_not_public_is_enough_to_refuse() -> None:
    check_addresses("feed.example", ["8.8.8.8", "1.1.1.1"])
    with pytest.raises(OutboundRefused, match=r"feed\.example does not lead to public addresses alone") as refused:
        check_addresses("feed.example", ["8.8.8.8", "10.0.0.1"])
    assert "10.0.0.1" not in str(refused.value)
    assert refused.value.detail == "feed.example leads to 10.0.0.1"


@pytest.mark.parametrize("host", ["a..b", "a" * 64, f"{'a' * 70}.example"])
def test_what_is_no_name_of_a_host_is_refused_also_by_the_lookup(host: str) -> None:
    with pytest.raises(OutboundRefused, match="no domain name"):
        asyncio.run(resolved(host, 443))


def test_names_that_are_slow_to_look_up_do_not_hold_up_others(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = threading.Event()

    def look_up(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        if host.startswith("slow"):
            answered.wait(10)
        return [(0, 0, 0, "", ("93.184.216.34", port))]

    async def story() -> None:
        slow = [asyncio.create_task(resolved(f"slow{number}.example", 443)) for number in range(30)]
        await asyncio.sleep(0)
        async with asyncio.timeout(5):
            assert await resolved("quick.example", 443) == ["93.184.216.34"]
            # What else the process looks up does not wait in the same queue.
            await asyncio.get_running_loop().run_in_executor(None, int)
        answered.set()
        assert await asyncio.gather(*slow) == [["93.184.216.34"]] * 30

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    asyncio.run(story())


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("https://Silks.Example.org/a.png", "silks.example.org", 443, "/a.png"),
        ("https://silks.example.org", "silks.example.org", 443, "/"),
        ("https://silks.example.org.:8443/a%20b?x=1&y=ü#frag", "silks.example.org", 8443, "/a%20b?x=1&y=%C3%BC"),
        ("https://büro.example/ä", "xn--bro-hoa.example", 443, "/%C3%A4"),
        ("https://93.184.216.34/", "93.184.216.34", 443, "/"),
    ],
)
def test_urls_that_are_taken(url: str, host: str, port: int, path: str) -> None:
    assert target_of(url) == Target("https", host, port, path)


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("http://silks.example.org/", "not https"),
        ("ftp://silks.example.org/", "not https"),
        ("file:///etc/passwd", "not https"),
        ("//silks.example.org/", "not https"),
        ("", "not https"),
        ("https://user@silks.example.org/", "user name"),
        ("https://user:secret@silks.example.org/", "user name"),
        ("https://silks.example.org@10.0.0.1/", "user name"),
        ("https://silks.example.org:22/", "port 22"),
        ("https://silks.example.org:80/", "port 80"),
        ("https://silks.example.org:0/", "port 0"),
        ("https://silks.example.org:99999/", "cannot be read"),
        ("https://silks.example.org:x/", "cannot be read"),
        ("https://[::1]/", "no domain name"),
        ("https://[::1/", "cannot be read"),
        ("https:///path", "no host"),
        ("https://-bad-/", "no domain name"),
        ("https://a..b/", "no domain name"),
        ("https://a.-b.example/", "no domain name"),
        (f"https://{'a' * 64}.example/", "no domain name"),
        (f"https://{'a.' * 130}example/", "no domain name"),
        ("https://a..b\u2028.example/", "control characters"),
        ("https://silks.example.org\\@evil.example/", "backslashes"),
        ("https://silks.example.org/ a", "spaces"),
        ("https://silks.example.org/\r\nHost: evil", "spaces"),
        ("https://\u2488example.org/", "no domain name"),
    ],
)
def test_urls_that_are_refused_say_which_rule(url: str, rule: str) -> None:
    with pytest.raises(OutboundRefused, match=rule) as refused:
        target_of(url)
    assert "secret" not in str(refused.value)


def test_a_network_of_ones_own_may_use_plain_http() -> None:
    assert target_of("http://hooks.local/x", allow_private=True) == Target("http", "hooks.local", 80, "/x")
    with pytest.raises(OutboundRefused, match="not https"):
        target_of("ftp://hooks.local/x", allow_private=True)
    with pytest.raises(OutboundRefused, match="port 25"):
        target_of("http://hooks.local:25/x", allow_private=True)


@given(st.text(max_size=60) | st.text(max_size=40).map("https://".__add__))
def test_any_text_is_a_target_or_refused(url: str) -> None:
    try:
        target = target_of(url)
    except OutboundRefused:
        return
    assert target.host.isascii()
    assert target.path.isascii()
    assert target.path.startswith("/")
    assert " " not in target.path


@pytest.mark.parametrize(
    ("host", "allowed"),
    [
        ("silks.example.org", True),
        ("a.cdn.example.org", True),
        ("a.b.cdn.example.org", True),
        ("cdn.example.org", False),
        ("xcdn.example.org", False),
        ("silks.example.org.evil.example", False),
        ("evil-silks.example.org", False),
        ("", False),
    ],
)
def test_a_list_of_hosts_with_and_without_a_star(host: str, allowed: bool) -> None:
    assert host_matches(host, frozenset({"silks.example.org", "*.cdn.example.org"})) is allowed
