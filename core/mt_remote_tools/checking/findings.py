"""What can be found in a plugin: each kind has a code that stays, and a sentence on how to mend it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mistake:
    """A kind of mistake: what it is, and how to mend it."""

    what: str
    fix: str


CODES: dict[str, Mistake] = {
    "MR001": Mistake(
        "it can't be imported",
        "Install a package first, in its folder: 'pip install --editable .'. If it is installed, run "
        "'python -c \"import MODULE\"' and mend what it says.",
    ),
    "MR002": Mistake(
        "it implements no hook",
        "Mark the functions that implement hooks with @hookimpl (from mt_remote.plugin import hookimpl).",
    ),
    "MR101": Mistake(
        "there is no such hook",
        "Give the function the name of a hook in docs/plugins.md, or take @hookimpl off.",
    ),
    "MR102": Mistake(
        "a hook with arguments that it does not have",
        "Take only the arguments that the hook has; an implementation may take fewer.",
    ),
    "MR103": Mistake(
        "a hook's name without `@hookimpl`",
        "Put @hookimpl above it; without that it is never called.",
    ),
    "MR104": Mistake(
        "a hook that fails, or gives something else than a list of what it is for",
        "Return a list of what the hook is for, and raise nothing.",
    ),
    "MR105": Mistake(
        "a hook that is to go",
        "Implement the hook that replaces it.",
    ),
    "MR106": Mistake(
        "a version of the hooks that this gateway has not",
        "State a version that this gateway has in mt_remote_api, or leave it out.",
    ),
    "MR107": Mistake(
        "a veto that does not say what it refuses",
        "Write a docstring whose first line says what is refused: 'mt-remote plugins' shows it.",
    ),
    "MR201": Mistake(
        "a function's name is malformed",
        "Use lower-case words joined by '_', parts joined by dots, e.g. 'report.daily.get'.",
    ),
    "MR202": Mistake(
        "a function's name is taken",
        "Give the function a name of its own, best in a namespace of your own.",
    ),
    "MR203": Mistake(
        "a namespace that is somebody else's",
        "Use a namespace of your own, e.g. Namespace('mydesk').",
    ),
    "MR204": Mistake(
        "an event's name is malformed",
        "Use lower-case words joined by '_' or '.', e.g. 'mydesk.alarm'.",
    ),
    "MR205": Mistake(
        "an event's name is taken",
        "Give the kind of event a name of its own, best with your namespace before it.",
    ),
    "MR206": Mistake(
        "an event that nobody declares",
        "Declare the kind: return EventKind(name, type) from mt_remote_event_kinds.",
    ),
    "MR301": Mistake(
        "an annotation is missing or can't be used",
        "Annotate every parameter and the result with types that pydantic knows: validation and documentation are made "
        "of them.",
    ),
    "MR302": Mistake(
        "a function without docstring",
        "Write a docstring: it is the function's help text.",
    ),
    "MR303": Mistake(
        "an event without explanation",
        "Say what the event means: EventKind(..., help='...').",
    ),
    "MR304": Mistake(
        "an error code that the declaration does not name",
        "Name the code in the declaration: function(errors=('the_code',)).",
    ),
    "MR305": Mistake(
        "an example that the function itself finds wrong",
        "Give an example that is valid data: it stands in the documentation.",
    ),
    "MR306": Mistake(
        "a listing that does not fit the function",
        "Name a key and filters that the elements have, integers, texts, enums or flags, none called like a parameter; "
        "for anything else write a Filter(name, type, test).",
    ),
    "MR401": Mistake(
        "a call that blocks the event loop",
        "It stops every session: await what is asynchronous, or use a thread, anyio.to_thread.run_sync(...).",
    ),
    "MR402": Mistake(
        "an import of what isn't public",
        "Import from what docs/public-api.md lists; the rest may change in any version.",
    ),
    "MR501": Mistake(
        "a function answers `internal_error`",
        "Check the value first and raise a RequestError (InvalidData.of(field, problem), NotFound ...).",
    ),
    "MR502": Mistake(
        "a function answers what its annotation does not say",
        "Return what the annotation of the result says.",
    ),
    "MR503": Mistake(
        "wrong data is not answered with `invalid_data` that names the field",
        "Raise InvalidData.of(field, problem), so that the client learns which field is wrong.",
    ),
    "MR504": Mistake(
        "a function answered a code that its declaration does not name",
        "Name the code in the declaration: function(errors=('the_code',)).",
    ),
    "MR505": Mistake(
        "a function keeps the event loop, or gives no answer",
        "Wait for slow things with await, or in a thread: await anyio.to_thread.run_sync(...).",
    ),
    "MR506": Mistake(
        "a gateway does not start with it",
        "Mend what mt_remote_gateway_starting or a declaration raises.",
    ),
}
"""Every kind of mistake by its code, which stays."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake: its code, where it is (``file:line``), and what is wrong."""

    code: str
    place: str
    message: str

    @property
    def fix(self) -> str:
        """How to mend it, one or two sentences."""
        return CODES[self.code].fix
