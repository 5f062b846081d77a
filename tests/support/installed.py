"""What a test installs of the build, and how it runs commands on it."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest


def run(*command, **settings):
    """What it printed; it must succeed."""
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, **settings)
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(words)} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def install(*components):
    """A folder of this module's own, with these components of the build below its `prefix`."""
    folder = pathlib.Path(tempfile.mkdtemp(prefix="tasker_installed_"))
    unittest.addModuleCleanup(shutil.rmtree, folder)
    for component in components:
        run("cmake", "--install", os.environ["TASKER_BUILD"], "--prefix", folder / "prefix", "--component", component)
    return folder
