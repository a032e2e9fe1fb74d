"""Single values of the marshalling: the ones that are easily wrong."""

from __future__ import annotations

import struct

import pytest

from mt4abi import structure, table
from mt4abi.marshal import Marshal, units
from mt4abi.marshal.locales import langid_of, tag_of
from mt_remote.errors import ConfigurationError, InvalidData, ServerError
from mt_remote.records import (
    ConCommon,
    ConGroup,
    ConGroupMargin,
    ConGroupSecurity,
    ConManager,
    Patch,
    TradeDenial,
    TradeRecord,
    UserRecord,
)  # fmt: skip

MARSHAL = Marshal("cp1252", ("Forex", "CFD"))


def _member(kind: str, name: str, raw: bytes) -> bytes:
    member = table().layouts[kind].members[name]
    return raw[member.offset : member.offset + member.size]


def test_the_dealing_clock_of_the_vectors() -> None:
    assert units.unix_of_dealing_time(941469836) == 1579524279
    assert units.dealing_time_of_unix(1579510449) == 941461592
    assert units.unix_of_dealing_time(941461592) == 1579510448
    assert units.dealing_time_of_unix(1700000000) == 1013278961
    assert units.unix_of_dealing_time(1013278961) == 1699999999


def test_every_field_has_its_members_size() -> None:
    from mt_remote.records import RECORDS

    for kind in RECORDS:
        members = table().layouts[kind.native].members
        assert {w.name: w.size for w in kind.wires.values() if w.member} == {
            w.name: members[w.member].size for w in kind.wires.values() if w.member
        }


def test_an_address_has_its_first_octet_in_the_low_byte() -> None:
    raw = MARSHAL.codec(ConCommon).encode(ConCommon(address="192.168.1.2", bind_adresses=["10.0.0.1"]))
    assert struct.unpack("<I", _member("ConCommon", "address", raw)) == (0x0201A8C0,)
    assert _member("ConCommon", "bind_adresses", raw)[:8] == bytes([10, 0, 0, 1, 0, 0, 0, 0])


def test_the_last_ip_is_signed_in_the_struct_and_an_address_all_the_same() -> None:
    native = structure("UserRecord")()
    native.last_ip = -1
    assert MARSHAL.codec(UserRecord).decode(bytes(native)).last_ip == "255.255.255.255"


def test_lots_are_hundredths_and_nothing_finer() -> None:
    codec = MARSHAL.codec(TradeRecord)
    assert struct.unpack("<i", _member("TradeRecord", "volume", codec.encode(TradeRecord(volume=0.29)))) == (29,)
    with pytest.raises(InvalidData, match=r"volume: must be a multiple of 0\.01 lot"):
        codec.encode(TradeRecord(volume=0.015))


def test_text_that_does_not_fit_is_refused_with_its_field_and_limit() -> None:
    codec = MARSHAL.codec(TradeRecord)
    assert codec.decode(codec.encode(TradeRecord(comment="€" * 31))).comment == "€" * 31
    with pytest.raises(InvalidData, match="comment: at most 31 bytes in the server's code page, got 32"):
        codec.encode(TradeRecord(comment="x" * 32))
    with pytest.raises(InvalidData, match="comment: character 'я' does not exist in the server's code page cp1252"):
        codec.encode(TradeRecord(comment="aя"))
    with pytest.raises(InvalidData, match="symbol: must not contain a zero character"):
        codec.encode(TradeRecord(symbol="EUR\0USD"))


def test_bytes_that_the_code_page_leaves_undefined_are_read_and_kept() -> None:
    codec = MARSHAL.codec(UserRecord)
    native = structure("UserRecord")()
    native.name = b"a\x81b"
    read = codec.decode(bytes(native))
    assert read.name == "a\x81b"
    assert codec.encode(read) == bytes(native)


def test_an_unknown_code_page_is_a_configuration_error() -> None:
    with pytest.raises(ConfigurationError, match="no code page 'cp99999'"):
        Marshal("cp99999")


def test_a_number_without_a_meaning_says_where_it_stood() -> None:
    native = structure("TradeRecord")()
    native.cmd = 77
    with pytest.raises(ServerError, match=r"TradeRecord\.cmd holds 77"):
        MARSHAL.codec(TradeRecord).decode(bytes(native))


def test_locales_have_windows_numbers_and_unknown_ones_survive() -> None:
    assert langid_of("ru-RU") == 0x0419
    assert tag_of(0x0409) == "en-US"
    assert langid_of(tag_of(0x12345678)) == 0x12345678
    assert langid_of("xx-YY") is None
    assert (langid_of("en-EN"), langid_of("en-150")) == (0x1000, 0x1000)
    with pytest.raises(InvalidData, match=r"news_languages\.1: Windows has no language number for 'xx-YY'"):
        MARSHAL.codec(ConGroup).encode(ConGroup(group="g", news_languages=["ru-RU", "xx-YY"]))


@pytest.mark.parametrize("percent", [100.0, 50.0, 33.3, 12.5, 66.6667, 0.1, 3.0, 7.0])
def test_a_margin_percentage_survives(percent: float) -> None:
    assert units.percent_of_divider(units.divider_of_percent(percent)) == percent
    assert units.divider_of_percent(units.percent_of_divider(percent)) == percent


