#!/usr/bin/python3
"""Runs examples/package_audit on this machine's packages with the real host, and checks every figure of its report.

Usage: run_package_audit.py PATH/tasker-host FOLDER_OF_PLUGINS

In an empty folder: starts `tasker-host run`, submits the template, waits for its end, compares the report
(package_audit_test.py), and stops the host. Then every figure of the report is falsified once, to see that the
comparison notices.
"""

import contextlib
import copy
import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import package_audit_test

EXAMPLE = pathlib.Path(__file__).resolve().parents[2] / "examples" / "package_audit"
WAIT_S = 90


def run_workflow(binary, plugins, folder):
    """Runs the workflow in `folder` to its end and returns the path of the JSON report."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "TASKER_PLUGIN_PATH": str(plugins),
                   "TASKER_TEMPLATE_PATH": str(EXAMPLE)}
    environment.update({name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")})
    reports = folder / "reports"
    context = {"package": "libc6", "report_dir": str(reports)}
    log_path = folder / "host.log"
    with open(log_path, "wb") as log:
        host = subprocess.Popen([binary, "run"], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log,
                                stderr=log)
    try:
        submit = subprocess.run(
            [binary, "submit", str(EXAMPLE / "package_audit.yaml"), "--context", json.dumps(context), "--wait"],
            cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=WAIT_S)
        print(submit.stdout, submit.stderr, sep="")
        check("the workflow completes", submit.returncode == 0, f"exit status {submit.returncode}")
        report = reports / "package_audit.json"
        # The result of the last step is what --wait prints.
        check("the printed result names the report", str(report) in submit.stdout, submit.stdout)
        host.terminate()
        check("the host stops in peace", host.wait(timeout=WAIT_S) == 0, f"exit status {host.returncode}")
    except BaseException:
        print("--- the host's log:", log_path.read_text(errors="replace"), sep="\n")
        raise
    finally:
        if host.poll() is None:
            host.kill()
            host.wait()
    files = sorted(file.name for file in reports.iterdir())
    check("nothing but the reports is left", files == ["package_audit.json", "package_audit.md"], files)
    return report


def falsified(report):
    """Copies of the report, each with one figure wrong, by the figure's name."""

    def changed(name, change):
        wrong = copy.deepcopy(report)
        change(wrong)
        assert wrong != report, name
        return name, wrong

    def add(container, key, amount=1):
        container[key] += amount

    sections = report["section_sizes"]["sections"]
    yield changed("packages", lambda r: add(r, "packages"))
    yield changed("skipped", lambda r: add(r, "skipped"))
    yield changed("unmet", lambda r: r["unmet"].append({"package": "a", "relation": "b"}))
    yield changed("installed size", lambda r: add(r["section_sizes"], "installed_kib"))
    yield changed("a section's size", lambda r: add(r["section_sizes"]["sections"][-1], "installed_kib"))
    yield changed("a section twice", lambda r: r["section_sizes"]["sections"].append(sections[-1]))
    yield changed("edges", lambda r: add(r["dependency_graph"], "edges"))
    yield changed("components", lambda r: add(r["dependency_graph"], "components"))
    yield changed("cycles", lambda r: r["dependency_graph"]["cycles"].append(["a", "b"]))
    yield changed("a rank", lambda r: add(r["dependency_graph"]["page_rank"]["ranks"][-1], "rank", 1e-8))
    yield changed("direct", lambda r: add(r["reverse_dependencies"]["direct"], "count"))
    yield changed("transitive", lambda r: r["reverse_dependencies"]["transitive"]["packages"].pop())
    yield changed("a maintainer's packages", lambda r: add(r["maintainers"]["maintainers"][0], "packages"))


def check_that_comparison_notices(report_path):
    report = json.loads(report_path.read_text())
    for name, wrong in falsified(report):
        report_path.write_text(json.dumps(wrong))
        with contextlib.redirect_stdout(io.StringIO()):
            status = package_audit_test.compare(str(report_path))
        check(f"the comparison notices a wrong figure: {name}", status == 1, f"it returned {status}")


def check(what, holds, found):
    if not holds:
        raise AssertionError(f"expected that {what}; found {found}")


def main(binary, plugins):
    with tempfile.TemporaryDirectory(prefix="package_audit_") as name:
        report = run_workflow(os.path.abspath(binary), os.path.abspath(plugins), pathlib.Path(name))
        if package_audit_test.compare(str(report)) != 0:
            return 1
        check_that_comparison_notices(report)
    return 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
