#!/usr/bin/python3
"""The zoo: for each plugin with a defect, the one sentence that `tasker-host plugin check` answers, and how it exits.

Usage: zoo_table.py BUILD. Prints the table; fails when an answer differs, or when a plugin of the zoo has no row.
"""

import concurrent.futures
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import Callable

BUILD = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else os.environ["TASKER_BUILD"]).resolve()
PLUGINS = BUILD / "tests" / "plugins"
HOST = BUILD / "host" / "tasker-host"
PATIENCE_S = 60
FITS, FOUND = 0, 1
HERE = "the host"  # loads or runs it unharmed
CHILD = "a process"  # harms the process that loads or runs it: only another process contains it


@dataclass
class Row:
    """`answer`: how the one sentence goes on behind "plugin FILE"; empty: there is none. {file} is the file."""

    defect: str
    plugin: str
    contained: str
    answer: str
    exit: int = FOUND
    handler: str = ""
    arguments: tuple = ()
    waits: bool = False  # the answer comes when the patience is over
    spoil: Callable = None  # makes the defect in a copy of a good plugin


def spoil_bytes(at, new):
    def spoil(file):
        data = bytearray(file.read_bytes())
        data[at:at + len(new)] = new
        file.write_bytes(data)
    return spoil


def cut(file):
    os.truncate(file, 600)


def text_instead(file):
    file.write_text("#!/bin/sh\n", encoding="utf-8")


def program_instead(file):
    shutil.copyfile("/bin/true", file)


def writable(file):
    file.chmod(0o664)


def writable_folder(file):
    file.parent.chmod(0o777)


E_MACHINE, SPARC = 18, b"\x02\x00"
INIT = r"; mend its init, or its table in worker\.toml"

