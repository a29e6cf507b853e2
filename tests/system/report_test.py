#!/usr/bin/env python3
"""`muster check --html` on a real cluster, looked at by a real browser: on a desk, on a phone and in
the dark. What is measured of the page: it is no wider than the screen, its tables scroll in boxes of
their own, each node is there, the picture is not blank.

The pictures lie in the test's own folder, which goes with the cluster; MUSTER_PICTURES names a folder
that keeps them.
"""
import os
import shutil

import browser
import harness
from harness import ClusterTest

UNFIT = 83
# Nobody can open so many files, so each node fails a probe.
DEMANDING = "profile: mine\nhost: {nofile: 1073741824}\n"
SCREENS = {"desk": (1280, False), "phone": (360, False), "dark": (1280, True)}
# What a phone cannot scroll to: parts wider than the screen that stand in no box that scrolls.
TOO_WIDE = """[...document.querySelectorAll('body *')].filter(e =>
  !e.closest('.scroll, pre, svg') && e.getBoundingClientRect().right > innerWidth + 1
).map(e => e.outerHTML.slice(0, 120))"""


class Report(ClusterTest):
    settings = {"GPUS": 0}
    links = "100mbit"  # a search among links as fast as the machine is busy would be long

    def setUp(self):
        super().setUp()
        self.page = self.path("check.html")

    def check(self, *options):
        return self.run_to_end("srun", "-N4", "--ntasks-per-node=1", "muster", "check",
                               "--check=fabric", "--check-sizes=16K,64K,256K", *options,
                               limit=harness.CHECK_LIMIT_S)

    def open_browser(self):
        program = browser.find_browser()
        if program is None:
            self.skipTest("no Chromium here; tests/install-packages test installs it")
        folder = self.path("browser")
        os.mkdir(folder)
        environment = dict(harness.clean_environment(), **{harness.MARK: self.mark})
        opened = browser.Browser(program, folder, environment)
        self.addCleanup(opened.close)
        return opened

    def photograph(self, shown, name):
        path = self.path(f"{self._testMethodName}-{name}.png")
        picture = shown.photograph(path)
        kept = os.environ.get("MUSTER_PICTURES")
        if kept:
            shutil.copy(path, kept)
        return picture

    def look(self, run, verdict):
        """At the page, on each kind of screen."""
        shown = self.open_browser()
        for name, (width, dark) in SCREENS.items():
            with self.subTest(screen=name):
                shown.show(self.page, width, dark=dark)
                wide = shown.evaluate("document.documentElement.scrollWidth")
                self.assertLessEqual(wide, shown.evaluate("innerWidth"), run)
                self.assertEqual(shown.evaluate("innerWidth"), width)
                self.assertEqual(shown.evaluate(TOO_WIDE), [])
                text = shown.evaluate("document.body.innerText")
                self.assertIn(verdict, text)
                hosts = [line.split("\t")[0].strip() for line in text.splitlines()]
                for node in range(1, 5):
                    self.assertIn(f"node{node}", hosts, text)
                picture = self.photograph(shown, name)
                self.assertGreater(browser.count_colours(picture), 50)

    def test_a_fit_cluster(self):
        run = self.check(f"--html={self.page}", f"--json={self.path('check.json')}")
        self.expect_code(run, 0)
        self.assertTrue(os.path.getsize(self.path("check.json")), run)
        self.look(run, "Fit")

    def test_an_unfit_one(self):
        with open(self.path("mine.yaml"), "w", encoding="utf-8") as file:
            file.write(DEMANDING)
        run = self.check(f"--html={self.page}", f"--profile={self.path('mine.yaml')}")
        self.expect_code(run, UNFIT)
        self.look(run, "Unfit")

    def test_a_page_that_cannot_be_written_is_one_line_before_anything_is_measured(self):
        run = self.check(f"--html={self.path('no-such-folder')}/check.html")
        self.expect_code(run, 80)
        self.assertNotIn("# libfabric", run.err, run)
        self.assertEqual(len([line for line in run.muster_lines() if "--html=" in line]), 1, run)

    def test_the_prolog_has_a_page_too(self):
        run = self.run_to_end("muster", "check", "--health-only", f"--html={self.page}",
                              host="node1")
        self.expect_code(run, 0)
        self.assertIn("</html>", harness.read_text(self.page))


if __name__ == "__main__":
    harness.main()
