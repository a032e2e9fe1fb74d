"""The laws: what a gateway and the MT4 server behind it must do, each with a number, one sentence and its source.

A law's name never changes and is never used again for another one. Sources: ``P3`` is chapter 3 of the protocol
(``docs/protocol.md``), ``F``, ``E`` and ``T`` are its references of functions, events and types, ``S6.8`` is rule 6.8
of the server's semantics (``docs/fidelity.md``).
"""

from __future__ import annotations

from dataclasses import dataclass

KIT_VERSION = "1"
"""Version of the body of laws; it grows with the protocol."""

AREAS = {
    "MSG": "Messages",
    "HSK": "Handshake",
    "SES": "Session",
    "REC": "Records",
    "EVT": "Events",
    "CFG": "Configuration",
    "USR": "Users",
    "MKT": "Market",
    "ORD": "Orders",
    "MON": "Money",
    "TRG": "Triggers",
    "TIM": "Time",
    "RGT": "Rights",
    "DLG": "Dealing",
    "TRD": "Traders",
    "PAG": "Pages",
    "TAB": "Tables",
}


@dataclass(frozen=True, slots=True)
class Law:
    """One thing that must hold."""

    name: str
    statement: str
    source: str

    @property
    def area(self) -> str:
        """The area's letters: ``EVT``."""
        return self.name.split("-")[1]


