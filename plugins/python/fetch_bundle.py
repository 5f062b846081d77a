"""Puts what the package needs at run time, at the versions of constraints.txt, into the folder that is named; quick
when it is there already."""

import pathlib
import shutil
import subprocess
import sys
import tomllib

HERE = pathlib.Path(__file__).resolve().parent
CONSTRAINTS = HERE / "constraints.txt"


def requirements():
    """What pyproject.toml says, with the optional parts."""
    project = tomllib.loads((HERE.parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project.get("optional-dependencies", {}).values()
    return sorted(project["dependencies"] + [one for extra in extras for one in extra])


def main():
    folder = pathlib.Path(sys.argv[1])
    wanted = "\n".join([*requirements(), CONSTRAINTS.read_text(encoding="utf-8")])
    stamp = folder.with_name(folder.name + ".stamp")
    if folder.is_dir() and stamp.is_file() and stamp.read_text(encoding="utf-8") == wanted:
        return
    shutil.rmtree(folder, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-compile"]
    done = subprocess.run([*pip, "--target", folder, "-c", CONSTRAINTS, *requirements()], check=False)
    if done.returncode != 0:
        sys.exit(f"fetch_bundle: pip could not install {', '.join(requirements())}, as shown above; check the network.")
    shutil.rmtree(folder / "bin", ignore_errors=True)  # Programs, which nobody would find there.
    stamp.write_text(wanted, encoding="utf-8")


main()
