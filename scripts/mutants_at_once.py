#!/usr/bin/env python3
"""Tries the changes of cargo-mutants in a part of scripts/mutants.sh, all of them in one build.

Each function that is to be changed gets all its changed bodies beside its own one, in a copy, and a number in the environment chooses
among them: the tests run once for each change, and nothing is built again. Changes that do not compile are found by the compiler and
left out. Changes outside of functions, such as those of constants, cannot be chosen like that; they are listed for scripts/mutants.sh.

Run it from the root of the repository: python3 scripts/mutants_at_once.py [PART [JOBS]]; the default is control, and one at a time.
Needs cargo-mutants. What came of each change is kept in target/mutants-at-once/PART.jsonl; what stands there is not tried again.
"""

import collections
import concurrent.futures
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys

ROOT = os.path.abspath("target/mutants-at-once")
COPY = f"{ROOT}/copy"
# Seconds after which a change has made the tests endless, and how much memory they may take.
PATIENCE, MEMORY = 60, 6 << 30
CHOICE = """
pub(crate) mod mutant {
    pub(crate) fn chosen() -> u32 {
        static CHOSEN: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
        *CHOSEN.get_or_init(|| std::env::var("MUTANT").ok().and_then(|number| number.parse().ok()).unwrap_or(0))
    }
}
"""
ENVIRONMENT = dict(
    os.environ, CARGO_TARGET_DIR=f"{ROOT}/target", CARGO_PROFILE_DEV_DEBUG="none", RUST_BACKTRACE="0"
)


def of_part(array, part):
    """The words of `part` in an array of scripts/mutants.sh."""
    script = open("scripts/mutants.sh", encoding="utf-8").read()
    return re.search(rf'declare -A {array}=\(.*?\[{part}\]="(.*?)"', script, re.S)[1].split()


def listed(part):
    """All changes, numbered from 1."""
    command = ["cargo", "mutants", "--list", "--json", "--package", "cutover"]
    for glob in of_part("files", part):
        command += ["--file", glob]
    changes = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return dict(enumerate(changes, 1))


def plain(text):
    """The text with blanks instead of comments, strings and characters, so that braces are braces."""
    pattern = r"""//[^\n]*|/\*.*?\*/|\bb?r(#*)".*?"\1|"(?:\\.|[^"\\])*"|'(?:\\[^']*|[^\\'])'"""
    return re.sub(pattern, lambda found: re.sub(r"[^\n]", " ", found[0]), text, flags=re.S)


def place(lines, point):
    """The offset of a line and column."""
    return sum(len(line) + 1 for line in lines[:point["line"] - 1]) + point["column"] - 1


def changed_body(text, code, begin, end, lines, change):
    """The body from `begin` to `end` with a change in it."""
    at, to = (place(lines, change["span"][side]) for side in ("start", "end"))
    if change["genre"] in ("StructField", "MatchArm"):
        comma = re.compile(r"\s*,").match(code, to)
        to = comma.end() if comma else to
    return f"{text[begin:at]} {change['replacement']} {text[to:end]}"


def by_function(changes, code, lines):
    """The functions with changes: where each, its body and its end lie, and the numbers of its changes."""
    functions = collections.defaultdict(list)
    for number, change in changes.items():
        span = change["function"]["span"]
        functions[place(lines, span["start"]), place(lines, span["end"])].append(number)
    for (start, end), numbers in sorted(functions.items()):
        head = start + re.search(r"\bfn\b", code[start:end]).start()
        yield start, code.index("{", head), end, numbers


def with_all(text, changes):
    """The text of a file with all its changes to choose from, and in which lines each of them stands."""
    code, lines = plain(text), text.split("\n")
    made, lies, done = "", {}, 0
    for start, begin, end, numbers in by_function(changes, code, lines):
        # No constant function can choose.
        made += text[done:start] + re.sub(r"\bconst (?=fn\b)", "", text[start:begin]) + "{ match crate::mutant::chosen() {"
        for number in numbers:
            made += f"\n{number} => "
            first = made.count("\n") + 1
            made += changed_body(text, code, begin, end, lines, changes[number])
            lies[number] = range(first, made.count("\n") + 2)
        made, done = f"{made}\n_ => {text[begin:end]} }} }}", end
    return made + text[done:], lies


def write(changes):
    """Writes all changes into the copy, and says in which file and lines each stands."""
    shutil.copytree("src", f"{COPY}/src", dirs_exist_ok=True)
    with open(f"{COPY}/src/lib.rs", "a", encoding="utf-8") as roof:
        roof.write(CHOICE)
    stands = {}
    for file in sorted({change["file"] for change in changes.values()}):
        here = {number: change for number, change in changes.items() if change["file"] == file}
        with open(f"{COPY}/{file}", encoding="utf-8") as source:
            text, lies = with_all(source.read(), here)
        with open(f"{COPY}/{file}", "w", encoding="utf-8") as source:
            source.write(text)
        stands.update({number: (file, lines) for number, lines in lies.items()})
    return stands


