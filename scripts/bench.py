"""Measure the running product against its targets: a table, and bench.json.

Real processes started by the command line, a real kernel, a scripted model server over real HTTP.
What is compared with raw jupyter_client is measured beside it in the same run, in turns, so that a
busy machine is busy for both. ``--quick`` is a trial of the bench itself; ``--only a,d`` picks.
"""

import argparse
import contextlib
import json
import os
import platform
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import KernelManager

from scripts.product import Product, ProductError
from tests.scripted_openai import DONE, Reply, ScriptedOpenAI, Step, chunk

ROOT = Path(__file__).resolve().parent.parent
MIB = 1024 * 1024
LINES = 200_000
PRINT_CODE = f"for i in range({LINES}):\n    print(i)"
WAIT_S = 120.0


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    cells: int
    blocks: int
    floods: int
    starts: int
    chunks: int
    paced: int
    upload_bytes: int


FULL = Size(
    cells=50, blocks=6, floods=5, starts=10, chunks=10_000, paced=400, upload_bytes=1024 * MIB
)
QUICK = Size(cells=10, blocks=2, floods=1, starts=2, chunks=2_000, paced=50, upload_bytes=64 * MIB)


@dataclass(frozen=True)
class Result:
    """A line of the table. ``good`` is None where there is no target."""

    part: str
    what: str
    value: float
    unit: str
    target: float | None = None
    at_least: bool = False

    @property
    def good(self) -> bool | None:
        if self.target is None:
            return None
        return self.value >= self.target if self.at_least else self.value <= self.target

    def row(self) -> str:
        verdict = {None: "", True: "ok", False: "MISSED"}[self.good]
        bound = "" if self.target is None else f"{'>=' if self.at_least else '<='} {self.target:g}"
        return (
            f"{self.part}  {self.what:<52} {self.value:>10.2f} {self.unit:<5} {bound:>9}  {verdict}"
        )


# --- the kernel without the product ------------------------------------------------------------


class RawKernel:
    """A kernel through jupyter_client alone, over ipc as the product has it."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="raw-")
        self._manager = KernelManager(transport="ipc", ip=str(Path(self._folder.name) / "k"))
        self._manager.start_kernel(cwd=self._folder.name)
        self._client: BlockingKernelClient = self._manager.blocking_client()
        self._client.start_channels()
        self._client.wait_for_ready(timeout=WAIT_S)

    def first_output(self, code: str) -> float:
        """Seconds from the request to the first output; waits for idle afterwards."""
        started = time.perf_counter()
        first, _ = self._run(code, started)
        return first

    def until_idle(self, code: str) -> float:
        """Seconds from the request until reply and idle were seen, every output read."""
        started = time.perf_counter()
        _, idle = self._run(code, started)
        return idle

    def _run(self, code: str, started: float) -> tuple[float, float]:
        parent = self._client.execute(code)
        first = 0.0
        while True:
            message: dict[str, Any] = self._client.get_iopub_msg(timeout=WAIT_S)
            if message["parent_header"].get("msg_id") != parent:
                continue
            kind = message["msg_type"]
            if not first and kind in ("stream", "execute_result"):
                first = time.perf_counter() - started
            if kind == "status" and message["content"]["execution_state"] == "idle":
                break
        self._client.get_shell_msg(timeout=WAIT_S)
        return first, time.perf_counter() - started

    def close(self) -> None:
        """End the kernel."""
        self._client.stop_channels()
        self._manager.shutdown_kernel(now=True)
        self._folder.cleanup()


class ProductKernel:
    """A conversation's kernel as a client sees it: POST a cell, hear it on the stream."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self.conversation = product.conversation()
        self._path = f"/api/conversations/{self.conversation}/cells"
        self._stack = contextlib.ExitStack()
        self._poster = self._stack.enter_context(contextlib.closing(product.connect()))
        self._events = self._stack.enter_context(product.events(self.conversation))
        self.until_idle("None")

    def first_output(self, code: str) -> float:
        """Seconds from the POST to the first output on the stream."""
        started = time.perf_counter()
        # One thread does both: the stream is read while the answer to the POST waits.
        self._product.send(self._poster, "POST", self._path, {"code": code})
        self._events.until("cell_output")
        first = time.perf_counter() - started
        self._finish()
        return first

    def until_idle(self, code: str) -> float:
        """Seconds from the POST until the cell is over on the stream."""
        started = time.perf_counter()
        self._product.send(self._poster, "POST", self._path, {"code": code})
        self._finish()
        return time.perf_counter() - started

    def _finish(self) -> None:
        finished = self._events.until("cell_finished")
        if finished["status"] != "ok":
            raise ProductError(f"the cell ended with {finished}")
        self.last_cell = str(self._product.answer(self._poster)["cell_id"])

    def whole_output(self) -> bytes:
        """The last cell's output from its file."""
        with contextlib.closing(self._product.connect()) as connection:
            path = f"{self._path}/{self.last_cell}/output"
            connection.request("GET", path, headers=self._product.headers)
            return connection.getresponse().read()

    def close(self) -> None:
        """Leave the stream."""
        self._stack.close()


