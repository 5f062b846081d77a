"""What the rows of scripts/bench are measured with: running hosts, clients and floors, and what is read of them."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import sqlite3
import struct
import subprocess
import time

TOP = pathlib.Path(__file__).resolve().parent.parent
TEMPLATES = TOP / "bench"


class BenchError(Exception):
    """A sentence for the one who ran the benchmark."""


def run(what, command, **options):
    done = subprocess.run(command, cwd=options.pop("cwd", TOP), capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        tail = "\n".join((done.stdout + done.stderr).splitlines()[-15:])
        raise BenchError(f"{what} failed:\n{tail}")
    return done.stdout


def fresh(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


class Record:
    """What bench/handlers/noop.c wrote: starts, ends, first start, last end."""

    def __init__(self, file):
        head = file.read_bytes()[:32] if file.exists() else b""
        self.starts, self.ends, self.first_start_ns, self.last_end_ns = (
            struct.unpack("=4q", head) if len(head) == 32 else (0, 0, 0, 0))


class Host:
    """A running tasker-host with its store in `folder`/.tasker, the benchmark's plugin, and every default."""

    def __init__(self, build_folder, folder, name="host", **environment):
        self.folder, self.record_file, self.log_file = folder, folder / f"{name}.record", folder / f"{name}.log"
        env = {name: value for name, value in os.environ.items() if not name.startswith("TASKER_")}
        env |= {"TASKER_PLUGIN_PATH": str(build_folder / "bench" / "plugins"),
                "TASKER_BENCH_RECORD": str(self.record_file)} | environment
        with open(self.log_file, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(self.command(build_folder / "host" / "tasker-host"), cwd=folder, env=env,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def command(self, binary):
        return [binary, "run"]

    def record(self):
        return Record(self.record_file)

    def wait_for(self, what, reached, seconds):
        deadline = time.monotonic() + seconds
        while not reached(self.record()):
            if self.process.poll() is not None:
                status = self.process.returncode
                raise BenchError(f"tasker-host ended with status {status} before {what}:\n{self.log()}")
            if time.monotonic() > deadline:
                raise BenchError(f"not within {seconds} s: {what}; {self.log_file} ends so:\n{self.log()}")
            time.sleep(0.05)

    def log(self):
        return "\n".join(self.log_file.read_text(encoding="utf-8").splitlines()[-10:])

    def turns(self):
        """As it says itself when it has stopped."""
        last = json.loads(self.log_file.read_text(encoding="utf-8").splitlines()[-1])
        return last["turns"]

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(40)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise BenchError(f"tasker-host did not end within 40 s of SIGTERM:\n{self.log()}") from None
        if status != 0:
            raise BenchError(f"tasker-host ended with status {status} after SIGTERM:\n{self.log()}")


@contextlib.contextmanager
def running(build_folder, folder, name="host", kind=Host, **environment):
    host = kind(build_folder, folder, name, **environment)
    try:
        yield host
    except BaseException:
        host.process.kill()
        host.process.wait()
        raise
    host.stop()


def floor(build_folder, folder, mode, *options):
    return json.loads(run(f"floor {mode}", [str(build_folder / "bench" / "floor"), mode, "--dir", str(fresh(folder)),
                                            *options]))


def submit(build_folder, folder, count, template="linear4", every_ms=0):
    """A client beside the host in `folder` submits tasks of bench/`template`.yaml; a store that is missing is made.
    With an interval: when each submit began and how long it took, in ns."""
    (folder / ".tasker").mkdir(mode=0o700, exist_ok=True)
    printed = run("submit_client", [str(build_folder / "bench" / "submit_client"),
                                    str(folder / ".tasker" / "tasker.db"), str(TEMPLATES / f"{template}.yaml"),
                                    str(count), str(every_ms)])
    return json.loads(printed) if every_ms else None


def quantile(values, share):
    return sorted(values)[max(0, -(-len(values) * share // 100) - 1)]


def check_all_done(folder, tasks, steps):
    """Whether the work was done at all, read from the tables; returns the bytes that a task takes on disk."""
    with contextlib.closing(sqlite3.connect(folder / ".tasker" / "tasker.db")) as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        ended, = store.execute("SELECT count(*) FROM task WHERE open_steps = 0 AND ended_us IS NOT NULL").fetchone()
        results, = store.execute("SELECT count(*) FROM payload WHERE length(body) = 500").fetchone()
        if (ended, results) != (tasks, tasks * steps):
            raise BenchError(f"of {tasks} tasks {ended} have ended, with {results} results; see {folder}.")
        pages, = store.execute("PRAGMA page_count").fetchone()
        page_bytes, = store.execute("PRAGMA page_size").fetchone()
        return pages * page_bytes / tasks


def application(build_folder, folder, template, runs):
    """ms of one task after the other in a process with a host that has nothing else to do (bench/application.cc)."""
    (folder / ".tasker").mkdir(exist_ok=True)
    bench = build_folder / "bench"
    file = template if isinstance(template, pathlib.Path) else TEMPLATES / f"{template}.yaml"
    command = [str(bench / "application"), str(folder), str(file), str(bench / "plugins"), str(runs)]
    return json.loads(run("bench/application", command,
                          env=os.environ | {"TASKER_BENCH_RECORD": str(folder / "record")}, timeout=300))


def resident_mb(pid, line="VmRSS"):
    """Of a process, now; VmHWM: at most, so far."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return next(int(text.split()[1]) for text in status.splitlines() if text.startswith(line + ":")) / 1024


def process_counters(pid):
    """Write calls and nanoseconds on a CPU of the process so far."""
    io = dict(line.split(": ") for line in pathlib.Path(f"/proc/{pid}/io").read_text().splitlines())
    ran_ns = sum(int(file.read_text().split()[0]) for file in pathlib.Path(f"/proc/{pid}/task").glob("*/schedstat"))
    return int(io["syscw"]), ran_ns


def files_of(folder):
    return {file: (file.stat().st_size, file.stat().st_mtime_ns) for file in (folder / ".tasker").rglob("*")}
