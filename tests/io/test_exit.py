"""The interpreter's end, and forks: nothing pending is lost, nothing of the parent's is touched."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from typing import Any

import pytest

from tests.io.driving import endless
from tests.support.children import bare_environment
from tests.support.loopback import Loopback, Request, reply

__all__: list[str] = []


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program), *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        env=bare_environment(),
        check=False,
    )


def prints(program: str, *arguments: str) -> list[str]:
    done = run(program, *arguments)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout.splitlines()


@pytest.mark.parametrize("ending", ["", "sys.exit()", "del runtime; import gc; gc.collect()"])
def test_pending_writes_are_done_at_exit(ending: str) -> None:
    """However the program ends, and whether or not the client still lives."""
    program = f"""
        import sys, time
        from edgeagent.io.runtime import Runtime
        runtime = Runtime()
        for i in range(5):
            runtime.submit(lambda i=i: (time.sleep(0.02), print(i)))
        {ending}
    """
    assert prints(program) == list("01234")


@pytest.mark.parametrize("used_before", [False, True])
def test_writes_that_come_during_the_exit(used_before: bool) -> None:
    """What another exit handler submits is done, too, before or after ours has waited."""
    program = """
        import atexit, sys
        from edgeagent.io.runtime import Runtime
        runtime = Runtime()
        atexit.register(lambda: runtime.submit(lambda: print("after")))
        if sys.argv[1] == "True":
            runtime.submit(lambda: print("before"))
        atexit.register(lambda: runtime.submit(lambda: print("first")))
    """
    assert sorted(prints(program, str(used_before))) == ["after", *(["before"] if used_before else []), "first"]


def test_an_exit_is_not_held_up_for_ever() -> None:
    """A write that hangs is waited for a while, then given up, and said so."""
    program = """
        import logging, threading
        from edgeagent.io import writer
        logging.basicConfig(format="%(message)s")
        writer.EXIT_SECONDS = 0.1
        kept = writer.Writer()
        kept.submit(lambda: threading.Event().wait(60))
    """
    done = run(program)
    assert (done.returncode, done.stderr) == (0, "background writes were lost at exit\n")


def test_writes_of_a_multiprocessing_child() -> None:
    """Such a child ends without exit handlers; its writes are done all the same, and only its own."""
    program = """
        import multiprocessing, threading, time, warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        from edgeagent.io.runtime import Runtime
        runtime = Runtime()
        released = threading.Event()

        def child():
            runtime.after_fork()
            runtime.submit(lambda: (time.sleep(0.05), print("child", flush=True)))

        runtime.submit(lambda: (released.wait(30), print("parent", flush=True)))
        process = multiprocessing.get_context("fork").Process(target=child)
        process.start()
        process.join()
        assert process.exitcode == 0
        released.set()
    """
    assert prints(program) == ["child", "parent"]


def test_forks_under_load() -> None:
    """Threads hold locks and connections at the fork; every child works, and leaves the parent's connections alone."""
    program = """
        import os, threading, warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        from edgeagent import effects
        from edgeagent.io.runtime import Runtime
        from edgeagent.wire.http import HTTPRequest
        from tests.support.loopback import Loopback, reply

        runtime, stop = Runtime(), threading.Event()

        async def asynchronous():
            return 1

        def call(url):
            run = runtime.sync_driver.run
            request = HTTPRequest("POST", url, {}, b"{}")
            assert run(effects.send(request, effects.Timeout(), None), effects.Scope()).content == b"x"
            assert run(effects.invoke(asynchronous, None), effects.Scope()) == 1
            runtime.submit(lambda: None)

        def load(url):
            while not stop.is_set():
                call(url)

        with Loopback(lambda request: reply(200, b"x")) as server:
            threads = [threading.Thread(target=load, args=(server.url,)) for _ in range(4)]
            for thread in threads:
                thread.start()
            for _ in range(8):
                call(server.url)
                pid = os.fork()
                if pid == 0:
                    runtime.after_fork()
                    for _ in range(3):
                        call(server.url)
                    assert runtime.flush(10)
                    runtime.close()
                    os._exit(0)
                assert os.waitpid(pid, 0)[1] == 0
            stop.set()
            for thread in threads:
                thread.join(10)
            assert runtime.flush(10)
            runtime.close()
        print("done")
    """
    assert prints(program) == ["done"]


def test_a_stream_that_is_open_at_a_fork() -> None:
    """The child may close its copy, even if a lock of the pool was held at the fork; the parent reads on."""
    program = """
        import gc, os, threading, warnings
        warnings.simplefilter("ignore", DeprecationWarning)
        from edgeagent import effects
        from edgeagent.io.runtime import Runtime
        from edgeagent.wire.http import HTTPRequest
        from tests.support.loopback import Loopback, chunk, head

        go = threading.Event()
        def answer(request):
            yield head() + chunk(b"a")
            go.wait(30)
            yield chunk(b"b") + chunk(b"")

        with Loopback(answer) as server:
            runtime, scope = Runtime(), effects.Scope()
            driver = runtime.sync_driver
            request = HTTPRequest("POST", server.url, {}, b"{}")
            source = driver.step(effects.open_stream(request, effects.Timeout(), None), scope)
            assert driver.step(effects.read(source, None), scope) == b"a"
            (pool,) = runtime._engine._pools.values()
            pool._optional_thread_lock._lock.acquire()
            pid = os.fork()
            if pid == 0:
                runtime.after_fork()
                driver.close(scope)
                del source, scope, pool
                gc.collect()
                os._exit(0)
            assert os.waitpid(pid, 0)[1] == 0
            pool._optional_thread_lock._lock.release()
            go.set()
            assert driver.step(effects.read(source, None), scope) == b"b"
            assert driver.step(effects.read(source, None), scope) is None
            runtime.close()
        print("done")
    """
    assert prints(program) == ["done"]