def test_no_percentage_of_its_own_is_the_largest_double() -> None:
    raw = MARSHAL.codec(ConGroupMargin).encode(ConGroupMargin(margin_pct=0.0))
    assert struct.unpack("<d", _member("ConGroupMargin", "margin_divider", raw)) == (units.DBL_MAX,)
    assert units.percent_of_divider(0.0) == units.percent_of_divider(-1.0) == 100.0


def test_denied_rights_are_null_when_none_is() -> None:
    codec = MARSHAL.codec(ConGroupSecurity)
    assert codec.decode(bytes(codec.size)).trade_rights is None
    denied = ConGroupSecurity(trade_rights=[TradeDenial.MULTIPLE_CLOSE_BY])
    assert struct.unpack("<i", _member("ConGroupSec", "trade_rights", codec.encode(denied))) == (2,)


def test_passwords_go_in_and_do_not_come_out() -> None:
    codec = MARSHAL.codec(UserRecord)
    raw = codec.encode(UserRecord(password="Secret1", password_investor="View1"))
    assert codec.decode(raw).password == ""
    assert codec.secrets(raw) == {"password": "Secret1", "password_investor": "View1"}
    assert codec.secrets(codec.cleared(raw)) == {"password": "", "password_investor": ""}


def test_a_patch_of_one_security_leaves_every_other_byte() -> None:
    codec = MARSHAL.codec(ConGroup)
    native = bytearray(b"\x01\x00" * (codec.size // 2))
    struct.pack_into("<i", native, table().layouts["ConGroup"].members["secmargins_total"].offset, 0)
    struct.pack_into("<i", native, table().layouts["ConGroup"].members["news_languages_total"].offset, 0)
    for name, value in {"otp_mode": 0, "margin_mode": 0, "margin_type": 0, "news": 0}.items():
        struct.pack_into("<i", native, table().layouts["ConGroup"].members[name].offset, value)
    native = bytearray(codec.updated(bytes(codec.size), codec.decode(bytes(codec.size)), _group_of_noise(codec)))
    reserved = table().layouts["ConGroup"].members["reserved"]
    native[reserved.offset : reserved.offset + reserved.size] = b"\xaa" * reserved.size
    old = codec.decode(bytes(native))
    new = Patch(ConGroup, {"group": old.group, "securities": {"CFD": {"trade": True}}}).applied_to(old)
    changed = codec.updated(bytes(native), old, new)
    differing = [at for at, (a, b) in enumerate(zip(native, changed, strict=True)) if a != b]
    at = table().layouts["ConGroup"].members["secgroups"].offset + 112 + 4
    assert differing == [at]


def _group_of_noise(codec: object) -> ConGroup:
    securities = {"Forex": ConGroupSecurity(show=True, lot_max=10.0), "CFD": ConGroupSecurity(spread_diff=3)}
    return ConGroup(group="demo", company="Company", securities=securities, symbols={"EURUSD": ConGroupMargin()})


def test_entries_keep_their_unknown_bytes_and_the_tail_is_cleared() -> None:
    codec = MARSHAL.codec(ConGroup)
    both = ConGroup(group="g", symbols={"A": ConGroupMargin(swap_long=1.0), "B": ConGroupMargin(swap_long=2.0)})
    native = bytearray(codec.encode(both))
    members = table().layouts["ConGroup"].members
    reserved = members["secmargins"].offset + 72 + table().layouts["ConGroupMargin"].members["reserved"].offset
    native[reserved] = 0x55
    old = codec.decode(bytes(native))
    assert list(old.symbols) == ["A", "B"]
    new = Patch(ConGroup, {"group": "g", "symbols": {"A": None, "C": {"swap_short": 3.0}}}).applied_to(old)
    changed = codec.updated(bytes(native), old, new)
    assert codec.decode(changed).symbols == new.symbols
    assert changed[members["secmargins"].offset + (reserved - members["secmargins"].offset - 72)] == 0x55
    assert list(codec.decode(changed).symbols) == ["B", "C"]


def test_an_array_is_never_longer_than_the_struct_whatever_its_count_says() -> None:
    native = structure("ConGroup")()
    native.secmargins_total = 2**31 - 1
    native.news_languages_total = 2**32 - 1
    read = MARSHAL.codec(ConGroup).decode(bytes(native))
    assert len(read.symbols) <= 128
    assert read.news_languages == []


def test_what_the_server_has_not_is_refused_with_its_path() -> None:
    codec = MARSHAL.codec(ConGroup)
    with pytest.raises(InvalidData, match=r"securities\.Nope: the server has no security of that name"):
        codec.encode(ConGroup(group="g", securities={"Nope": ConGroupSecurity()}))
    with pytest.raises(InvalidData, match=r"securities\.CFD\.lot_min: must be a multiple"):
        codec.encode(ConGroup(group="g", securities={"CFD": ConGroupSecurity(lot_min=0.001)}))
    many = {str(n): ConGroupMargin() for n in range(129)}
    with pytest.raises(InvalidData, match="symbols: at most 128 entries, got 129"):
        codec.encode(ConGroup(group="g", symbols=many))


def test_masks_are_one_text() -> None:
    raw = MARSHAL.codec(ConManager).encode(ConManager(login=1, groups=["mini*", "!demo"]))
    assert _member("ConManager", "groups", raw).rstrip(b"\0") == b"mini*,!demo"
    assert MARSHAL.codec(ConManager).decode(raw).groups == ["mini*", "!demo"]


def test_an_empty_array_is_an_empty_list() -> None:
    assert MARSHAL.codec(TradeRecord).decode_many(b"") == []
