# Sourced by every script: finds a Python, makes the environment in .venv once, and says plainly what is missing.
# Sets ROOT and PYTHON.

set -euo pipefail
ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
PYTHON="$ROOT/.venv/bin/python"

find_python() {
    local candidate
    if [ -n "${RACEDAY_PYTHON:-}" ]; then
        if "$RACEDAY_PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$RACEDAY_PYTHON"
            return
        fi
        echo "RACEDAY_PYTHON=$RACEDAY_PYTHON is no Python 3.11 or newer: name another one, or unset it." >&2
        exit 1
    fi
    for candidate in python3.12 python3.11 python3.13 python3.14 python3 python; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    echo "RaceDay needs Python 3.11 or newer, and found $(python3 --version 2>/dev/null || echo none)." >&2
    echo "Install one, or name it: RACEDAY_PYTHON=/path/to/python3.12 $0" >&2
    exit 1
}

make_environment() {
    local base
    base="$(find_python)"
    if ! "$base" -c 'import venv, ensurepip' 2>/dev/null; then
        echo "$base cannot make virtual environments: install its venv package (Debian, Ubuntu: python3-venv)." >&2
        exit 1
    fi
    echo "Setting up .venv with $("$base" --version) (once, about a minute) ..." >&2
    if ! "$base" -m venv --clear "$ROOT/.venv"; then
        echo "$ROOT/.venv cannot be made: this folder has to be writable." >&2
        exit 1
    fi
    if ! "$PYTHON" -m pip install --quiet --disable-pip-version-check --require-hashes \
        -r "$ROOT/scripts/requirements.txt" 1>&2; then
        echo "The packages of scripts/requirements.txt could not be installed: see pip's message above." >&2
        echo "A package index has to be within reach the first time." >&2
        exit 1
    fi
    "$PYTHON" -c 'import pathlib, sys, sysconfig
pathlib.Path(sysconfig.get_path("purelib"), "raceday.pth").write_text(sys.argv[1] + "\n")' "$ROOT/shared"
}

stamp="$(cksum <"$ROOT/scripts/requirements.txt") $ROOT ${RACEDAY_PYTHON:-}"
if [ ! -x "$PYTHON" ] || [ "$(cat "$ROOT/.venv/.raceday-stamp" 2>/dev/null || true)" != "$stamp" ]; then
    make_environment
    printf '%s\n' "$stamp" >"$ROOT/.venv/.raceday-stamp"
fi
