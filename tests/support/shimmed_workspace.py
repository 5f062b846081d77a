"""A Workspace whose hosts, and clients where wanted, run under tests/chaos/shim/store_shim.c."""

import mmap
import os
import pathlib
import shutil
import struct
import threading

from waiting import until
from workspace import Workspace

SHIM = pathlib.Path(os.environ["TASKER_BUILD"]) / "tests" / "store_shim.so"
PHASES = ("before_commit", "in_fsync", "committed", "handler", "end_queued")
STORE_FILES = ("tasker.db", "tasker.db-wal", "tasker.db-shm")


class Control:
    """What the shims in all processes of a workspace do, from now on: store_shim.h's shim_control."""

    _LAYOUT = struct.Struct("=B7xqQ")
    FULL, SHORT, IO, SYNC, READONLY = b"F", b"S", b"I", b"Y", b"R"

    def __init__(self, path):
        self.path = path
        path.write_bytes(bytes(self._LAYOUT.size))
        with open(path, "r+b") as file:
            self._bytes = mmap.mmap(file.fileno(), self._LAYOUT.size)

    def set_fault(self, fault):
        self._bytes[0:1] = fault

    def clear_fault(self):
        self._bytes[0:1] = b"\0"

    def set_clock_offset(self, seconds):
        self._bytes[8:16] = struct.pack("=q", seconds)

    def faults_met(self):
        return struct.unpack("=Q", self._bytes[16:24])[0]


class ShimmedWorkspace(Workspace):
    """Its hosts run under the shim. `clients`: its client commands too. `shadow`: what a lost power would leave of the
    store is kept; then both must run under the shim."""

    def __init__(self, plugins=("chaos",), config="", clients=False, shadow=False):
        super().__init__(plugins=plugins, config=config)
        self.control = Control(self.path / "control")
        self.report = self.path / "report"
        self.shadow = self.path / "shadow"
        self._clients = clients or shadow
        self._shadowed = shadow
        self.shadow.mkdir()
        self._of_host = threading.local()  # Others submit while a host is started.

    def environment(self):
        of_host = getattr(self._of_host, "environment", None)
        if of_host is None and not self._clients:
            return super().environment()
        return super().environment() | self._shim() | (of_host or {})

    def _shim(self):
        shim = {"LD_PRELOAD": str(SHIM), "TASKER_SHIM_CONTROL": str(self.control.path)}
        return shim | ({"TASKER_SHIM_SHADOW": str(self.shadow)} if self._shadowed else {})

    def start_host(self, phase=None, after=0, nth=1, stop=False):
        """Where a phase is given, the host kills itself there, or stops itself; see store_shim.h."""
        self._of_host.environment = {}
        if phase is not None:
            self._of_host.environment = {"TASKER_SHIM_PHASE": phase, "TASKER_SHIM_AFTER": str(after),
                                         "TASKER_SHIM_NTH": str(nth), "TASKER_SHIM_REPORT": str(self.report)}
            if stop:
                self._of_host.environment["TASKER_SHIM_STOP"] = "1"
        try:
            return super().start_host()
        finally:
            self._of_host.environment = None

    def reported_phases(self):
        """The phases in which hosts killed themselves, in their order."""
        return self.report.read_text(encoding="utf-8").split() if self.report.exists() else []

    def until_dead(self, host, what, give_up=lambda: None):
        """Waits until the host was ended by SIGKILL; also until give_up()."""
        until(what, lambda: host.process.poll() is not None or give_up(), every_s=0.002)
        assert host.process.returncode in (None, -9), f"the host exited with {host.process.returncode}: {what}"

    def power_is_lost(self):
        """Whether a host with a shadow has killed itself: what anybody wrote since then is lost."""
        return (self.shadow / "frozen").exists()

    def lose_power(self):
        """All processes are gone already: leaves of the store what was synced when the host killed itself."""
        (self.shadow / "frozen").unlink()
        folder = self.store.path.parent
        for name in STORE_FILES:
            (folder / name).unlink(missing_ok=True)
            if (self.shadow / name).exists():
                shutil.copyfile(self.shadow / name, folder / name)
