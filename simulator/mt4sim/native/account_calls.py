"""Accounts by request."""

from __future__ import annotations

from typing import Any

from mt4abi import number, structure
from mt4sim.desk.managers import DETAILS
from mt4sim.native.calls import Calls, listing, request
from mt4sim.native.connection import NO_CONNECT, OK
from mt4sim.native.native_values import integer_at, integers_at, put, struct_at
from mt_remote.errors import InvalidData, ReturnCode, ServerError
from mt_remote.records import Draft, Patch, UserRecord


class AccountCalls(Calls):
    """``User*`` by request."""

    @listing()
    def users_request(self, total: int) -> int | None:
        return self.records(self.manager.users, total)

    @listing()
    def user_records_request(self, logins: int, total: int) -> int | None:
        asked = integers_at(logins, integer_at(total))
        return self.records(lambda: self.manager.users_by(dict.fromkeys(asked)), total)

    def _account(self, address: int) -> UserRecord:
        """An account with its passwords, which reading leaves out."""
        native = struct_at("UserRecord", address)
        record = self.shared.marshal.codec(UserRecord).decode(native)
        for name, value in self.shared.marshal.codec(UserRecord).secrets(native).items():
            setattr(record, name, value)
        return record

    @request
    def user_record_new(self, user: int) -> int:
        login = self.manager.add_user(Draft.of(self._account(user)))
        (added,) = self.manager.users_by([login])
        put(user, self.encoded(added))
        return OK

    @request
    def user_record_update(self, user: int) -> int:
        patch = Patch.of(self._account(user))
        if not self.manager.rights.user_details:
            _keep_unseen(patch)
        self.manager.set_user(patch)
        return OK

    @request
    def users_group_op(self, command: int, logins: int) -> int:
        info: Any = structure("GroupCommandInfo").from_buffer_copy(struct_at("GroupCommandInfo", command))
        chosen = integers_at(logins, info.len)
        if info.command == number("GROUP_DELETE"):
            self.manager.delete_users(chosen)
            return OK
        changes = self._group_command(info)
        if any(not self.manager.users_by([login]) for login in chosen):
            raise ServerError(ReturnCode.INVALID_DATA)
        for login in chosen:
            self.manager.set_user(Patch(UserRecord, {"login": login, **changes}))
        return OK

    def _group_command(self, info: Any) -> dict[str, object]:
        commands = {
            number("GROUP_ENABLE"): {"enable": True},
            number("GROUP_DISABLE"): {"enable": False},
            number("GROUP_LEVERAGE"): {"leverage": info.leverage},
            number("GROUP_SETGROUP"): {"group": self.decoded_text(info.newgroup)},
        }
        if info.command not in commands:
            raise InvalidData.of("command", f"there is no group command {info.command}")
        return dict(commands[info.command])

    def password_change(self, password: int, investor: int) -> int:
        """A manager's own password."""
        if self.connection.session is None:
            return NO_CONNECT
        login, secret = self.manager.login, self.text(password)
        accounts = self.server.accounts
        if accounts.find(login) is None:
            return int(ReturnCode.BAD_ACCOUNT_INFO)
        return self.shared.attempt(lambda: accounts.set_password(login, secret, investor=bool(investor)))

    @request
    def user_password_check(self, login: int, password: int) -> int:
        self.manager.check_password(login, self.text(password))
        return OK

    @request
    def user_password_set(self, login: int, password: int, investor: int, clean_key: int) -> int:
        self.manager.set_password(login, self.text(password), investor=bool(investor))
        return OK


def _keep_unseen(patch: Patch[UserRecord]) -> None:
    """A manager without ``user_details`` read blanks; writing them back changes nothing. Assumed."""
    for name in DETAILS:
        if not patch.get(name):
            patch.changes.pop(name, None)