ROWS = [
    # The file.
    Row("others may write the file", "hello_c", HERE,
        r": the file {file} is writable by others than its owner; run chmod go-w {file}", spoil=writable),
    Row("others may write the folder", "hello_c", HERE,
        r": the folder \S+ is writable by others than its owner; run chmod go-w \S+", spoil=writable_folder),
    Row("no ELF file", "hello_c", HERE, r": it is no ELF library; build it with -shared", spoil=text_instead),
    Row("for another machine", "hello_c", HERE, r": it is made for another machine; build it for \S+",
        spoil=spoil_bytes(E_MACHINE, SPARC)),
    Row("cut off", "hello_c", HERE, r": its symbols cannot be read \(.*\); build it anew", spoil=cut),
    Row("a program", "hello_c", HERE,
        r": it exports no tasker_plugin_v1, so it is no Tasker plugin; define tasker_plugin_v1\(\) as TASKER_EXPORT, "
        r"or use TASKER_PLUGIN", spoil=program_instead),
    Row("no entry", "zoo_no_entry", HERE,
        r": it exports no tasker_plugin_v1, so it is no Tasker plugin; define tasker_plugin_v1\(\) as TASKER_EXPORT, "
        r"or use TASKER_PLUGIN"),
    Row("another major version", "zoo_other_major", HERE,
        r": it is made for plugin ABI 2, this host has plugin ABI 1; build it with this host's <tasker/plugin\.h>"),
    # How it is linked.
    Row("a library is missing", "zoo_missing_library", HERE,
        r": it needs libzoo_absent\.so, which cannot be found; install it, or put it into the plugin's folder and link "
        r"with -Wl,-rpath,'\$ORIGIN'"),
    Row("an undefined symbol", "zoo_undefined_symbol", HERE,
        r": it cannot be loaded: .*undefined symbol: zoo_defined_nowhere; install what it needs \(see ldd {file}\)"),
    Row("more exports than the entry", "zoo_exports", HERE,
        r": it exports more than its entry \(zoo_more\); build it with tasker_add_plugin, or -fvisibility=hidden "
        r"and a version script", FOUND, arguments=("--strict",)),
    Row("a GNU-unique symbol", "zoo_unique", HERE,
        r": it exports STB_GNU_UNIQUE symbols \(zoo_one\), which all plugins of a process share; compile it with "
        r"-fno-gnu-unique", FITS),
    Row("text relocations", "zoo_text_relocation", HERE,
        r": it has text relocations, so its code must be writable; compile all of it with -fPIC"),
    Row("static TLS", "zoo_static_tls", HERE,
        r": it uses static TLS \(DF_STATIC_TLS\), of which a process has little, so that loading may fail; compile it "
        r"without -ftls-model=initial-exec", FITS),
    Row("lazy binding", "zoo_lazy", HERE,
        r": it is linked for lazy binding; link it with -Wl,-z,now, so that a missing symbol is found when it is built "
        r"into a host", FITS),
    Row("no RELRO", "zoo_norelro", HERE,
        r": its tables stay writable \(no RELRO\); link it with -Wl,-z,relro", FITS),
    Row("an executable stack", "zoo_execstack", CHILD,
        r": it asks for an executable stack, which the whole process would get; link it with -Wl,-z,noexecstack"),
    Row("a relative RUNPATH", "zoo_runpath_relative", HERE,
        r": its RUNPATH names 'lib', which is taken from whichever folder the host was started in; set it to \$ORIGIN"),
    Row("a RUNPATH elsewhere", "zoo_runpath_elsewhere", HERE,
        r": its RUNPATH names /opt/build/lib, outside of its own folder; set it to \$ORIGIN or a folder below", FITS),
    # The table.
    Row("NULL for a table", "zoo_null_table", HERE,
        r": tasker_plugin_v1\(\) returned NULL; it must return its table"),
    Row("size 0", "zoo_size_zero", HERE,
        r": its table says size 0, ABI 1\.0 has 88; set size = sizeof\(tasker_plugin_entry\)"),
    Row("a size larger than known: no defect", "zoo_size_huge", HERE,
        r": it registers no handler, so no step can run in it; call register_handler in its init", FITS),
    Row("needs a newer host", "zoo_newer_host", HERE,
        r": it needs a host with plugin ABI 1\.99, this host has 1\.0; install a newer tasker-host"),
    Row("an illegal name", "zoo_bad_name", HERE,
        r": its name 'Zoo Plugin' is not legal; use 1 to 128 of a-z, 0-9, '_', '\.' and '-'"),
    Row("no init", "zoo_no_init", HERE, r": its table has no init; every plugin needs one"),
    # init.
    Row("init fails after 3 handlers", "zoo_init_fails", HERE,
        r": its init failed \(E_INTERNAL\): the card reader is not plugged in" + INIT),
    Row("init throws", "zoo_init_throws", HERE,
        r": its init failed \(E_INTERNAL\): an exception left init\(\), which the ABI forbids" + INIT),
    Row("one id twice", "zoo_duplicate_ids", HERE,
        r": its init failed \(E_EXISTS\): handler 'zoo\.first' is registered twice by plugin zoo_init "
        r"\({file}\)" + INIT),
    Row("an id of 501 bytes", "zoo_long_id", HERE,
        r": its init failed \(E_INVALID\): 'x{{500}}\.\.\. \[cut: 501 bytes, the limit is 500\]' is no "
        r"handler id; use 1 to 500 bytes of UTF-8 without control characters or surrounding spaces" + INIT),
    Row("an id that is no UTF-8", "zoo_id_no_utf8", HERE,
        r": its init failed \(E_INVALID\): 'caf\ufffd' is no handler id; use 1 to 500 bytes of UTF-8 without control "
        r"characters or surrounding spaces" + INIT),
    Row("a handler without start", "zoo_no_start", HERE,
        r": its init failed \(E_INVALID\): handler 'zoo_no_start\.works' has no start; every handler needs one" + INIT),
    Row("a handler without ops", "zoo_no_ops", HERE,
        r": its init failed \(E_INVALID\): handler 'zoo_no_ops\.works' has no ops of ABI 1\.0; set ops and ops->size = "
        r"sizeof\(tasker_handler_ops\)" + INIT),
    Row("a handler of size 0", "zoo_handler_size_zero", HERE,
        r": its init failed \(E_INVALID\): a handler says size 0, ABI 1\.0 has 104; set size = sizeof\(tasker_handler\)"
        + INIT),
    Row("no handler", "zoo_no_handler", HERE,
        r": it registers no handler, so no step can run in it; call register_handler in its init", FITS),
    Row("init hangs", "zoo_hangs_in_init", CHILD,
        r": its init has not returned after 1 s; mend it, or raise --patience if it needs longer", waits=True),
    Row("crashes in init", "zoo_crashes", CHILD,
        r": the process died of SIG(ILL|TRAP) in its init; debug it with gdb --args tasker-host plugin run, a "
        r"host would die too"),
    Row("calls exit in init", "zoo_exits", CHILD,
        r": the process was ended with exit status 0 in its init; a plugin must not call exit, return an "
        r"error instead"),
    # Handlers.
    Row("start throws", "zoo_start_throws", HERE,
        r": handler 'zoo_start_throws\.works' failed its step \(tasker\.refused\): handler "
        r"'zoo_start_throws\.works' of plugin zoo_start_throws did not start \(E_INTERNAL\): an exception "
        r"left start\(\), which the ABI forbids; mend the handler", handler="zoo_start_throws.works"),
    Row("start throws into plugin.hpp", "zoo_throws", HERE,
        r": handler 'throws\.other' failed its step \(Exception\): index 7; mend the handler, or give it what it needs",
        FITS, handler="throws.other"),
    Row("start refuses", "zoo_ends", HERE,
        r": handler 'ends\.refuses' failed its step \(tasker\.refused\): handler 'ends\.refuses' of plugin "
        r"zoo_ends did not start \(E_BUSY\): the queue is full; mend the handler", handler="ends.refuses"),
    Row("completes twice", "zoo_ends", HERE,
        r": handler 'ends\.twice' ended an attempt that had ended or was released; end each attempt once, before its "
        r"token is released", handler="ends.twice"),
    Row("completes after its release", "zoo_ends", HERE,
        r": handler 'ends\.after_release' ended an attempt that had ended or was released; end each attempt "
        r"once, before its token is released", handler="ends.after_release"),
    Row("completes in shutdown", "zoo_late_end", HERE,
        r": handler 'zoo_late_end\.works' ended an attempt that had ended or was released; end each attempt "
        r"once, before its token is released", handler="zoo_late_end.works"),
    Row("releases twice", "zoo_ends", HERE,
        r": handler 'ends\.released_twice' released a token that was gone; release each reference once",
        handler="ends.released_twice"),
    Row("releases without an end", "zoo_ends", HERE,
        r": handler 'ends\.never' failed its step \(tasker\.dropped\): handler 'ends\.never' let go of the attempt "
        r"without ending it; mend the handler", handler="ends.never"),
    Row("never ends", "zoo_ends", HERE,
        r": handler 'ends\.holds' did not end its step within 1 s; call complete, fail or yield for each "
        r"token, or raise --patience", handler="ends.holds", waits=True),
    Row("never releases", "zoo_ends", HERE,
        r" was left as it is, without shutdown: handler 'ends\.unreleased' \(step 'step'\) ended, but did not "
        r"return or release its token, after \S+ s; .*; end all that runs by the drain's deadline, and give "
        r"back 2 unreleased tokens of handler 'ends\.unreleased'", handler="ends.unreleased", waits=True),
    Row("a result that is no JSON", "zoo_ends", HERE,
        r": handler 'ends\.no_json' failed its step \(InvalidResult\): the result of handler 'ends\.no_json' "
        r"is no JSON: .*; mend the handler", handler="ends.no_json"),
    Row("a result that is no UTF-8", "zoo_ends", HERE,
        r": handler 'ends\.no_utf8' failed its step \(InvalidResult\): the result of handler 'ends\.no_utf8' "
        r"is no JSON: .*; mend the handler", handler="ends.no_utf8"),
    Row("blocks in cancel", "zoo_blocks_in_cancel", HERE,
        r" was left as it is, without shutdown: its cancel of 'zoo_blocks_in_cancel\.works' has not returned; "
        r".*; end all that runs by the drain's deadline, and give back .*",
        handler="zoo_blocks_in_cancel.works", waits=True),
    Row("goes on when it is cancelled", "zoo_ignores_cancel", HERE,
        r": handler 'zoo_ignores_cancel\.works' did not end within 1 s of being cancelled; heed cancel\(\), or "
        r"heartbeat's TASKER_E_CANCELLED", handler="zoo_ignores_cancel.works", waits=True),
    # The end.
    Row("drain hangs", "zoo_drain", HERE,
        r" was left as it is, without shutdown: its drain has not returned; .*; end all that runs by the drain's "
        r"deadline", waits=True),
    Row("drain throws", "zoo_drain_throws", HERE,
        r" was left as it is, without shutdown: an exception left its drain, which the ABI forbids; .*; end "
        r"all that runs by the drain's deadline"),
    Row("shutdown throws", "zoo_shutdown_throws", HERE,
        r" was left as it is, without shutdown: an exception left its shutdown, which the ABI forbids; .*; "
        r"end all that runs by the drain's deadline"),
    Row("shutdown hangs", "zoo_hangs_in_shutdown", HERE,
        r" was left as it is, without shutdown: its shutdown has not returned; .*; end all that runs by the drain's "
        r"deadline", waits=True),
    Row("keeps a buffer of the host", "zoo_keeps_buffer", HERE,
        r": it ends and still holds 1 unreleased buffer; release what the host gives it before its shutdown returns"),
    Row("fails its second init", "zoo_starts_once_silently", HERE,
        r": its init failed \(E_INTERNAL\); start anew, or answer TASKER_E_WRONG_STATE"),
    Row("starts once and says so: no defect", "zoo_starts_once", HERE, "", FITS),
    # What belongs to the whole process.
    Row("prints to stdout", "zoo_prints", CHILD,
        r": it writes to stdout \('zoo: ready'\), which belongs to the host; use the host's log\(\)", FITS),
    Row("forks", "zoo_forks", CHILD,
        r": it called fork 2 times, which loses the host's threads and locks in the child; use posix_spawn"),
    Row("leaves a thread behind", "zoo_leaves_thread", CHILD,
        r": after its shutdown 1 thread still runs \(zoo-poller\); join every thread in shutdown"),
    Row("sets a signal handler", "zoo_signal_handler", CHILD,
        r": it changed the handler of SIGTERM of the whole process; leave that to the host"),
    Row("sets the locale", "zoo_locale", CHILD,
        r": it changed the locale \(C, now C\.UTF-8\) of the whole process; leave that to the host"),
    Row("changes the folder", "zoo_folder", CHILD,
        r": it changed the working folder \(.*, now /\) of the whole process; leave that to the host"),
    Row("crashes at exit", "zoo_crashes_at_exit", CHILD,
        r": the process died of SIGABRT in its exit; debug it with gdb --args tasker-host plugin run, a host would die "
        r"too"),
]
TOGETHER = ("zoo_taken_id", "hello_c")  # both want the handler hello.c_greet
TOGETHER_ANSWER = (r"plugin {file}: its init failed \(E_EXISTS\): handler 'hello\.c_greet' of plugin zoo_taken_id "
                   r"\({file}\) is already registered by plugin hello_c \({other}\)")