def test_a_client_that_was_never_closed() -> None:
    """The interpreter ends in silence, with connections, a loop's thread and streams open."""
    program = """
        import asyncio
        from edgeagent import effects
        from edgeagent.io.runtime import Runtime
        from edgeagent.wire.http import HTTPRequest
        from tests.io.driving import endless
        from tests.support.loopback import Loopback

        async def items():
            yield 1
            yield 2

        server = Loopback(endless).__enter__()
        runtime, scope = Runtime(), effects.Scope()
        request = HTTPRequest("POST", server.url, {}, b"{}")
        driver = runtime.sync_driver
        driver.step(effects.open_stream(request, effects.Timeout(), None), scope)
        driver.step(effects.open_iterator(items, effects.Timeout(), None), scope)
        async def main():
            await runtime.async_driver.step(effects.open_stream(request, effects.Timeout(), None), scope)
        asyncio.run(main())
        print("done")
    """
    assert prints(program) == ["done"]


USE = """
    import asyncio, atexit, os, sys, threading, time, warnings
    from edgeagent import effects
    from edgeagent.io.runtime import Runtime
    from tests.io.driving import LONG, post, soon

    url, port = sys.argv[1], sys.argv[1].rpartition(":")[2]
    kept = []

    async def items():
        yield 1
        yield 2

    async def one():
        return 1

    def send(runtime):
        # by a name, which is looked up in a thread
        request = post(f"http://localhost:{port}/whole")
        assert runtime.sync_driver.run(effects.send(request, LONG, soon(50)), effects.Scope()).content == b"x"

    def use(runtime, word):
        scope, driver = effects.Scope(), runtime.sync_driver
        send(runtime)
        kept.append(scope)
        driver.step(effects.open_stream(post(url), LONG, None), scope)
        try:
            assert driver.run(effects.invoke(one, None), effects.Scope()) == 1
            source = driver.step(effects.open_iterator(items, LONG, None), scope)
            assert driver.step(effects.read(source, None), scope) == 1
            async def main():
                await runtime.async_driver.step(effects.open_stream(post(url), LONG, None), scope)
            asyncio.run(main())
        except Exception as error:
            word += f": {error}"
        print(word, flush=True)

    runtime = Runtime()
"""
NO_THREAD = ": The interpreter is ending: a blocking client can no longer call an async provider."

ENDINGS = {
    "nothing was closed": ("use(runtime, 'main')", ["main"]),
    "the client is gone": (
        """
        def main():
            use(Runtime(), "main")
            kept.clear()
        main()
        """,
        ["main"],
    ),
    "a handler that is called before ours": (
        """
        use(runtime, "main")
        atexit.register(use, runtime, "handler")
        """,
        ["main", "handler"],
    ),
    "a handler that is called after ours": (
        """
        atexit.register(use, runtime, "handler")
        use(runtime, "main")
        """,
        ["main", "handler" + NO_THREAD],
    ),
    "a handler is the first to use it": (
        "atexit.register(use, runtime, 'handler')",
        ["handler" + NO_THREAD],
    ),
    "daemon threads are in the middle of calls": (
        """
        def load():
            while True:
                send(runtime)
        for _ in range(4):
            threading.Thread(target=load, daemon=True).start()
        use(runtime, "main")
        """,
        ["main"],
    ),
    "another thread goes on": (
        """
        begun = threading.Event()
        def work():
            use(runtime, "before")
            begun.set()
            threading.main_thread().join()
            use(runtime, "after")
        threading.Thread(target=work).start()
        begun.wait()
        """,
        ["before", "after"],
    ),
    "a forked child ends, too": (
        """
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", ResourceWarning)  # the child leaves the parent's sockets as they are
        send(runtime)
        runtime.sync_driver.run(effects.invoke(one, None), effects.Scope())
        pid = os.fork()
        if pid == 0:
            runtime.after_fork()
            use(runtime, "child")
        else:
            assert os.waitpid(pid, 0)[1] == 0
        """,
        ["child"],
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_interpreter_ends_in_silence(ending: str) -> None:
    """With connections, streams and a loop's thread open, whoever uses them last."""
    program, words = ENDINGS[ending]

    def answer(request: Request) -> Any:
        return reply(200, b"x") if request.path == "/whole" else endless(request)

    with Loopback(answer) as server:
        assert prints(textwrap.dedent(USE) + textwrap.dedent(program), server.url) == words
