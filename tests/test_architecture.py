"""The rules of the house that a program can check: who imports whom, how the core is written, what an import does."""

from __future__ import annotations

import ast
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.children import bare_environment

__all__: list[str] = []

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "edgeagent"
MODULES = sorted(PACKAGE.rglob("*.py"))
CORE = sorted((PACKAGE / "core").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("test_*.py"))

HEAVY = {
    "anyio",
    "asyncio",
    "botocore",
    "concurrent.futures",
    "cryptography",
    "diskcache",
    "genai_prices",
    "httpcore",
    "httpx",
    "httpx2",
    "multiprocessing",
    "numpy",
    "openai",
    "opentelemetry",
    "pydantic",
    "redis",
    "socket",
    "sqlite3",
    "ssl",
    "tenacity",
    "trio",
    "xllamacpp",
}

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
NEVER_CAUGHT = {"BaseException", "GeneratorExit", "KeyboardInterrupt", "SystemExit"}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def own_nodes(node: ast.AST) -> Iterator[ast.AST]:
    """Every node below, except those inside a function that is defined there: they run at another time."""
    for child in ast.iter_child_nodes(node):
        yield child
        if not isinstance(child, FUNCTIONS):
            yield from own_nodes(child)


def statements(node: ast.AST) -> Iterator[ast.stmt]:
    """Every statement below, but no expression: there are many more of them."""
    for name in ("body", "orelse", "finalbody", "handlers", "cases"):
        for child in getattr(node, name, ()):
            if isinstance(child, ast.stmt):
                yield child
            yield from statements(child)


def caught(handler: ast.ExceptHandler) -> set[str]:
    """The names that a handler catches; a bare one catches BaseException."""
    if handler.type is None:
        return {"BaseException"}
    types = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return {ast.unparse(type_).rpartition(".")[2] for type_ in types}


def yields_in(body: list[ast.stmt]) -> list[int]:
    """The lines of the yields that run as part of `body`."""
    nodes = own_nodes(ast.Module(body, []))
    return [node.lineno for node in nodes if isinstance(node, ast.Yield | ast.YieldFrom)]


# the rules of the core, as functions from a tree to the lines that break them


def raw_yields(tree: ast.Module) -> list[int]:
    return [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Yield)]


def too_broad_handlers(tree: ast.Module) -> list[int]:
    handlers = (node for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler))
    return [handler.lineno for handler in handlers if caught(handler) & NEVER_CAUGHT]


def yields_while_unwinding(tree: ast.Module) -> list[int]:
    lines: list[int] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Try):
            lines += yields_in(node.finalbody)
        elif isinstance(node, ast.ExceptHandler) and caught(node) & NEVER_CAUGHT:
            lines += yields_in(node.body)
    return lines


BREACHES = [
    (raw_yields, "def f():\n    yield 1", [2]),
    (raw_yields, "def f():\n    x = yield from g()\n    return x", []),
    (too_broad_handlers, "try:\n    f()\nexcept:\n    pass", [3]),
    (too_broad_handlers, "try:\n    f()\nexcept (ValueError, builtins.BaseException):\n    pass", [3]),
    (too_broad_handlers, "try:\n    f()\nexcept Exception:\n    pass", []),
    (yields_while_unwinding, "def f():\n    try:\n        pass\n    finally:\n        yield from g()", [5]),
    (yields_while_unwinding, "def f():\n    try:\n        pass\n    finally:\n        if x:\n            yield", [6]),
    (
        yields_while_unwinding,
        "def f():\n    try:\n        pass\n    except BaseException:\n        yield from g()",
        [5],
    ),
    (yields_while_unwinding, "def f():\n    try:\n        pass\n    except OSError:\n        yield from g()", []),
    (yields_while_unwinding, "try:\n    pass\nfinally:\n    def f():\n        yield 1", []),
]


@pytest.mark.parametrize(("rule", "source", "lines"), BREACHES)
def test_the_checks_see_what_they_look_for(rule, source, lines):
    """Each check of the core finds a breach, and only a breach."""
    assert rule(ast.parse(source)) == lines


