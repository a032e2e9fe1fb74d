# Sourced by the other scripts: finds a Python and keeps .venv up to date. Quick when nothing changed.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
venv="$root/.venv"

die() {
    echo "${0##*/}: $*" >&2
    exit 1
}

find_python() {
    local candidate
    for candidate in ${PYTHON:-} python3 python3.14 python3.13 python3.12 python3.11 python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    die "Python 3.11 or newer is needed and was not found; install it, or name it: PYTHON=/path/to/python3 $0"
}

# ensure_installed EXTRAS: the project, editable, with these extras. A stamp remembers what was installed where.
ensure_installed() {
    local stamp="$venv/installed-${1//,/-}" state python
    state="$root $(cksum <"$root/pyproject.toml")"
    if [[ -x "$venv/bin/python" && -f "$stamp" && "$(<"$stamp")" == "$state" ]]; then
        return
    fi
    if ! "$venv/bin/python" -m pip --version >/dev/null 2>&1; then
        python="$(find_python)" || exit 1
        echo "creating .venv with $("$python" --version)" >&2
        rm -rf "$venv"
        "$python" -m venv "$venv" || die "no virtual environment; on Debian and Ubuntu: apt-get install python3-venv"
    fi
    echo "installing mt-remote[$1] into .venv" >&2
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --editable "$root[$1]" >&2 ||
        die "the installation failed; pip's message above says why"
    # pip compiles what it copies, but an editable installation is not copied: the first start would compile it all.
    "$venv/bin/python" -m compileall -q "$root/core" "$root/plugins" "$root/simulator" >&2 || true
    echo "$state" >"$stamp"
}
