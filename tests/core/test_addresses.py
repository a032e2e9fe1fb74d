"""Whose connection it is: headers of proxies, networks that are trusted, and what is counted as one address."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mt_remote.addresses import BadForwarding, TrustedProxies, counted_as, is_loopback

PROXY = "10.0.0.1:5000"
TRUSTED = TrustedProxies(["10.0.0.0/8", "2001:db8:1::/48"])


@pytest.mark.parametrize(
    ("host", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("?", "?"),
    ],
)
def test_an_address_is_counted_as(host: str, counted: str) -> None:
    assert counted_as(host) == counted


def test_loopback_is_told() -> None:
    assert all(map(is_loopback, ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1")))
    assert not any(map(is_loopback, ("192.0.2.1", "::", "?", "", "localhost")))


@pytest.mark.parametrize(
    ("value", "client"),
    [
        ("192.0.2.7", "192.0.2.7:0"),
        ("192.0.2.7:81", "192.0.2.7:81"),
        ("2001:db8::7", "2001:db8::7:0"),
        ("[2001:db8::7]:81", "2001:db8::7:81"),
        ("192.0.2.66, 192.0.2.7", "192.0.2.7:0"),
        ("192.0.2.66, 192.0.2.7, 10.1.1.1,10.2.2.2", "192.0.2.7:0"),
        ("192.0.2.7, 2001:db8:1::5", "192.0.2.7:0"),
        ("10.9.9.9, 10.8.8.8", "10.9.9.9:0"),
        ("192.0.2.7, unknown", PROXY),
        ("192.0.2.7, unknown, 10.3.3.3", "10.3.3.3:0"),
        ("", PROXY),
        ("192.0.2.7:99999", PROXY),
        ("fe80::1%eth0", PROXY),
    ],
)
def test_x_forwarded_for_counts_from_its_right_end(value: str, client: str) -> None:
    assert TRUSTED.client(PROXY, {"x-forwarded-for": value}) == client


@pytest.mark.parametrize(
    ("value", "client"),
    [
        ("for=192.0.2.7", "192.0.2.7:0"),
        ("For=192.0.2.7;proto=https;by=10.0.0.1", "192.0.2.7:0"),
        ('for="192.0.2.7:81"', "192.0.2.7:81"),
        ('for="[2001:db8::7]"', "2001:db8::7:0"),
        ('for="[2001:db8::7]:81"', "2001:db8::7:81"),
        ("for=192.0.2.66, for=192.0.2.7;host=x", "192.0.2.7:0"),
        ("for=192.0.2.66,for=192.0.2.7,  for=10.2.2.2", "192.0.2.7:0"),
        ("for=unknown", PROXY),
        ("for=_hidden, for=10.2.2.2", "10.2.2.2:0"),
        ("for=192.0.2.66, proto=http", PROXY),
        (", for=192.0.2.7 ,", "192.0.2.7:0"),
        (r'for="192.0.2.\7"', "192.0.2.7:0"),
    ],
)
def test_forwarded_counts_from_its_right_end(value: str, client: str) -> None:
    assert TRUSTED.client(PROXY, {"forwarded": value}) == client


@pytest.mark.parametrize("value", ['for="192.0.2.1', 'for=", for=192.0.2.7', "for=a;for=b", "for==1", "for 1", "for=@"])
def test_a_malformed_forwarded_is_refused(value: str) -> None:
    """A client that wrote the front of it must not hide what the proxy wrote behind."""
    with pytest.raises(BadForwarding):
        TRUSTED.client(PROXY, {"forwarded": value})


def test_headers_of_strangers_count_for_nothing() -> None:
    headers = {"x-forwarded-for": "192.0.2.7", "forwarded": "for=["}
    assert TRUSTED.client("192.0.2.1:9", headers) == "192.0.2.1:9"
    assert TrustedProxies([]).client(PROXY, headers) == PROXY


def test_two_headers_have_to_agree() -> None:
    agreeing = {"x-forwarded-for": "192.0.2.7", "forwarded": 'for="192.0.2.7:81"'}
    assert TRUSTED.client(PROXY, agreeing) == "192.0.2.7:81"
    with pytest.raises(BadForwarding, match="different clients"):
        TRUSTED.client(PROXY, {**agreeing, "forwarded": "for=127.0.0.1"})


def test_the_setting_says_which_header_counts() -> None:
    headers = {"x-forwarded-for": "192.0.2.7", "forwarded": "for=192.0.2.8"}
    assert TrustedProxies(["10.0.0.0/8"], "x-forwarded-for").client(PROXY, headers) == "192.0.2.7:0"
    assert TrustedProxies(["10.0.0.0/8"], "forwarded").client(PROXY, headers) == "192.0.2.8:0"
    assert TrustedProxies(["10.0.0.0/8"], "none").client(PROXY, headers) == PROXY


@given(st.lists(st.ip_addresses().map(str), max_size=5), st.text(max_size=40))
def test_what_a_client_writes_never_becomes_his_address(forged: list[str], front: str) -> None:
    """Behind a proxy that adds the address it saw, the right one counts whatever stands before."""
    value = ",".join([front, *forged, "192.0.2.7"])
    assert TRUSTED.client(PROXY, {"x-forwarded-for": value}) == "192.0.2.7:0"
