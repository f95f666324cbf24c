import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import context
from apollo_vllm import folder as folders

# A server that names two files and waits to be killed.
_SERVER = """
import sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from apollo_vllm import folder
from apollo_vllm.guardian import Guardian
export, weights = Path(sys.argv[2]), Path(sys.argv[3])
lock = folder.claim(export / "rank0.lock")
guardian = Guardian(export / "rank0.lock")
for path in (export / "index.json", weights / "1.weights"):
    guardian.watch(path)
    path.write_text("x")
print("ready", flush=True)
time.sleep(600)
"""


class GuardianTests(unittest.TestCase):
    def setUp(self):
        root = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.export, self.weights = root / "export", root / "weights"
        self.export.mkdir()
        self.weights.mkdir()
        sources = Path(context.__file__).resolve().parent.parent / "src"
        command = [sys.executable, "-c", _SERVER, str(sources), str(self.export), str(self.weights)]
        self.server = subprocess.Popen(command, stdout=subprocess.PIPE)
        self.addCleanup(self.server.communicate)
        self.addCleanup(self.server.kill)
        self.server.stdout.readline()

    def wait_until_gone(self, path):
        deadline = time.monotonic() + 60
        while path.exists():
            self.assertLess(time.monotonic(), deadline, f"{path} stays")
            time.sleep(0.02)

    def test_what_a_killed_server_published_is_deleted(self):
        self.assertTrue((self.export / "index.json").exists())
        self.server.kill()
        self.wait_until_gone(self.weights / "1.weights")
        self.wait_until_gone(self.export / "index.json")

    def test_handles_of_a_server_that_took_the_folder_over_stay(self):
        # The next server claims the folder between the old one's death and its guardian's look.
        (self.export / "rank0.lock").unlink()
        self.assertIsNotNone(folders.claim(self.export / "rank0.lock"))
        self.server.kill()
        self.wait_until_gone(self.weights / "1.weights")
        self.assertTrue((self.export / "index.json").exists())


if __name__ == "__main__":
    unittest.main()