# --- the parts ---------------------------------------------------------------------------------


def percentile(values: list[float], share: float) -> float:
    """The smallest value that ``share`` of all do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def bench_first_output(size: Size) -> Iterator[Result]:
    """(a) POST of a cell to its first output at a listener."""
    raw_s: list[float] = []
    ours_s: list[float] = []
    with Product("--demo") as product, kernels(product) as (raw, ours):
        for side in (raw, ours):
            for _ in range(10):
                side.first_output("1+1")
        for _ in range(size.blocks):
            raw_s += [raw.first_output("1+1") for _ in range(size.cells)]
            ours_s += [ours.first_output("1+1") for _ in range(size.cells)]
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        theirs, mine = percentile(raw_s, share) * 1e3, percentile(ours_s, share) * 1e3
        yield Result("a", f"cell to first output, {name}", mine, "ms")
        yield Result("a", f"raw jupyter_client, {name}", theirs, "ms")
        yield Result("a", f"ratio, {name}", mine / theirs, "x", 2.0)


def bench_flood(size: Size) -> Iterator[Result]:
    """(b) 200,000 printed lines to idle; the whole of them is in the cell's file."""
    raw_s: list[float] = []
    ours_s: list[float] = []
    expected = "".join(f"{i}\n" for i in range(LINES)).encode()
    with Product("--demo") as product, kernels(product) as (raw, ours):
        for _ in range(size.floods):
            raw_s.append(raw.until_idle(PRINT_CODE))
            ours_s.append(ours.until_idle(PRINT_CODE))
            if ours.whole_output() != expected:
                raise ProductError("the file of the cell does not hold what was printed")
    mine, theirs = statistics.median(ours_s), statistics.median(raw_s)
    yield Result("b", f"{LINES:,} lines to idle", mine, "s")
    yield Result("b", "raw jupyter_client", theirs, "s")
    yield Result("b", "ratio", mine / theirs, "x", 1.3)


def bench_start(size: Size) -> Iterator[Result]:
    """(c) the command to its first healthy answer; memory of the two processes."""
    seconds, memory = [], []
    for _ in range(size.starts):
        with model_server() as server, Product(environment=server.environment) as product:
            seconds.append(product.wait_healthy())
            main = psutil.Process(product.process.pid)
            manager = wait_for_manager(product, main)
            product.json("GET", "/api/models")
            memory.append((main.memory_info().rss, manager.memory_info().rss))
    first, second = (statistics.median(column) / MIB for column in zip(*memory, strict=True))
    yield Result("c", "gptcode to first healthy answer", statistics.median(seconds), "s", 0.9)
    yield Result("c", "resident memory, web process", first, "MiB")
    yield Result("c", "resident memory, kernel manager", second, "MiB")
    yield Result("c", "resident memory, both (MB)", (first + second) * MIB / 1e6, "MB", 130)


def bench_model(size: Size) -> Iterator[Result]:
    """(d) a model's chunk in, an event out; and how many a second one stream carries."""
    with model_server() as server, Product(environment=server.environment) as product:
        conversation = product.conversation()
        paced = stream_turn(product, server.script, conversation, size.paced, pause_s=0.005)
        rates = [
            stream_turn(product, server.script, conversation, size.chunks, pause_s=0.0).rate
            for _ in range(3)
        ]
    added = [1e3 * delay for delay in paced.delays]
    yield Result("d", "chunk sent to event received, p50", statistics.median(added), "ms", 5.0)
    yield Result("d", "chunk sent to event received, p99", percentile(added, 0.99), "ms")
    rate = statistics.median(rates)
    yield Result("d", "chunks a second on one stream", rate, "/s", 2000, at_least=True)


def bench_files(size: Size) -> Iterator[Result]:
    """(e) a large file up and down again, and what the web process grows by."""
    with Product("--demo") as product:
        product.wait_healthy()
        path = f"/api/conversations/{product.conversation()}/files/large.bin"
        for verb, transfer in (("upload", upload), ("download", download)):
            transfer(product, path + ".warm", MIB)
            with MemoryWatch(product.process.pid) as watch:
                started = time.perf_counter()
                transfer(product, path, size.upload_bytes)
                seconds = time.perf_counter() - started
            megabytes = size.upload_bytes / 1e6
            yield Result("e", f"{verb} of {megabytes:,.0f} MB", megabytes / seconds, "MB/s")
            yield Result("e", f"growth of resident memory, {verb}", watch.growth / MIB, "MiB", 32)


PARTS: dict[str, Callable[[Size], Iterator[Result]]] = {
    "a": bench_first_output,
    "b": bench_flood,
    "c": bench_start,
    "d": bench_model,
    "e": bench_files,
}


# --- what the parts use ------------------------------------------------------------------------


@contextlib.contextmanager
def kernels(product: Product) -> Iterator[tuple[RawKernel, ProductKernel]]:
    """One of each, both warm."""
    product.wait_healthy()
    with (
        contextlib.closing(RawKernel()) as raw,
        contextlib.closing(ProductKernel(product)) as ours,
    ):
        yield raw, ours


