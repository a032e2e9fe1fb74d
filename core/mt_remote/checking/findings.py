"""What can be found in a plugin: each kind has a code that stays, and a sentence on how to mend it."""

from __future__ import annotations

from dataclasses import dataclass

CODES: dict[str, str] = {
    "MR001": "Make the module importable: run 'python -c \"import MODULE\"' and mend what it says.",
    "MR002": "Mark the functions that implement hooks with @hookimpl (from mt_remote.plugin import hookimpl).",
    "MR101": "Give the function the name of a hook in docs/plugins.md, or take @hookimpl off.",
    "MR102": "Take only the arguments that the hook has; an implementation may take fewer.",
    "MR103": "Put @hookimpl above it; without that it is never called.",
    "MR104": "Return a list of what the hook is for, and raise nothing.",
    "MR105": "Implement the hook that replaces it.",
    "MR106": "State a version that this gateway has in mt_remote_api, or leave it out.",
    "MR107": "Write a docstring whose first line says what is refused: 'mt-remote plugins' shows it.",
    "MR201": "Use lower-case words joined by '_', parts joined by dots, e.g. 'report.daily.get'.",
    "MR202": "Give the function a name of its own, best in a namespace of your own.",
    "MR203": "Use a namespace of your own, e.g. Namespace('mydesk').",
    "MR204": "Use lower-case words joined by '_' or '.', e.g. 'mydesk.alarm'.",
    "MR205": "Give the kind of event a name of its own, best with your namespace before it.",
    "MR206": "Declare the kind: return EventKind(name, type) from mt_remote_event_kinds.",
    "MR301": "Annotate every parameter and the result: validation and documentation are made of them.",
    "MR302": "Write a docstring: it is the function's help text.",
    "MR303": "Say what the event means: EventKind(..., help='...').",
    "MR304": "Name the code in the declaration: function(errors=('the_code',)).",
    "MR401": "It stops every session: await what is asynchronous, or use a thread, anyio.to_thread.run_sync(...).",
    "MR501": "Check the value first and raise a RequestError (InvalidData.of(field, problem), NotFound ...).",
    "MR502": "Return what the annotation of the result says.",
    "MR503": "Raise InvalidData.of(field, problem), so that the client learns which field is wrong.",
    "MR504": "Name the code in the declaration: function(errors=('the_code',)).",
    "MR505": "Wait for slow things with await, or in a thread: await anyio.to_thread.run_sync(...).",
}
"""How to mend each kind of finding."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake: its code, where it is (``file:line``), and what is wrong."""

    code: str
    place: str
    message: str

    @property
    def fix(self) -> str:
        """How to mend it, one or two sentences."""
        return CODES[self.code]