@pytest.mark.parametrize("path", CORE, ids=name_of)
@pytest.mark.parametrize("rule", [raw_yields, too_broad_handlers, yields_while_unwinding])
def test_the_core_keeps_its_rules(rule, path):
    """The core delegates every effect, catches `Exception` at most, and waits for nothing while it is being closed."""
    assert rule(tree_of(path)) == []


THREAD_MAKERS = {"Thread", "Timer", "ThreadPool", "ThreadPoolExecutor", "start_new_thread"}


def starts_threads(source: str) -> list[int]:
    """Lines that make a thread or a pool of them; a lock is not a thread."""
    if not any(maker in source for maker in THREAD_MAKERS):
        return []  # nor worth being parsed
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return [call.lineno for call in calls if ast.unparse(call.func).rpartition(".")[2] in THREAD_MAKERS]


def test_only_io_starts_threads():
    """Threads are made in `io`, where a library's I/O is wrapped (a model in process, a server's probe), for tests."""
    allowed = (
        PACKAGE / "io",
        PACKAGE / "providers" / "local",
        PACKAGE / "cache" / "outage.py",
        PACKAGE / "testing" / "loopback.py",
    )
    assert starts_threads("import threading\nthreading.Thread(target=f)\nthreading.Lock()") == [2]
    others = [path for path in MODULES if not any(path.is_relative_to(room) for room in allowed)]
    assert {name_of(path): lines for path in others if (lines := starts_threads(path.read_text("utf-8")))} == {}