def wait_for_manager(product: Product, main: psutil.Process) -> psutil.Process:
    """The kernel manager's process, once it is ready. Raises ProductError."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        if product.json("GET", "/api/health")["kernel_manager"] == "ready":
            for child in main.children():
                if "gpt_code_ui.kernel.manager" in child.cmdline():
                    return child
    raise ProductError("the kernel manager did not get ready")


class MemoryWatch:
    """The peak of a process's resident memory over what it was at the start, in bytes."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self._before: int = self._process.memory_info().rss
        self._peak: int = self._before
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="memory-watch")

    def _watch(self) -> None:
        while not self._over.wait(0.02):
            self._peak = max(self._peak, self._process.memory_info().rss)

    @property
    def growth(self) -> int:
        """Bytes between the start and the peak."""
        return self._peak - self._before

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()


def upload(product: Product, path: str, size: int) -> None:
    """PUT ``size`` bytes as a stream."""
    block = os.urandom(MIB)
    with contextlib.closing(product.connect()) as connection:
        headers = product.headers | {"Content-Length": str(size)}
        body = (block for _ in range(size // MIB))
        connection.request("PUT", path, body=body, headers=headers)
        product.answer(connection)


def download(product: Product, path: str, size: int) -> None:
    """GET what ``upload`` put there, and count it."""
    buffer, got = bytearray(MIB), 0
    with contextlib.closing(product.connect()) as connection:
        connection.request("GET", path, headers=product.headers)
        response = connection.getresponse()
        while read := response.readinto(buffer):
            got += read
    if got != size:
        raise ProductError(f"{path}: {got} bytes came back, not {size}")


WORD = "12345678"


@dataclass(frozen=True)
class StreamedTurn:
    """When each chunk left the model server, and when its text was heard."""

    sent: list[float]
    heard: list[float]

    @property
    def delays(self) -> list[float]:
        """Seconds from sent to heard, of each chunk."""
        return [there - here for here, there in zip(self.sent, self.heard, strict=True)]

    @property
    def rate(self) -> float:
        """Chunks a second, from the first sent to the last heard."""
        return len(self.sent) / (self.heard[-1] - self.sent[0])


def stream_turn(
    product: Product, server: ScriptedOpenAI, conversation: str, chunks: int, pause_s: float
) -> StreamedTurn:
    """One turn whose answer is ``chunks`` words of one length, ``pause_s`` apart."""
    sent: list[float] = []
    heard: list[float] = []

    def stamp() -> None:
        if pause_s:
            time.sleep(pause_s)
        sent.append(time.perf_counter())

    words: list[Step] = [step for _ in range(chunks) for step in (stamp, chunk({"content": WORD}))]
    server.script(Reply([*words, chunk(finish="stop"), DONE]))
    path = f"/api/conversations/{conversation}"
    with product.events(conversation, after=product.json("GET", path)["seq"]) as events:
        product.json("POST", f"{path}/turns", {"prompt": "Count."})
        for published in events:
            event = published["event"]
            if event["type"] == "text_delta":
                # Deltas may come merged: what counts is how far the text has got.
                reached = (event["offset"] + len(event["text"])) // len(WORD)
                heard += [time.perf_counter()] * (reached - len(heard))
            elif event["type"] == "turn_finished":
                break
    if len(heard) != chunks or event["status"] != "completed":
        raise ProductError(f"{len(heard)} of {chunks} chunks were heard: {event}")
    return StreamedTurn(sent, heard)


class ModelServer(NamedTuple):
    """The server, and what the product has to be told about it."""

    script: ScriptedOpenAI
    environment: dict[str, str]


@contextlib.contextmanager
def model_server() -> Iterator[ModelServer]:
    """A scripted model server, with the environment that points the product at it."""
    with ScriptedOpenAI() as server:
        yield ModelServer(
            server,
            {
                "OPENAI_BASE_URL": server.url,
                "OPENAI_API_KEY": "sk-bench",
                "GPTCODE_MODEL": "scripted",
            },
        )


def machine() -> dict[str, object]:
    """What the figures were taken on."""
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[0], 1),
    }


def main() -> int:
    """Run the chosen parts; 1 if a target was missed."""
    parser = argparse.ArgumentParser(description="Measure the running product.")
    parser.add_argument("--only", default=",".join(PARTS), help="parts, as in a,d")
    parser.add_argument("--quick", action="store_true", help="a trial of the bench itself")
    parser.add_argument("--json", type=Path, default=ROOT / "bench.json", dest="target")
    chosen = parser.parse_args()
    results: list[Result] = []
    for part in chosen.only.split(","):
        for result in PARTS[part](QUICK if chosen.quick else FULL):
            results.append(result)
            print(result.row(), flush=True)
    rows = [asdict(result) | {"good": result.good} for result in results]
    report: dict[str, Any] = {"machine": machine(), "quick": chosen.quick, "results": rows}
    chosen.target.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(", ".join(f"{key} {value}" for key, value in report["machine"].items()))
    print(f"written to {chosen.target}")
    return int(any(result.good is False for result in results))


if __name__ == "__main__":
    sys.exit(main())
