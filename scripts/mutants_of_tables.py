#!/usr/bin/env python3
"""Changes the two tables of src/mode.rs one entry at a time, in a copy, and counts what tests/mode_table.rs notices.

cargo-mutants leaves the entries of tables alone. Run it from the root of the repository: python3 scripts/mutants_of_tables.py
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile

MODES = ["LegacyOnly", "Parallel", "GradualRollout", "NewOnly", "EmergencyRollback"]
SWAPS = [
    ("Side::Legacy,", "Side::New,"), ("Side::New,", "Side::Legacy,"), ("Some(Side::New)", "None"),
    ("Some(Side::Legacy)", "None"), ("shadow: None", "shadow: Some(Side::New)"), ("Some(Side::New)", "Some(Side::Legacy)"),
    ("Some(Side::Legacy)", "Some(Side::New)"), ("Percentage::ZERO", "Percentage::HUNDRED"),
    ("Percentage::HUNDRED", "Percentage::ZERO"),
]


def body(text, name):
    """Where the function `name` begins and ends."""
    start = text.index(f"pub const fn {name}(")
    return start, text.index("\n    }\n", start)


def transitions(text):
    """Each allowed transition left out, and each other one allowed."""
    start, end = body(text, "allowed")
    for row in re.finditer(r"(\w+) => &\[([\w, ]*)\]", text[start:end]):
        mode, allowed = row[1], row[2].split(", ")
        changes = [[other for other in allowed if other != one] for one in allowed]
        changes += [allowed + [one] for one in MODES if one != mode and one not in allowed]
        for changed in changes:
            new = f"{mode} => &[{', '.join(changed)}]"
            yield f"{row[0]} -> {new}", text[:start + row.start()] + new + text[start + row.end():]


def resets(text):
    """Each mode that resets the rollout no longer does, and each other one does."""
    start, end = body(text, "resets_rollout")
    found = re.search(r"matches!\(self, ([\w:| ]+)\)", text[start:end])
    present = [mode for mode in MODES if mode in found[1]]
    for mode in MODES:
        changed = [one for one in MODES if (one in present) != (one == mode)]
        new = f"matches!(self, {' | '.join('Self::' + one for one in changed)})"
        yield f"resets: {changed}", text[:start + found.start()] + new + text[start + found.end():]


def routes(text):
    """Each field of each row of the routing table with other values."""
    start, end = body(text, "routing")
    for old, new in SWAPS:
        for place in re.finditer(re.escape(old), text[start:end]):
            at = start + place.start()
            line = text.count("\n", 0, at) + 1
            yield f"line {line}: {old} -> {new}", text[:at] + new + text[at + len(old):]


def noticed(copy):
    """Whether the tests fail; a change that does not compile says nothing."""
    run = ["cargo", "test", "--quiet", "--manifest-path", f"{copy}/Cargo.toml", "--package", "cutover", "--features", "testing"]
    if subprocess.run(run + ["--test", "mode_table", "--no-run"], capture_output=True).returncode:
        return None
    return subprocess.run(run + ["--test", "mode_table"], capture_output=True).returncode != 0


def main():
    os.environ.setdefault("CARGO_TARGET_DIR", os.path.abspath("target/mutants"))
    os.environ["CARGO_PROFILE_DEV_DEBUG"] = "none"
    with tempfile.TemporaryDirectory() as folder:
        copy = f"{folder}/copy"
        shutil.copytree(".", copy, ignore=shutil.ignore_patterns("target", ".git"))
        source = f"{copy}/src/mode.rs"
        text = open(source, encoding="utf-8").read()
        if noticed(copy) is not False:
            sys.exit("mutants_of_tables: the tests do not pass unchanged")
        killed, survivors = 0, []
        for change in (transitions, resets, routes):
            for name, changed in change(text):
                with open(source, "w", encoding="utf-8") as file:
                    file.write(changed)
                result = noticed(copy)
                killed += result is True
                if result is not True:
                    survivors.append(f"{'does not compile' if result is None else 'survived'}: {name}")
    print(f"tables of src/mode.rs: {killed} killed of {killed + len(survivors)}", *survivors, sep="\n  ")


if __name__ == "__main__":
    main()
