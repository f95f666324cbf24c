import os
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path
from unittest import mock

import context
from apollo_vllm import folder as folders
from apollo_vllm import fold, hold, state_file


class FolderTests(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def test_the_variable_comes_first_then_the_runtime_folder_then_shared_memory(self):
        runtime = self.folder / "runtime"
        runtime.mkdir(mode=0o700)
        with mock.patch.dict(os.environ, {"APOLLO_EXPORT_DIR": "/somewhere", "XDG_RUNTIME_DIR": str(runtime)}):
            self.assertEqual(Path("/somewhere"), folders.default_export_dir())
            del os.environ["APOLLO_EXPORT_DIR"]
            self.assertEqual(runtime / "apollo", folders.default_export_dir())
            with mock.patch.object(os, "geteuid", lambda: 4242):
                self.assertEqual(Path("/dev/shm/apollo-4242"), folders.default_export_dir())

    def test_a_new_folder_is_private(self):
        self.assertEqual(0o700, folders.prepare(self.folder / "a" / "b").stat().st_mode & 0o777)

    def test_a_link_and_a_folder_that_others_may_write_are_refused(self):
        (self.folder / "real").mkdir(mode=0o700)
        (self.folder / "link").symlink_to(self.folder / "real")
        (self.folder / "open").mkdir()
        (self.folder / "open").chmod(0o777)
        for name in ("link", "open"):
            with self.assertRaises(folders.FolderError):
                folders.prepare(self.folder / name)

    def test_files_of_the_dead_are_removed_and_files_of_the_living_stay(self):
        (self.folder / "dead.weights").write_bytes(b"x")
        (self.folder / "other").write_bytes(b"x")
        program = "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); sys.stdin.read()"
        living = subprocess.Popen(
            [sys.executable, "-c", program, str(self.folder / "living.weights")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        try:
            living.stdout.readline()
            self.assertEqual([self.folder / "dead.weights"], folders.remove_stale(self.folder, "*.weights"))
            self.assertEqual(["living.weights", "other"], sorted(path.name for path in self.folder.iterdir()))
        finally:
            living.communicate()
        self.assertEqual([self.folder / "living.weights"], folders.remove_stale(self.folder, "*.weights"))

    def test_a_folder_that_another_server_holds_is_not_claimed_twice(self):
        first = folders.claim(self.folder / "rank0.lock", 1.0)
        self.assertIsNone(folders.claim(self.folder / "rank0.lock"))
        self.assertEqual(f"process {os.getpid()}", folders.holder_of(self.folder / "rank0.lock"))
        os.close(first)
        self.assertIsNotNone(folders.claim(self.folder / "rank0.lock"))

    def test_a_folder_whose_server_is_just_ending_is_waited_for(self):
        lock = self.folder / "rank0.lock"
        first = folders.claim(lock)
        threading.Timer(0.3, os.close, [first]).start()
        self.assertIsNotNone(folders.claim(lock, 10.0))


class HoldTests(unittest.TestCase):
    def setUp(self):
        self.model = Path(self.enterContext(tempfile.TemporaryDirectory()))

    def test_a_model_that_was_never_synced_is_not_touched(self):
        with hold.files_held_still(self.model):
            self.assertEqual([], list(self.model.iterdir()))
        self.assertIsNone(state_file.loaded_root(self.model))

    def test_no_writer_gets_the_lock_while_the_model_loads(self):
        (self.model / ".apollo").mkdir()
        with hold.files_held_still(self.model):
            self.assertIsNone(folders.claim(self.model / ".apollo" / "shards.lock"))
        self.assertIsNotNone(folders.claim(self.model / ".apollo" / "shards.lock"))

    def test_a_writer_that_never_ends_does_not_keep_the_server_from_starting(self):
        (self.model / ".apollo").mkdir()
        writer = folders.claim(self.model / ".apollo" / "shards.lock")
        with self.assertLogs("vllm.apollo", "ERROR"), hold.files_held_still(self.model, wait_seconds=0.2):
            pass
        os.close(writer)

    def test_the_loaded_root_is_the_newest_only_when_the_files_are(self):
        (self.model / ".apollo").mkdir()
        state = self.model / ".apollo" / "state.json"
        state.write_text('{"newest": 3, "filesVersion": 3, "root": "%s"}' % ("ab" * 16))
        self.assertEqual("ab" * 16, state_file.loaded_root(self.model))
        state.write_text('{"newest": 3, "filesVersion": 2, "root": "%s"}' % ("ab" * 16))
        self.assertEqual("0" * 32, state_file.loaded_root(self.model))
        state.write_text("half a fi")
        self.assertIsNone(state_file.loaded_root(self.model))


class FoldTests(unittest.TestCase):
    """With a tool that is a shell script: what the hook does with its answers. The real one folds in tests/Vllm.Tests."""

    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.model = self.folder / "model"
        (self.model / ".apollo" / "journal").mkdir(parents=True)
        self.state(files=2)
        (self.model / ".apollo" / "journal" / "0000000003.delta").touch()

    def state(self, files):
        text = '{"newest": 3, "filesVersion": %d, "root": "%s"}' % (files, "ab" * 16)
        (self.model / ".apollo" / "state.json").write_text(text)

    def tool(self, script):
        path = self.folder / "tool"
        path.write_text(f"#!/bin/sh\necho $@ >> {self.folder}/calls\n{script}\n")
        path.chmod(0o700)
        self.enterContext(mock.patch.dict(os.environ, {"APOLLO_CHECKPOINT": str(path)}))

    def calls(self):
        path = self.folder / "calls"
        return path.read_text().splitlines() if path.exists() else []

    def folded(self):
        return f"""sed -i 's/"filesVersion": 2/"filesVersion": 3/' {self.model}/.apollo/state.json"""

    def test_files_that_are_behind_are_folded_and_then_held(self):
        self.tool(self.folded())
        with self.assertLogs("vllm.apollo", "INFO") as log, hold.files_held_still(self.model):
            self.assertIsNone(folders.claim(self.model / ".apollo" / "shards.lock"))
            self.assertEqual("ab" * 16, state_file.loaded_root(self.model))
        self.assertEqual([f"fold --model-dir {self.model}"], self.calls())
        self.assertIn("its files hold version 2, the newest is 3; folding", log.output[0])

    def test_files_that_are_up_to_date_start_no_tool(self):
        self.state(files=3)
        self.tool("exit 9")
        with hold.files_held_still(self.model):
            pass
        self.assertEqual([], self.calls())

    def test_a_fold_that_was_interrupted_is_finished(self):
        self.state(files=3)
        (self.model / "model.safetensors.folding").touch()
        self.tool(f"rm {self.model}/*.folding")
        with hold.files_held_still(self.model):
            pass
        self.assertEqual(1, len(self.calls()))

    def test_another_process_at_work_is_waited_for(self):
        self.tool(f"[ $(wc -l < {self.folder}/calls) -gt 1 ] || exit 13\n{self.folded()}")
        with self.assertNoLogs("vllm.apollo", "ERROR"), hold.files_held_still(self.model):
            pass
        self.assertEqual(2, len(self.calls()))

    def test_a_tool_that_fails_is_logged_and_the_server_starts_with_a_root_that_is_no_version(self):
        self.tool("echo 'error 1501: no space' >&2; exit 15")
        with self.assertLogs("vllm.apollo", "ERROR") as log, hold.files_held_still(self.model):
            pass
        self.assertIn("error 1501: no space", "\n".join(log.output))
        self.assertEqual("0" * 32, state_file.loaded_root(self.model))

    def test_without_the_tool_the_log_says_how_to_name_it(self):
        with mock.patch.object(fold, "tool", return_value=None):
            with self.assertLogs("vllm.apollo", "ERROR") as log, hold.files_held_still(self.model):
                pass
        self.assertIn("set APOLLO_CHECKPOINT", log.output[0])


if __name__ == "__main__":
    unittest.main()
