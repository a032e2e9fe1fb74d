"""A C++ header of the interface, generated from the table.

It is ours, not the library's authors': structs, constants and one abstract class whose declaration order is the order
of the slots. The library's own compiler stores overloads in reverse, so the two ``NotificationsSend`` get names of
their own here and no compiler can move them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mt4abi.prototypes import bare, struct_of
from mt4abi.table import Layout, Member, Method, table

_SCALARS = {
    "char": "char", "uint8": "uint8_t", "int16": "int16_t", "int32": "int32_t", "uint32": "uint32_t",
    "int64": "int64_t", "float": "float", "double": "double", "time32": "int32_t", "wchar16": "char16_t",
    "ptr32": "uint32_t",
}  # fmt: skip

_ARGUMENTS = {
    "void": "void", "int": "int", "UINT": "unsigned int", "double": "double", "__time32_t": "int32_t",
    "HWND": "void*", "REFIID": "const void*", "LPCSTR": "const char*", "LPVOID*": "void**", "LPSTR*": "char**",
    "LPSTR": "char*", "LPCWSTR": "const char16_t*", "LPWSTR": "char16_t*", "void*": "void*", "int*": "int*",
    "__time32_t*": "int32_t*", "MTAPI_NOTIFY_FUNC": "MTAPI_NOTIFY_FUNC",
    "MTAPI_NOTIFY_FUNC_EX": "MTAPI_NOTIFY_FUNC_EX",
}  # fmt: skip

_HEAD = """\
// The MT4 Manager library's interface, generated from MT Remote's table of it. Do not edit.
// Slots are in the order of declaration. Pointers inside structs are 32 bits wide and never to be followed.
#ifndef MT_REMOTE_MANAGER_API_H
#define MT_REMOTE_MANAGER_API_H

#include <cstdint>

#ifdef _WIN32
#define MTAPI_CALL __stdcall
#else
#define MTAPI_CALL
#endif

namespace mtapi {
"""

_FACTORY = """\
// Exports of the library.
typedef int(MTAPI_CALL *MtManVersion_t)();
typedef int(MTAPI_CALL *MtManCreate_t)(int version, ManagerInterface **manager);

}  // namespace mtapi
#endif
"""


def header() -> str:
    """The whole header as text."""
    lines = [_HEAD]
    known = table()
    lines.append(f"const int VERSION_ARGUMENT = ({known.program_version} << 16) | {known.program_build};")
    lines += [f"const uint32_t {name} = {value}u;" for name, value in known.constants.items()]
    for name, values in known.enums:
        body = ", ".join(f"{member} = {value}" for member, value in values.items())
        lines.append(f"enum {name + ' ' if name else ''}{{ {body} }};")
    for layout in known.layouts.values():
        lines += _struct(layout)
    lines += _interface()
    lines.append(_FACTORY)
    return "\n".join(lines)


def _struct(layout: Layout) -> Iterator[str]:
    yield f"#pragma pack(push, {layout.pack})"
    yield f"struct {layout.name} {{"
    for member in layout.members.values():
        yield f"  {_member(member)};"
    yield "};"
    yield "#pragma pack(pop)"


def _member(member: Member) -> str:
    dims = "".join(f"[{dim}]" for dim in member.dims)
    note = f" /* {member.target}*, 32 bits */" if member.target else ""
    return f"{_SCALARS.get(member.type, member.type)} {member.name}{dims}{note}"


def _type(spelling: str) -> str:
    name = bare(spelling)
    const = "const " if spelling != name else ""
    if name in _ARGUMENTS:
        return const + _ARGUMENTS[name]
    return f"{const}{struct_of(spelling)}*"


def _method(method: Method) -> str:
    arguments = ", ".join(f"{_type(argument.type)} {argument.name}" for argument in method.arguments)
    return f"  virtual {_type(method.returns)} MTAPI_CALL {method.key}({arguments}) = 0;"


def _interface() -> Iterator[str]:
    yield "typedef void(MTAPI_CALL *MTAPI_NOTIFY_FUNC)(int code);"
    yield "typedef void(MTAPI_CALL *MTAPI_NOTIFY_FUNC_EX)(int code, int type, void *data, void *param);"
    yield "class ManagerInterface {\n public:"
    for method in table().methods.values():
        yield re.sub(r"\s+\)", ")", _method(method))
    yield "};"