_TABLE = """
L-MSG-1  | every request is answered exactly once, with its id as it was sent, type included | P3
L-MSG-2  | a success has exactly the members id and status, and result where the function gives one, never null in its place | P3
L-MSG-3  | an error has exactly the members id, status and a message that is not empty; dialect 2 adds a code | P4
L-MSG-4  | what is not a request (no JSON, no object, no usable id or name) is answered with an error, id null where none can be read, and the session lives on | P4
L-MSG-5  | an unknown function is an error that names it, and the session lives on | P4
L-MSG-6  | bad data is an error that names the field, in dialect 2 with code invalid_data and its path in details | P4
L-MSG-7  | a call that answers an error has changed nothing | P4
L-MSG-8  | pipelined calls that change something are carried out in the order sent, and each is answered with its own id | P6
L-MSG-9  | a binary message closes the session with 1003, text that is not UTF-8 with 1007, a message over the limit with 1009 | P8
L-MSG-10 | no error is an internal one | P4
L-MSG-11 | a call repeated under its key is carried out once and answered as the first time; a different call under that key is refused | P6
L-MSG-12 | a message may come in fragments with pings between them; each ping is answered with its payload | RFC 6455 5.4, 5.5.2
L-MSG-13 | a call that takes too long is answered with an error, in dialect 2 timeout with its outcome, and the session lives on | P6
L-HSK-1  | a handshake with wrong credentials is refused with 401 and a JSON body of status, code and message | P2
L-HSK-2  | a handshake with a malformed or missing header is refused with 400 and such a body | P2
L-HSK-3  | a VERSION that is not spoken is refused with 426, such a body, and the versions spoken in the answer's VERSION | P2
L-HSK-4  | good credentials in the headers open a connected session of the dialect that VERSION names, 1.00 when absent | P1
L-SES-1  | connect with wrong credentials is an error; the session stays open and may connect after it | F
L-SES-2  | a second connect while connected is an error | F
L-SES-3  | a function that needs the server is an error before connect and after disconnect | P5
L-SES-4  | disconnect while connected succeeds, and is an error while not | F
L-SES-5  | subscribing twice, and unsubscribing without a subscription, are errors; otherwise both succeed | P4
L-SES-6  | subscribing to connection works before connect | F
L-SES-7  | after a lost connection calls answer an error, the gateway reconnects by itself after reconnect_delay, and connection tells false, then true | P5
L-SES-8  | after a reconnection subscriptions and shown symbols live on, and what changed meanwhile is told | P5
L-SES-9  | who subscribed to connection is told true on connecting and false on disconnecting | E
L-SES-10 | a kind of event that is not there can't be subscribed to | F
L-SES-11 | what follows a call that changes the session waits for it | P6
L-SES-12 | where no reconnection was asked for, a lost connection closes dialect 1.00 with 1011 and leaves the others as before connect | P5
L-SES-13 | a disabled account does not log in | S9.4
L-REC-1  | an answer has exactly the fields and types that its function gives in the session's dialect | T
L-REC-2  | an event has exactly the fields and types of its kind in the session's dialect | T
L-REC-3  | a password is in no answer and in no event | T
L-REC-4  | a record means the same in a list, alone, and in an event | T
L-REC-5  | times in records and ticks are the server's at the moment of the change that they tell of | S7.2
L-REC-6  | an external command's answer is in the encoding asked for, the same bytes in both | F
L-REC-7  | an order says where it came from, in its rest too; what dialects 0 and 1.00 don't know is client there | T
L-EVT-1  | event_id counts up by one from 0 over all events of a session | P3
L-EVT-2  | no event of a kind that is not subscribed to | P5
L-EVT-3  | no event after the unsubscribe answer | P5
L-EVT-4  | every change that a session may see is told to each subscriber, whoever made it | E
L-EVT-5  | a change is told exactly once | E
L-EVT-6  | events of a kind come in the order of the changes | E
L-EVT-7  | an event tells the record as it is after the change | E
L-EVT-8  | a tick is told only of symbols that the session shows | P5
L-EVT-9  | subscribing tells nothing of what was before it | P5
L-CFG-1  | a set changes exactly the fields that are present, inside nested maps too | P3
L-CFG-2  | what was set reads back as it was set | F
L-CFG-3  | a read-only field in a set is no error in dialects 0 and 1.00 and changes nothing | P3
L-CFG-4  | adding a group that exists is an error | F
L-CFG-5  | an unknown group is an error for get, set and del | F
L-CFG-6  | a group that was added is in the list of all, one that was deleted is not | F
L-CFG-7  | a fresh group is zero in all that was not given, with every security of the server | S9.8
L-CFG-8  | a group that has users is not deleted | S9.8
L-CFG-9  | setting a manager adds or updates; an unknown one is an error for get and del | F
L-CFG-10 | a manager's record lists every security of the server | T
L-CFG-11 | a set of what is not there (a security, a symbol) is an error | F
L-USR-1  | a user gets the login asked for, or a free one when it is 0 or absent | F
L-USR-2  | adding a login that exists, to an unknown group, without name or password is an error | F
L-USR-3  | a set changes exactly the fields that are present | P3
L-USR-4  | users.get gives the users in the order asked and leaves unknown logins out | F
L-USR-5  | users.get.all has every user once | F
L-USR-6  | deleting users takes their orders and history with them; with an unknown login among them nothing is deleted | F
L-USR-7  | a fresh user has no money and no history, and zero in all that was not given | S9.1
L-USR-8  | balance, credit and the other read-only fields can't be set | T
L-USR-9  | setting an unknown user is an error | F
L-USR-10 | a user is moved to a group that exists, and to no other | S9.1
L-USR-11 | a new password counts at once and the old one no more; an empty one, or none, changes nothing | S9.2
L-MKT-1  | a price thrown in is the last price at once and unchanged | S1.6
L-MKT-2  | ticks.get gives a list of one, or of none before the first tick | F
L-MKT-3  | a tick is told once to each subscriber that shows its symbol, and to no other | F
L-MKT-4  | an unknown symbol is an error for show, hide, tick.add and ticks.get | F
L-ORD-1  | an order is opened exactly as given, at its stated price, by the dealer, under the next ticket | S6.1
L-ORD-2  | trades.get has all open orders and pendings; by login they come by ticket | F
L-ORD-3  | a closed order is in the history between its times, by ticket, and readable alone, and open no more | S7.8
L-ORD-4  | a modification changes what is given; the rest stays | F
L-ORD-5  | a partial close leaves the rest under the next ticket, same time, price, levels, comments "to #n" and "from #n" | S6.7
L-ORD-6  | close-by closes the smaller volume of both, the second for nothing, and leaves the rest | S6.8
L-ORD-7  | close-all closes opposite orders against each other, lowest tickets first, until one side is left | S6.8
L-ORD-8  | a cancelled pending is closed with "cancelled by dealer" and no profit | S6.1
L-ORD-9  | an activated pending is a position under its ticket at the given price | S6.1
L-ORD-10 | an unknown or wrong order, login, symbol or volume is an error | S6.1
L-ORD-11 | tickets count up by one over all records | S7.1
L-MON-1  | profit is (close - open) x contract x lots, in account currency, rounded to cents | S3
L-MON-2  | an open order's close price and profit follow the latest tick, group's spread included | S3.2
L-MON-3  | commission is charged once, at open, by the group's rule | S5
L-MON-4  | a balance operation changes the balance, a credit the credit, by its amount, and is in the history | S7.3
L-MON-5  | closing changes the balance by profit, storage, commission and taxes, and by nothing else | S7.6
L-MON-6  | partial closes share storage, commission and profit so that cents add up | S6.7
L-MON-7  | conv_rates and margin_rate are the trade's own prices where the base currency stands against the account's | S3.6
L-MON-8  | an agent's commission is booked on his account at the close, and costs the trader nothing | S5.4
L-TRG-1  | a stop loss closes at its level, on a gap at the first price, and not before | S6.4
L-TRG-2  | a take profit closes at its level and not before | S6.4
L-TRG-3  | a pending opens at its price, a stop on a gap at the first price, and not before | S6.4
L-TRG-4  | what is closed by stop or take says so in its comment | S7.7
L-TRG-5  | at or below the stop-out level the largest loser is closed first, at market, until the level is above | S6.9
L-TRG-6  | a stop-out's comment tells level, equity and margin | S6.9
L-TRG-7  | above the stop-out level nothing is closed | S6.9
L-TRG-8  | a pending that its account can't pay when its price comes is deleted, and says so | S6.4
L-TIM-1  | a pending whose expiration passes is closed without profit | S6.6
L-TIM-2  | swaps are charged once a night at the end of the day, three times on the day set, and not at weekends | S4
L-TIM-3  | the day's end keeps the balance and equity of the day before | S9.6
L-TIM-4  | the month's end keeps the balance and equity of the month before | S9.6
L-RGT-1  | without its right a function is refused and changes nothing | S9
L-RGT-2  | with exactly its right a function works | S9
L-RGT-3  | a manager sees and touches nothing of groups outside his masks | S9.9
L-RGT-4  | events tell nothing of what is outside the masks | S10.6
L-RGT-5  | without user_details a manager reads and hears no name, address, phone, email and id | S9.9
L-DLG-1  | a request is offered to one dealer at a time, locked to him, as the trader asked | S8.1
L-DLG-2  | a confirmed request is filled at the dealer's price | S6.3
L-DLG-3  | a requote on instant execution fills nothing and tells the trader the new prices | S6.3
L-DLG-4  | a rejected request fills nothing | S8.2
L-DLG-5  | a request that is reset goes to the next dealer | S8.2
L-DLG-6  | a request that this dealer does not hold can't be answered | S8.4
L-DLG-7  | when a dealer leaves, what he holds goes to the next | F
L-DLG-8  | a request that is withdrawn, or not answered in the group's time, ends and fills nothing | S8.2
L-DLG-9  | a request reaches only dealers whose groups, securities and lots it fits | S8.6
L-DLG-10 | add_prices makes the dealer's prices the last ones; a normal confirmation leaves them | S8.4
L-DLG-11 | an order that a dealer is asked about is locked: to ask again is refused with 139 | S6.2
L-TRD-1  | a trader's volume outside the group's limits or off its step is refused with 131 | S1.2
L-TRD-2  | a trader's stops nearer than the symbol allows are refused with 130, at the level they pass | S6.5
L-TRD-3  | a trader without the free margin is refused with 134, one with it is served | S2.9
L-TRD-4  | a disabled or read-only account, a group or security without trading can't trade | S6.2
L-TRD-5  | the group's limits (positions, hedging, first-in-first-out) are kept | S6.2
L-TRD-6  | a market order is filled at the group's price, instant ones within their deviation only | S6.3
L-TRD-7  | a pending order keeps its distance from the market, and its stops from its price; else 130 | S6.5
L-TRD-8  | without the group's right an expiration is refused with 147 | S6.2
L-TRD-9  | a denied close-by is refused | S6.8
L-TRD-10 | a trader's price off the grid is refused with 129 | S1.3
L-PAG-1  | a page has at most limit elements, and next exactly when more follow | P7
L-PAG-2  | whoever follows next has every element once, in rising order of the key | P7
L-PAG-3  | a cursor is a key: what comes and goes between two pages leaves nothing else out and tells nothing twice | P7
L-PAG-4  | a filter lets through what has its value, one of its values or fits its mask, case included; several must all be so | P7
L-PAG-5  | pages of users.get come in the order asked | P7
L-PAG-6  | in dialects 0 and 1.00 limit, after and filters are unknown fields | P7
L-TAB-1  | a row that is added to a table stands at its end, or at the place given, as it was given, and the others stand as before | F
L-TAB-2  | a set changes exactly the fields of a row that are present, and leaves it where it stands | F
L-TAB-3  | a row that is deleted is in the table no more, and the others keep their order | F
L-TAB-4  | a row that is moved stands at the place given, and the others keep their order | F
L-TAB-5  | a place with the etag of another row, or of the row as it was, is a conflict, and nothing is changed | F
L-TAB-6  | an unknown key, or a place behind the last, is an error for get, set, del and move | F
L-TAB-7  | adding a key that exists, in whatever case of its letters, is an error | F
"""  # noqa: E501


def _read(table: str) -> dict[str, Law]:
    found = {}
    for line in table.strip().splitlines():
        name, statement, source = (part.strip() for part in line.split(" | "))
        assert name not in found, name
        found[name] = Law(name, statement, source)
    return found


LAWS: dict[str, Law] = _read(_TABLE)
"""All of them, by name."""