def copy_of(plugin, folder):
    """The plugin's file in a folder of its own, with permissions that a host accepts."""
    folder.mkdir(mode=0o755, exist_ok=True)
    source = PLUGINS / f"{plugin}.so"
    file = folder / source.name
    shutil.copyfile(source if source.exists() else PLUGINS / "zoo" / source.name, file)
    file.chmod(0o644)
    return file


def check(file, *arguments):
    """The answers that are not "ok", and the exit status."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(file.parent)}
    ended = subprocess.run([HOST, "plugin", "check", file, "--json", *arguments], cwd=file.parent,
                           env=environment, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    if not ended.stdout:
        raise AssertionError(f"{file.name}: exit status {ended.returncode} without an answer: {ended.stderr}")
    report = json.loads(ended.stdout)
    return [finding["found"] for finding in report["findings"] if finding["severity"] != "ok"], ended.returncode


def answer_to(row, folder):
    file = copy_of(row.plugin, folder)
    if row.spoil:
        row.spoil(file)
    step = ["--handler", row.handler, "--context", "{}"] if row.handler else []
    patience = ["--patience", "1" if row.waits else str(PATIENCE_S // 2)]
    answers, status = check(file, *patience, *row.arguments, *step)
    wanted = [row.answer] if row.answer else []
    good = status == row.exit and len(answers) == len(wanted) and all(
        re.fullmatch("plugin " + re.escape(str(file)) + pattern.replace("{file}", re.escape(str(file)))
                     .replace("{{", "{").replace("}}", "}"), answer) for pattern, answer in zip(wanted, answers))
    return [answer.replace(str(file), row.plugin + ".so") for answer in answers], status, good


def answer_to_both(folder):
    """What `plugin list` says of two plugins that want the same handler."""
    second, first = (copy_of(plugin, folder) for plugin in TOGETHER)
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "TASKER_PLUGIN_PATH": str(folder)}
    ended = subprocess.run([HOST, "plugin", "list"], cwd=folder, env=environment, capture_output=True, text=True,
                           timeout=PATIENCE_S, check=False)
    wanted = TOGETHER_ANSWER.replace("{file}", re.escape(str(second))).replace("{other}", re.escape(str(first)))
    good = ended.returncode == FOUND and re.fullmatch(wanted, ended.stderr.strip()) is not None
    return ended.stderr.strip().replace(str(folder) + "/", ""), ended.returncode, good


def main():
    failures = 0
    built = {file.stem for file in (PLUGINS / "zoo").glob("*.so")}
    missing = built - {row.plugin for row in ROWS} - set(TOGETHER)
    for plugin in sorted(missing):
        print(f"{plugin} of the zoo has no row in {pathlib.Path(__file__).name}; say there how it is answered")
        failures += 1
    with tempfile.TemporaryDirectory(prefix="tasker_zoo_") as name, concurrent.futures.ThreadPoolExecutor(4) as pool:
        folder = pathlib.Path(name)
        answers = list(pool.map(answer_to, ROWS, [folder / str(n) for n in range(len(ROWS))]))
        together, status, good = answer_to_both(folder / "both")
    print("| defect | contained by | exit | answer |", "| --- | --- | --- | --- |", sep="\n")
    for row, (found, status, good) in zip(ROWS, answers):
        print(f"| {row.defect} | {row.contained} | {status} | {' / '.join(found) or 'none: it fits'} |")
        if not good:
            failures += 1
            print(f"FAILED: {row.plugin} {row.handler}: exit {row.exit} wanted, and the answer {row.answer!r}")
    print(f"| one id in two plugins (plugin list) | {HERE} | {status} | {together} |")
    if not good:
        failures += 1
        print(f"FAILED: exit 1 wanted, and the answer {TOGETHER_ANSWER!r}")
    print(f"{len(ROWS) + 1} defects, {failures} failures")
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
