#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does tidy find what it is for? Each case is a small tree with one thing wrong."""

import os
import subprocess
import sys
import tempfile
import unittest

TIDY = os.path.join(os.path.dirname(os.path.realpath(__file__)), "tidy")
LICENCE = "/* SPDX-License-Identifier: Apache-2.0 */\n"
LAYERS = "base\nos base\ndata base\nplan base data\nexempt plan/file.c puts\n"
BUILD = "build/CMakeFiles/room_{room}.dir/src/{room}/{name}.o"


def tidy(files, objects=()):
    """Findings of tidy in a tree of these files; `objects` are compiled first."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in {"LAYERS": LAYERS, **files}.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text if path == "LAYERS" or text.startswith("!") else LICENCE + text)
        command = [sys.executable, TIDY, "--root", root]
        for room, name in objects:
            target = os.path.join(root, BUILD.format(room=room, name=name))
            os.makedirs(os.path.dirname(target), exist_ok=True)
            subprocess.run([os.environ.get("CC", "gcc"), "-w", "-c", "-o", target,
                            os.path.join(root, "src", room, name)], check=True)
        if objects:
            command += ["--build", os.path.join(root, "build")]
        run = subprocess.run(command, text=True, capture_output=True, check=False)
        findings = run.stdout.splitlines()[:-1]
        assert run.returncode == (1 if findings else 0), run.stderr
        return "\n".join(findings)


class Text(unittest.TestCase):
    def test_a_tidy_tree(self):
        self.assertEqual(tidy({
            "src/plan/plan.c": '#include "data/data.h"\n#include "plan/inside.h"\n'
                               "int beck__x(void)\n{\n    return 1;\n}\n",
            "src/plan/plan_test.c": '#include "base/testing.h"\n',
            "src/plan/other.c": "/* tests: plan_test.c */\n"}), "")

    def test_layers(self):
        findings = tidy({"src/data/data_test.c": '#include "plan/plan.h"\n#include "base/x.h"\n'})
        self.assertIn("src/data/data_test.c:2: LAYERS does not let data open plan", findings)
        self.assertIn('"base/x.h" is neither of this room nor a door', findings)
        self.assertIn("does not know the room new", tidy({"src/new/new.h": ""}))
        self.assertIn("LAYERS:1: base opens os", tidy({"LAYERS": "base os\nos\n"}))

    def test_lengths(self):
        body = "    x();\n" * 69
        self.assertIn("function of 71 lines", tidy({"src/os/os.h": f"void f(void)\n{{\n{body}}}\n"}))
        self.assertIn("801 lines", tidy({"src/os/os.h": "\n" * 800}))
        self.assertIn("101 columns", tidy({"src/os/os.h": "/" * 101 + "\n"}))

    def test_shape(self):
        self.assertIn("brace", tidy({"src/os/os.h": "void f(void) {\n}\n"}))
        self.assertIn("nesting 5", tidy({"src/os/os.h": "void f(void)\n{\n" + " " * 20 + "if (x)\n}\n"}))
        self.assertIn("a tab", tidy({"src/os/os.h": "\tint x;\n"}))
        self.assertIn("blanks at the end", tidy({"src/os/os.h": "int x; \n"}))
        self.assertIn("a note left behind", tidy({"src/os/os.h": "/* TO" + "DO: more */\n"}))

    def test_licence(self):
        self.assertIn("has no line SPDX", tidy({"tools/x.sh": "!/bin/sh\n"}))

    def test_tests(self):
        self.assertIn("has no x_test.c", tidy({"src/os/x.c": ""}))
        self.assertIn("does not exist: y_test.c", tidy({"src/os/x.c": "/* tests: y_test.c */\n"}))


class Symbols(unittest.TestCase):
    def test_system_calls(self):
        text = "/* tests: file.h */\nvoid beck__x(void)\n{\n    puts(\"\");\n    strlen(\"\");\n}\n"
        files = {"src/data/file.c": text, "src/data/file.h": "", "src/plan/file.c": text,
                 "src/plan/file.h": "", "src/os/file.c": text, "src/os/file.h": ""}
        objects = [(room, "file.c") for room in ("data", "plan", "os")]
        findings = tidy(files, objects)
        self.assertEqual(findings.count("calls puts"), 1)
        self.assertIn("src/data/file.c: calls puts: only os talks to the system", findings)

    def test_names_and_layers(self):
        files = {"src/plan/a.c": "/* tests: a.h */\nvoid beck__a(void)\n{\n}\n",
                 "src/data/a.c": "/* tests: a.h */\nvoid loud(void)\n{\n    beck__a();\n}\n",
                 "src/plan/a.h": "", "src/data/a.h": ""}
        findings = tidy(files, [("plan", "a.c"), ("data", "a.c")])
        self.assertIn("src/data/a.c: global symbol loud is not named beck_", findings)
        self.assertIn("src/data/a.c: uses beck__a of plan, which LAYERS does not", findings)


if __name__ == "__main__":
    unittest.main()
