"""A folder of its own in which a test runs the real host and its client commands."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

from own_record import OwnRecord
from store_rows import StoreRows
from waiting import PATIENCE_S, until

HOST = os.environ["TASKER_HOST"]
E2E_PLUGINS = pathlib.Path(os.environ["TASKER_BUILD"]) / "plugins_e2e"


class Workspace:
    """Plugins, templates, configuration and the store of one test. Leaving it kills the hosts that still run; with an
    exception, it prints what they logged."""

    def __init__(self, plugins=(), config=""):
        self._folder = tempfile.TemporaryDirectory(prefix="tasker_e2e_")
        self.path = pathlib.Path(self._folder.name)
        self.hosts = []
        self.plugins, self.templates = self.path / "plugins", self.path / "templates"
        for folder in (self.plugins, self.templates):
            folder.mkdir(mode=0o755)
        for name in plugins:
            self.add_plugin(E2E_PLUGINS / f"{name}.so")
        self.record = OwnRecord(self.path / "record")
        self.store = StoreRows(self.path / ".tasker" / "tasker.db")
        self._gate = self.path / "gate"
        os.mkfifo(self._gate, 0o600)
        self._open_gate = None
        (self.path / "worker.toml").write_text(config, encoding="utf-8")

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        for host in self.hosts:
            host.kill()
        if error is not None:
            for host in self.hosts:
                print(f"--- {host.log_path.name}:", host.log_path.read_text(errors="replace"), sep="\n",
                      file=sys.stderr)
        if self._open_gate is not None:
            os.close(self._open_gate)
        self._folder.cleanup()

    def environment(self):
        """Nothing of the caller's but what sanitizers read."""
        own = {"PATH": os.environ["PATH"], "HOME": str(self.path), "TASKER_CONFIG_PATH": str(self.path / "worker.toml"),
               "TASKER_PLUGIN_PATH": str(self.plugins), "TASKER_TEMPLATE_PATH": str(self.templates),
               "TASKER_E2E_FOLDER": str(self.path)}
        return own | {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}

    def add_plugin(self, library):
        """Drops a library into the plugin folder."""
        target = self.plugins / pathlib.Path(library).name
        shutil.copyfile(library, target)
        target.chmod(0o755)  # The host refuses what others may write.

    def add_template(self, name, text):
        (self.templates / f"{name}.yaml").write_text(text, encoding="utf-8")

    def open_gate(self):
        """Lets everyone pass who waits at the gate, or comes to it later."""
        self._open_gate = os.open(self._gate, os.O_RDWR | os.O_CLOEXEC)

    def start_host(self, **environment):
        """A host that has been started; it may not be up yet. `environment` comes on top of the workspace's."""
        host = RunningHost(self, self.path / f"host-{len(self.hosts) + 1}.log", environment)
        self.hosts.append(host)
        return host

    def client(self, *arguments):
        """A client command, run to its end."""
        return subprocess.run([HOST, *arguments], cwd=self.path, env=self.environment(), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=PATIENCE_S)

    def client_begins(self, *arguments):
        """A client command that goes on while the test does; its output goes to the file that is returned with it."""
        output = self.path / "client.out"
        with open(output, "wb") as file:
            process = subprocess.Popen([HOST, *arguments], cwd=self.path, env=self.environment(),
                                       stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)
        return process, output

    def ask(self, *arguments):
        """What a client command answers as JSON; it must succeed."""
        ended = self.client(*arguments, "--json")
        if ended.returncode != 0:
            raise AssertionError(f"tasker-host {' '.join(arguments)} exited with {ended.returncode}: {ended.stderr}")
        return json.loads(ended.stdout)

    def submit(self, template, context=None):
        """The uuid of a new task."""
        return self.ask("submit", template, "--context", json.dumps(context or {}))["task"]

    def wait_settled(self, task):
        """The task as `task show` has it, once nothing more happens to it by itself."""
        self.client("task", "show", task, "--watch")
        return self.ask("task", "show", task)


class RunningHost:
    """One `tasker-host run`."""

    def __init__(self, workspace, log_path, environment):
        self.log_path = log_path
        with open(log_path, "wb") as log:
            self.process = subprocess.Popen([HOST, "run"], cwd=workspace.path,
                                            env=workspace.environment() | environment,
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.pid = self.process.pid

    def log(self, containing=""):
        """The messages that it logged, each a dict; those whose text contains this."""
        lines = [line for line in self.log_path.read_text(encoding="utf-8").splitlines() if line.startswith("{")]
        return [line for line in map(json.loads, lines) if containing in line["message"]]

    def until(self, what, condition, every_s=0.005, patience_s=PATIENCE_S):
        """Waits for a condition; fails at once when the host ends before."""

        def holds():
            alive = self.process.poll() is None
            value = condition()
            if not value and not alive:
                raise AssertionError(f"the host exited with {self.process.returncode} before this happened: {what}")
            return value

        return until(what, holds, patience_s, every_s)

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def wait(self):
        """Its exit status."""
        return self.process.wait(timeout=PATIENCE_S)

    def stop(self):
        """Its exit status after SIGTERM."""
        self.terminate()
        return self.wait()

    def kill(self):
        """SIGKILL. Harmless when it has ended."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
