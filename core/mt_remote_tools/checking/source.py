"""What a plugin's source gives away: calls that block the event loop, events that nobody declared, errors that no
declaration names. Nothing is run; names are followed through the file's imports."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from pathlib import Path

from mt_remote_tools.checking.findings import Finding
from mt_remote_tools.checking.public import OURS, not_public
from mt_remote_tools.checking.subject import Subject, shown

_BLOCKING = {
    "time.sleep": "anyio.sleep",
    "open": "anyio.open_file",
    "input": "",
    "os.system": "anyio.run_process",
    "os.popen": "anyio.run_process",
    "os.wait": "",
    "os.waitpid": "",
    "socket.create_connection": "anyio.connect_tcp",
    "socket.getaddrinfo": "anyio.getaddrinfo",
    "socket.gethostbyname": "anyio.getaddrinfo",
    "socket.socket": "anyio.connect_tcp",
    "urllib.request.urlopen": "",
    "http.client.HTTPConnection": "",
    "http.client.HTTPSConnection": "",
    "smtplib.SMTP": "",
    "smtplib.SMTP_SSL": "",
    "ftplib.FTP": "",
    "sqlite3.connect": "",
    "psycopg2.connect": "",
    "pymysql.connect": "",
    "pyodbc.connect": "",
}
"""What blocks, and what to await instead, where anyio has it."""

_BLOCKING_MODULES = {"subprocess": "anyio.run_process", "requests": "", "httpx": "httpx.AsyncClient", "urllib3": ""}
_NOT_BLOCKING = {
    "httpx.AsyncClient", "httpx.Timeout", "httpx.Limits", "httpx.URL", "requests.Request", "subprocess.list2cmdline",
}  # fmt: skip
_PATH_METHODS = {"read_text", "write_text", "read_bytes", "write_bytes"}
_LISTENING_HOOKS = {
    "mt_remote_call_started", "mt_remote_call_finished", "mt_remote_session_opened", "mt_remote_session_closed",
}  # fmt: skip
_ERROR_CODES = {"NotFound": "not_found", "Refused": "refused"}

Routine = ast.FunctionDef | ast.AsyncFunctionDef


def look(subject: Subject, kinds: Collection[str]) -> list[Finding]:
    """All that the source gives away. ``kinds`` are the kinds of event that somebody declares."""
    found: list[Finding] = []
    for path, tree in subject.trees.items():
        found += File(path, tree).findings(kinds)
        if subject.package not in OURS:
            found += [
                Finding("MR402", f"{shown(path)}:{line}", f"it imports {name}, which is not public")
                for line, name in not_public(tree)
            ]
    return found


class File:
    """One file: what its names mean, and which of its functions run on the event loop."""

    def __init__(self, path: Path, tree: ast.Module) -> None:
        self._path = path
        self._tree = tree
        self._meaning = dict(_imports(tree))
        self._routines = [node for node in ast.walk(tree) if isinstance(node, Routine)]
        self._by_name = {node.name: node for node in tree.body if isinstance(node, Routine)}

    def findings(self, kinds: Collection[str]) -> list[Finding]:
        """In the order of lines."""
        found = [*self._blocking(), *self._undeclared_events(kinds), *self._undeclared_errors()]
        return [Finding(code, f"{shown(self._path)}:{line}", message) for line, code, message in sorted(found)]

    def _name(self, node: ast.expr) -> str:
        """The full name of what an expression names: ``time.sleep``; empty where it names nothing."""
        if isinstance(node, ast.Name):
            return self._meaning.get(node.id, node.id)
        if isinstance(node, ast.Attribute):
            before = self._name(node.value)
            return f"{before}.{node.attr}" if before else ""
        return ""

    # Blocking calls

    def _blocking(self) -> Iterator[tuple[int, str, str]]:
        for routine, why in self._on_the_loop().items():
            awaited = {id(node.value) for node in _inside(routine) if isinstance(node, ast.Await)}
            for node in _inside(routine):
                if isinstance(node, ast.Call) and id(node) not in awaited:
                    blocking = self._blocks(node)
                    if blocking is not None:
                        name, instead = blocking
                        hint = f"; await {instead} instead" if instead else ""
                        yield node.lineno, "MR401", f"{name}() blocks the event loop in {routine.name}, {why}{hint}"

    def _on_the_loop(self) -> dict[Routine, str]:
        """Functions that run on the event loop, and why; those that they call by name do too."""
        found: dict[Routine, str] = {}
        for routine in self._routines:
            if isinstance(routine, ast.AsyncFunctionDef):
                found[routine] = "an async function"
            elif any(_is_declaration(each) for each in routine.decorator_list):
                found[routine] = "a function that runs on the event loop"
            elif routine.name in _LISTENING_HOOKS:
                found[routine] = "a hook that runs on the event loop"
        waiting = list(found)
        while waiting:
            caller = waiting.pop()
            for node in _inside(caller):
                called = self._by_name.get(_called(node))
                if called is not None and called not in found:
                    found[called] = f"which {caller.name} calls"
                    waiting.append(called)
        return found

    def _blocks(self, call: ast.Call) -> tuple[str, str] | None:
        name = self._name(call.func)
        if name in _BLOCKING:
            return name, _BLOCKING[name]
        module = name.partition(".")[0]
        if module in _BLOCKING_MODULES and "." in name and name not in _NOT_BLOCKING:
            return name, _BLOCKING_MODULES[module]
        if isinstance(call.func, ast.Attribute) and call.func.attr in _PATH_METHODS:
            return f"Path.{call.func.attr}", f"anyio.Path(...).{call.func.attr}"
        return None

    # Events and errors

    def _undeclared_events(self, kinds: Collection[str]) -> Iterator[tuple[int, str, str]]:
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Call) and self._name(node.func) in (
                "mt_remote.plugin.Event", "mt_remote.backend.Event",
            ) and node.args:  # fmt: skip
                kind = _text(node.args[0])
                if kind is not None and kind not in kinds:
                    yield node.lineno, "MR206", f"no plugin declares the kind of event {kind!r}"

    def _undeclared_errors(self) -> Iterator[tuple[int, str, str]]:
        for routine in self._routines:
            for declaration in routine.decorator_list:
                if isinstance(declaration, ast.Call) and _is_declaration(declaration):
                    stated = _stated_errors(declaration)
                    if stated is not None:
                        yield from self._raised(routine, stated)

    def _raised(self, routine: Routine, stated: Collection[str]) -> Iterator[tuple[int, str, str]]:
        for node in _inside(routine):
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
                code = self._code(node.exc)
                if code and code not in stated:
                    yield node.lineno, "MR304", f"{routine.name} answers {code!r}, which its declaration does not name"

    def _code(self, error: ast.Call) -> str:
        """The code of an error that is raised; empty for those that any function may answer."""
        name = self._name(error.func)
        if not name.startswith("mt_remote."):
            return ""
        short = name.rpartition(".")[2]
        if short == "SessionStateError":
            return (_text(error.args[0]) or "") if error.args else ""
        code = next((_text(each.value) for each in error.keywords if each.arg == "code"), None)
        return code or _ERROR_CODES.get(short, "")


def _imports(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """(name in the file, full name) of what a file imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                first = alias.name.partition(".")[0]
                yield (alias.asname, alias.name) if alias.asname else (first, first)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                yield alias.asname or alias.name, f"{node.module}.{alias.name}"


def _inside(routine: Routine) -> Iterator[ast.AST]:
    """The nodes of a function's body, but for functions and lambdas inside it: those run when somebody calls them."""
    waiting: list[ast.AST] = list(routine.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, Routine | ast.Lambda | ast.ClassDef):
            waiting += ast.iter_child_nodes(node)


def _is_declaration(decorator: ast.expr) -> bool:
    """``@namespace.function(...)``."""
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return isinstance(called, ast.Attribute) and called.attr == "function"


def _called(node: ast.AST) -> str:
    """The plain name that a node calls, if it does."""
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def _stated_errors(declaration: ast.Call) -> set[str] | None:
    """The codes in ``errors=(...)``; ``None`` where they are not written out there."""
    for keyword in declaration.keywords:
        if keyword.arg == "errors":
            if not isinstance(keyword.value, ast.Tuple | ast.List):
                return None
            texts = [_text(each) for each in keyword.value.elts]
            return None if None in texts else {text for text in texts if text is not None}
    return set()


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None
