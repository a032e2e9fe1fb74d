"""The account record (protocol, chapter 5)."""

from __future__ import annotations

from mt_remote.records.declare import Record, flag, integer, ipv4, number, raw, record, text, time32, unsigned


@record(native="UserRecord")
class UserRecord(Record):
    """An account. Passwords go in and never come out."""

    login: int = integer("login", key=True, low=0, doc="0 in user.add: the server chooses")
    group: str = text("group", 16, required=True)
    enable: bool = flag("enable")
    enable_change_password: bool = flag("enable_change_password")
    read_only: bool = flag("enable_read_only", doc="may log in, not trade")
    enable_otp: bool = flag("enable_otp")
    password_phone: str = text("password_phone", 32, secret=True)
    name: str = text("name", 128, required=True)
    country: str = text("country", 32)
    city: str = text("city", 32)
    state: str = text("state", 32)
    zipcode: str = text("zipcode", 16)
    address: str = text("address", 96)
    lead_source: str = text("lead_source", 32)
    phone: str = text("phone", 32)
    email: str = text("email", 48)
    comment: str = text("comment", 64)
    id: str = text("id", 32)
    status: str = text("status", 16)
    leverage: int = integer("leverage", low=0)
    agent_account: int = integer("agent_account", low=0)
    taxes: float = number("taxes", doc="percent")
    send_reports: bool = flag("send_reports")
    mqid: int = unsigned("mqid")
    user_color: int = unsigned("user_color")
    api_data: str = raw("api_data", 16)
    password: str = text("password", 16, required=True, write_only=True)
    password_investor: str = text("password_investor", 16, write_only=True)
    last_date: int = time32("lastdate", read_only=True)
    reg_date: int = time32("regdate", read_only=True)
    timestamp: int = time32("timestamp", read_only=True)
    last_ip: str = ipv4("last_ip", read_only=True)
    prev_month_balance: float = number("prevmonthbalance", read_only=True)
    prev_day_balance: float = number("prevbalance", read_only=True)
    prev_month_equity: float = number("prevmonthequity", read_only=True)
    prev_day_equity: float = number("prevequity", read_only=True)
    interestrate: float = number("interestrate", read_only=True, doc="interest gathered this month")
    balance: float = number("balance", read_only=True)
    credit: float = number("credit", read_only=True)