def test_effects_yield_only_in_their_helpers():
    """Each helper of `effects.py` yields exactly once: one effect, one place where its result gets a type."""
    functions = [node for node in tree_of(PACKAGE / "effects.py").body if isinstance(node, ast.FunctionDef)]
    assert functions
    assert {function.name: len(yields_in(function.body)) for function in functions} == {f.name: 1 for f in functions}


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_every_module_says_what_it_is_and_what_it_offers(path):
    """A module has a docstring, states `__all__`, defines all of it, and holds one noun (400 lines at most)."""
    tree = tree_of(path)
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
    if not tree.body:
        return
    assert ast.get_docstring(tree)
    statements = {
        ast.unparse(target): node
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    }
    if path.stem == "__init__" and len(tree.body) == 1:
        return  # a package that only names its room
    stated = statements.get("__all__")
    assert stated is not None, "no __all__"
    names = ast.literal_eval(stated.value)
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("path", TESTS, ids=name_of)
def test_every_test_says_in_a_sentence_what_it_shows(path):
    """Every test function has a docstring of its own."""
    functions = [node for node in statements(tree_of(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    tests = [node for node in functions if node.name.startswith("test_")]
    assert functions
    assert [node.name for node in tests if not ast.get_docstring(node)] == []


def test_rooms_import_only_the_rooms_below():
    """The contracts of import-linter in pyproject.toml hold."""
    result = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"],
        cwd=ROOT,
        env=bare_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert "0 broken" in result.stdout


# what an import does

WATCH = """
import json, os, sys
seen = []
roots = tuple({os.path.realpath(p) for p in [*sys.path, sys.prefix, sys.base_prefix, sys.argv[1]] if p})
READS = {"open", "os.listdir", "os.scandir"}
ACTS = ("socket.", "subprocess.", "os.fork", "os.exec", "os.posix_spawn", "os.system", "os.mkdir", "os.remove",
        "os.rename", "os.putenv", "sqlite3.", "shutil.", "tempfile.", "urllib.", "http.", "signal.")

def told(name, start):
    def starting(*args, **kwargs):
        seen.append([name, repr(args)])
        return start(*args, **kwargs)
    return starting

import _thread
assert "threading" not in sys.modules  # it keeps these functions from its own import on
for name in ("start_new_thread", "start_joinable_thread"):
    if hasattr(_thread, name):
        setattr(_thread, name, told(name, getattr(_thread, name)))

def hook(event, args):
    if event in READS:
        path, mode = args[0], args[1] if len(args) > 1 else None
        writes = isinstance(mode, str) and any(c in mode for c in "wax+")
        inside = isinstance(path, str) and os.path.realpath(path).startswith(roots)
        if writes or not (inside or isinstance(path, int)):
            seen.append([event, str(path)])
    elif event.startswith(ACTS):
        seen.append([event, repr(args)])

before = set(sys.modules)
sys.addaudithook(hook)
import edgeagent
watched, seen = seen, []
import threading
print(json.dumps({
    "modules": sorted(set(sys.modules) - before),
    "seen": watched,
    "threads": threading.active_count(),
    "version": edgeagent.__version__,
}))
"""


def run_python(code: str, *arguments: str, flags: tuple[str, ...] = ("-B",)) -> str:
    result = subprocess.run(
        [sys.executable, *flags, "-c", code, *arguments],
        cwd=ROOT,
        env=bare_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_importing_does_nothing():
    """`import edgeagent` loads nothing heavy, starts no thread, touches no file but modules, no socket, no process."""
    told = json.loads(run_python(WATCH, str(ROOT)))
    assert {name for name in told["modules"] if name in HEAVY} == set()
    assert told["seen"] == []
    assert told["threads"] == 1
    assert told["version"]


def test_the_watch_sees_what_it_looks_for():
    """The audit hook of the test above reports threads, files and sockets of an import that misbehaves."""
    misbehave = "import threading, socket; threading.Thread(target=print).start(); open('/dev/null', 'w').close(); "
    misbehave += "socket.socket().close()"
    code = WATCH.replace("import edgeagent\n", f"import edgeagent; {misbehave}\n")
    events = {event for event, _ in json.loads(run_python(code, str(ROOT)).splitlines()[-1])["seen"]}
    assert {"open", "socket.__new__"} <= events
    assert events & {"start_new_thread", "start_joinable_thread"}


FLOORS = [
    {"errors", "types", "wire"},
    {"effects", "tokens"},
    {"cache", "limits", "pricing", "providers", "routing", "shield", "telemetry"},
]
"""The lower rooms, as pyproject.toml orders them: none imports from a later row."""

FIRST = """
import gc, importlib, json, os, sys
from importlib.machinery import SourceFileLoader
import pydantic, anyio, httpx, opentelemetry.trace, tenacity  # so that each child loads only what is ours

files, floors = json.loads(sys.argv[1])
codes = {}
for name, path in files.items():
    with open(path, "rb") as file:
        codes[name] = compile(file.read(), path, "exec", dont_inherit=True)
load = SourceFileLoader.get_code
SourceFileLoader.get_code = lambda self, name: codes.get(name) or load(self, name)  # no child compiles them again
gc.freeze()

covered = set()

def fails(name):
    if name in covered:
        return False
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            importlib.import_module(name)
        except BaseException as error:
            print(name, repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os.write(write, " ".join(each for each in sys.modules if each.startswith(name + ".")).encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as told:
        covered.update(each for each in told.read().split() if each.rpartition(".")[0] == name)
    return os.waitpid(pid, 0)[1]

failed = []
for floor in floors:
    failed += [name for name in floor if fails(name)]
    for name in floor:
        importlib.import_module(name)
    gc.freeze()
sys.exit(bool(failed))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="imports each module in a forked child")
def test_every_module_can_be_imported_first():
    """No module depends on another one having been imported before it.

    Modules of lower rooms are kept for the upper ones, so that each child has less to load: they import nothing from
    above (the linter sees to that), and are in no circle with it. A module that its package loads has been seen with
    that: whoever imports it first imports its package before it.
    """
    dotted = {path: ".".join(path.relative_to(ROOT).with_suffix("").parts) for path in MODULES}
    files = {name.removesuffix(".__init__"): str(path) for path, name in dotted.items()}
    rooms = {name: name.split(".")[1] if "." in name else "" for name in files if not name.endswith("__main__")}
    floors = [[name for name, room in rooms.items() if room in floor] for floor in FLOORS]
    floors.append([name for name in rooms if name not in itertools.chain(*floors)])
    run_python(FIRST, json.dumps([files, floors]))