def cargo(*arguments):
    """Runs cargo in the copy, and gives back what it says as JSON, line by line."""
    command = ["cargo", *arguments, "--package", "cutover", "--features", "testing", "--message-format=json"]
    ran = subprocess.run(command, cwd=COPY, env=ENVIRONMENT, capture_output=True, text=True)
    return ran, [json.loads(line) for line in ran.stdout.splitlines()]


def refused(messages, stands):
    """The changes that the compiler refuses, by where it says that they are wrong, or else what has to do with it."""
    wrong = set()
    for error in (message["message"] for message in messages if message.get("message", {}).get("level") == "error"):
        for primary in (True, False):
            spots = [(span["file_name"], span["line_start"]) for span in error["spans"] if span["is_primary"] == primary]
            found = {number for number, (file, lines) in stands.items() for at, line in spots if at == file and line in lines}
            if found:
                break
        wrong |= found
    return wrong


def compiling(changes):
    """The changes that compile; the copy holds them and no others."""
    while True:
        stands = write(changes)
        ran, messages = cargo("check", "--lib")
        if ran.returncode == 0:
            return changes
        wrong = refused(messages, stands)
        if not wrong:
            errors = [message["message"]["rendered"] for message in messages if message.get("message", {}).get("level") == "error"]
            sys.exit("\n".join(["mutants_at_once: the copy does not compile", ran.stderr, *errors]))
        changes = {number: change for number, change in changes.items() if number not in wrong}


def built(part):
    """The programs with the tests of the part."""
    modules = "".join(f'#[path = "{name}.rs"]\nmod {name};\n' for name in of_part("tests", part))
    with open(f"{COPY}/tests/all_of_{part}.rs", "w", encoding="utf-8") as tests:
        tests.write(f"//! The tests of {part}.\n{modules}")
    ran, messages = cargo("test", "--no-run", "--test", f"all_of_{part}", "--lib")
    if ran.returncode:
        sys.exit(f"mutants_at_once: the tests do not compile\n{ran.stderr}")
    return sorted((message["executable"] for message in messages if message.get("executable")), key=lambda path: "all_of" not in path)


def result(programs, number):
    """What the tests make of a change: `caught`, `missed` or `timeout`."""
    environment = dict(ENVIRONMENT, MUTANT=str(number), RUSTC_BOOTSTRAP="1")
    bounded = lambda: resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for program in programs:
        command = [program, "-Z", "unstable-options", "--fail-fast"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        tests = subprocess.Popen(command, cwd=COPY, env=environment, start_new_session=True, preexec_fn=bounded, **quiet)
        try:
            if tests.wait(PATIENCE):
                return "caught"
        except subprocess.TimeoutExpired:
            os.killpg(tests.pid, signal.SIGKILL)
            tests.wait()
            return "timeout"
    return "missed"


def tried(part, programs, changes, jobs):
    """What came of each change, now or earlier."""
    file = f"{ROOT}/{part}.jsonl"
    known = dict(map(json.loads, open(file, encoding="utf-8"))) if os.path.exists(file) else {}
    left = [number for number in changes if changes[number]["name"] not in known]
    with open(file, "a", encoding="utf-8") as kept, concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for number, found in zip(left, pool.map(lambda number: result(programs, number), left)):
            name = changes[number]["name"]
            known[name] = found
            print(json.dumps([name, found]), file=kept, flush=True)
    return {change["name"]: known[change["name"]] for change in changes.values()}


def main(part="control", jobs="1"):
    everything = listed(part)
    outside = [change["name"] for change in everything.values() if not change["function"]]
    for folder in ("src", "tests"):
        shutil.rmtree(f"{COPY}/{folder}", ignore_errors=True)
    skipped = shutil.ignore_patterns("target", ".git")
    shutil.copytree(".", COPY, ignore=skipped, dirs_exist_ok=True)
    changes = compiling({number: change for number, change in everything.items() if change["function"]})
    programs = built(part)
    if result(programs, 0) != "missed":
        sys.exit("mutants_at_once: the tests do not pass unchanged")
    found = tried(part, programs, changes, int(jobs))
    counts = collections.Counter(found.values())
    killed = counts["caught"] + counts["timeout"]
    print(f"{part}: {killed} killed of {len(found)}, {counts['timeout']} of them by taking longer than {PATIENCE} s")
    print(f"{len(everything) - len(outside) - len(found)} do not compile, {len(outside)} are outside of functions")
    for title, wanted in (("survived", "missed"), ("timeout", "timeout")):
        print(*(f"  {title}: {name}" for name in found if found[name] == wanted), sep="\n")
    print(*(f"  outside: {name}" for name in outside), sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
