"""Configuration, accounts and symbols by request."""

from __future__ import annotations

from typing import Any, TypeVar

from mt4abi import number, structure
from mt4sim.managers import DETAILS
from mt4sim.native.handle_base import OK, HandleBase, listing, request
from mt4sim.native.native_values import integer_at, integers_at, put, struct_at
from mt4sim.native.symbols_native import con_symbol, security_groups
from mt_remote.errors import InvalidData, ReturnCode, ServerError
from mt_remote.records import ConCommon, ConGroup, ConManager, Draft, Patch, Record, UserRecord

R = TypeVar("R", bound=Record)


class ConfigurationPart(HandleBase):
    """``Cfg*`` and what reads it."""

    def read(self, kind: type[R], address: int) -> R:
        """A record that the caller passed."""
        return self.host.marshal.codec(kind).decode(struct_at(kind.native, address))

    @request
    def cfg_request_common(self, common: int) -> int:
        put(common, self.encoded(self.manager.common()))
        return OK

    @request
    def cfg_update_common(self, common: int) -> int:
        self.manager.set_common(Patch.of(self.read(ConCommon, common)))
        return OK

    def manager_common(self, common: int) -> int:
        with self.host.lock:
            put(common, self.encoded(self.host.server.config.common()))
        return OK

    @listing()
    def groups_request(self, total: int) -> int | None:
        return self.records(self.manager.groups, total)

    @listing()
    def cfg_request_group(self, total: int) -> int | None:
        return self.records(self._configured_groups, total)

    def _configured_groups(self) -> list[ConGroup]:
        """An administrator sees all: what he deletes is named by its place."""
        self.manager.need("admin")
        return self.host.server.config.groups()

    @request
    def cfg_update_group(self, group: int) -> int:
        record = self.read(ConGroup, group)
        known = self.host.server.groups.get(record.group)
        if known is None:
            self.manager.add_group(Draft.of(record))
            return OK
        patch = Patch.of(record)
        entries: dict[str, Any] = patch.changes["symbols"]  # type: ignore[assignment]
        patch.changes["symbols"] = entries | {name: None for name in known.symbols if name not in entries}
        self.manager.set_group(patch)
        return OK

    @request
    def cfg_delete_group(self, position: int) -> int:
        self.manager.delete_group(_at(list(self.host.server.groups), position))
        return OK

    @listing()
    def cfg_request_manager(self, total: int) -> int | None:
        return self.records(self.manager.managers, total)

    @request
    def cfg_update_manager(self, manager: int) -> int:
        self.manager.set_manager(Patch.of(self.read(ConManager, manager)))
        return OK

    @request
    def cfg_delete_manager(self, position: int) -> int:
        self.manager.delete_manager(_at(sorted(self.host.server.managers), position))
        return OK

    @request
    def cfg_request_symbol_group(self, groups: int) -> int:
        self.manager.need("admin")
        return self._put_securities(groups)

    @listing()
    def cfg_request_symbol(self, total: int) -> int | None:
        return self._symbols(total) if self.manager.rights.admin else self.array([], total)

    # What every logged-in manager reads, pumping or not

    def manager_rights(self, rights: int) -> int:
        if self.session is None:
            return int(ReturnCode.NO_CONNECT)
        return self.host.attempt(lambda: put(rights, self.encoded(self.manager.rights)))

    def symbols_refresh(self) -> int:
        return OK if self.session is not None else int(ReturnCode.NO_CONNECT)

    def symbols_groups_get(self, groups: int) -> int:
        return self._put_securities(groups) if self.session is not None else int(ReturnCode.NO_CONNECT)

    def _put_securities(self, groups: int) -> int:
        put(groups, security_groups(self.host.server.securities, self.host.marshal.page))
        return OK

    def symbols_get_all(self, total: int) -> int | None:
        return self._symbols(total) if self.session is not None else self.array([], total)

    def _symbols(self, total: int) -> int | None:
        server = self.host.server
        with self.host.lock:
            rows = [self.con_symbol(name) for name in server.symbols]
        return self.array(rows, total)

    def con_symbol(self, name: str) -> bytes:
        """A symbol's native configuration."""
        server = self.host.server
        place = list(server.symbols).index(name)
        return con_symbol(server.symbols[name], place, server.securities, self.host.marshal.page)

    def symbol_get(self, symbol: int, native: int) -> int:
        if self.session is None:
            return int(ReturnCode.NO_CONNECT)
        name = self.text(symbol)
        if name not in self.host.server.symbols:
            return int(ReturnCode.ERROR)
        return self.host.attempt(lambda: put(native, self.con_symbol(name)))

    def server_time(self) -> int:
        return self.host.server.now if self.session is not None else 0


class AccountsPart(ConfigurationPart):
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
        record = self.host.marshal.codec(UserRecord).decode(native)
        for name, value in self.host.marshal.codec(UserRecord).secrets(native).items():
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
            number("GROUP_SETGROUP"): {"group": self.host.marshal.page.decode(info.newgroup)},
        }
        if info.command not in commands:
            raise InvalidData.of("command", f"there is no group command {info.command}")
        return dict(commands[info.command])

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


_T = TypeVar("_T")


def _at(items: list[_T], position: int) -> _T:
    """An entry by its place; 3 for a place that is none."""
    if not 0 <= position < len(items):
        raise InvalidData.of("pos", f"there is no entry {position}")
    return items[position]
