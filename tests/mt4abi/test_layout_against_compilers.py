"""The table against what compilers make of the interface: every size, every offset, every slot.

A C++ program is written from the generated header; it prints ``sizeof`` and ``offsetof`` of everything, and calls each
method of the interface through a table of functions of which each knows its own number.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
from pathlib import Path

import pytest

from mt4abi import UNCALLED, structure, table
from mt4abi.header import header

WINDOWS_64 = ("x86_64-w64-mingw32-g++-posix", "x86_64-w64-mingw32-g++")
WINDOWS_32 = ("i686-w64-mingw32-g++-posix", "i686-w64-mingw32-g++")


def _compiler(names: tuple[str, ...]) -> str:
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip(f"no compiler here of {', '.join(names)}")
    return found


def _zeros(method_key: str) -> str:
    arguments = table().methods[method_key].arguments
    return ", ".join("0.0" if "double" in argument.type else "0" for argument in arguments)


def _layout_asserts() -> str:
    lines = []
    for layout in table().layouts.values():
        lines.append(f'static_assert(sizeof({layout.name}) == {layout.size}, "size of {layout.name}");')
        for member in layout.members.values():
            spelled = f"{layout.name}.{member.name}"
            lines.append(
                f'static_assert(offsetof({layout.name}, {member.name}) == {member.offset}, "offset of {spelled}");'
            )
            lines.append(f'static_assert(sizeof((({layout.name}*)0)->{member.name}) == {member.size}, "{spelled}");')
    return "\n".join(lines)


def _program(directory: Path) -> Path:
    (directory / "manager_api.h").write_text(header())
    calls = "\n".join(
        f'  called = -1; object->{key}({_zeros(key)}); std::printf("%d {key}\\n", called);' for key in table().methods
    )
    source = directory / "layout.cpp"
    source.write_text(f"""
#include <cstddef>
#include <cstdio>
#include <utility>
#include "manager_api.h"
using namespace mtapi;
{_layout_asserts()}
volatile int called;
template <int N> intptr_t slot(void *) {{ called = N; return 0; }}
typedef intptr_t (*Slot)(void *);
template <int... N> Slot *make(std::integer_sequence<int, N...>) {{
  static Slot slots[] = {{slot<N>...}};
  return slots;
}}
int main() {{
  Slot *slots = make(std::make_integer_sequence<int, 195>());
  ManagerInterface *object = reinterpret_cast<ManagerInterface *>(&slots);
{calls}
}}
""")
    return source


def _compile(compiler: str, directory: Path, *flags: str) -> Path:
    source = _program(directory)
    out = directory / "layout"
    command = [compiler, "-std=c++17", "-w", "-Winvalid-offsetof", *flags, str(source), "-o", str(out)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[:4000]
    return out


def test_gcc_agrees_on_every_size_offset_and_slot(tmp_path: Path) -> None:
    program = _compile(_compiler(("g++",)), tmp_path)
    printed = subprocess.run([str(program)], capture_output=True, text=True, check=True).stdout.split("\n")[:-1]
    assert printed == [f"{method.index} {key}" for key, method in table().methods.items()]
    assert len(printed) == 195


@pytest.mark.parametrize("names", [WINDOWS_64, WINDOWS_32], ids=["64-bit", "32-bit"])
def test_mingw_agrees_on_every_size_and_offset(tmp_path: Path, names: tuple[str, ...]) -> None:
    _compile(_compiler(names), tmp_path, "-fsyntax-only")


def test_ctypes_structures_have_the_tables_layout() -> None:
    for layout in table().layouts.values():
        made = structure(layout.name)
        assert ctypes.sizeof(made) == layout.size
        for member in layout.members.values():
            field = getattr(made, member.name)
            assert (field.offset, field.size) == (member.offset, member.size), f"{layout.name}.{member.name}"


def test_slots_are_numbered_without_gaps_and_overloads_are_reversed() -> None:
    methods = table().methods
    assert [method.index for method in methods.values()] == list(range(195))
    assert [a.name for a in methods["NotificationsSend"].arguments] == ["logins", "logins_total", "message"]
    assert [a.name for a in methods["NotificationsSendById"].arguments] == ["metaquotes_ids", "message"]
    assert methods.keys() >= UNCALLED
