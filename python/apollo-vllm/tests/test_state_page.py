import fcntl
import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import context
from apollo_vllm import step_guard
from apollo_vllm import state_page
from apollo_vllm.folder import FolderError


class StatePageTests(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.page = self.folder / state_page.PAGE_NAME
        state_page.create(self.page, step=41)

    def fields(self):
        return struct.unpack("<8sQQQII24s", self.page.read_bytes())

    def test_a_new_page_has_the_layout_of_the_format(self):
        self.assertEqual((b"APOLLOSP", 0, 41, 0, 0, 0, bytes(24)), self.fields())
        self.assertEqual(0o600, self.page.stat().st_mode & 0o777)

    def test_a_step_is_counted_and_the_sequence_is_even_again(self):
        before = time.time_ns()
        with step_guard(self.folder):
            self.assertEqual(1, self.fields()[1])
        magic, sequence, step, when, pid, flags, _ = self.fields()
        self.assertEqual((b"APOLLOSP", 2, 42, os.getpid(), 0), (magic, sequence, step, pid, flags))
        self.assertLessEqual(before, when)

    def test_the_page_itself_may_be_named(self):
        with step_guard(self.page):
            pass
        self.assertEqual((2, 42), state_page.read(self.page))

    def test_a_failing_step_closes_the_bracket_and_is_not_counted(self):
        with self.assertRaises(ZeroDivisionError), step_guard(self.folder):
            raise ZeroDivisionError
        self.assertEqual((2, 41), state_page.read(self.folder))

    def test_inside_no_reader_gets_the_lock_and_afterwards_one_does(self):
        with self.page.open("rb") as reader:
            with step_guard(self.folder):
                with self.assertRaises(BlockingIOError):
                    fcntl.flock(reader, fcntl.LOCK_SH | fcntl.LOCK_NB)
            fcntl.flock(reader, fcntl.LOCK_SH | fcntl.LOCK_NB)

    def test_after_a_writer_that_died_inside_the_next_one_goes_on(self):
        program = (
            f"import sys; sys.path.insert(0, {str(Path(context.__file__).parent.parent / 'src')!r})\n"
            f"import os, apollo_vllm\nwith apollo_vllm.step_guard({str(self.folder)!r}): os._exit(9)"
        )
        self.assertEqual(9, subprocess.run([sys.executable, "-c", program]).returncode)
        self.assertEqual((1, 41), state_page.read(self.folder))
        with step_guard(self.folder):
            self.assertEqual(3, self.fields()[1])
        self.assertEqual((4, 42), state_page.read(self.folder))

    def test_a_forked_child_counts_on_the_same_page(self):
        child = os.fork()
        if child == 0:
            with step_guard(self.folder):
                pass
            os._exit(0)
        os.waitpid(child, 0)
        with step_guard(self.folder):
            pass
        self.assertEqual((4, 43), state_page.read(self.folder))

    def test_a_child_forked_inside_does_not_keep_the_lock(self):
        with step_guard(self.folder):
            child = os.fork()
            if child == 0:
                time.sleep(60)
                os._exit(0)
        try:
            with self.page.open("rb") as reader:
                fcntl.flock(reader, fcntl.LOCK_SH | fcntl.LOCK_NB)
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)

    def test_what_is_no_state_page_is_refused(self):
        self.page.write_bytes(b"something else".ljust(64))
        with self.assertRaisesRegex(FolderError, "not a state page"), step_guard(self.folder):
            self.fail("entered")

    def test_a_page_that_others_may_write_is_refused(self):
        self.page.chmod(0o666)
        with self.assertRaisesRegex(FolderError, "nobody else may write"), step_guard(self.folder):
            self.fail("entered")


if __name__ == "__main__":
    unittest.main()
