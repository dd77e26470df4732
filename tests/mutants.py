#!/usr/bin/env python3
"""The mutants of an area at once: tests/mutants.py AREA [options of cargo mutants that choose among them]

cargo-mutants builds the tests anew for each mutant. Here its list (`cargo mutants --list --json`, which says what stands
where instead of what) is built into one test program: each function that is mutated gets the text of its body once for each
mutant, and the variable MUTANT says which is run. The mutants and the tests that judge them are the same, and a mutant costs a
run of the tests instead of a build and a run. What the compiler refuses is unviable; what makes the tests fail is caught; what
takes five seconds and four times what the tests take of the processor is a timeout; and what makes no test fail has survived.
RESUME=1 goes on where an earlier run was cut short, and tries what survived once more.

Functions that return `impl …` cannot have bodies of several types, and what is outside of functions has no body: these are
counted as "left", for tests/mutants.sh itself to try. Results: $MUTANTS/once/AREA/results.json, and what is told at the end.
"""

import collections
import json
import math
import os
import pathlib
import re
import resource
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
AREA, OPTIONS = sys.argv[1], sys.argv[2:]
BASE = pathlib.Path(os.environ.get("MUTANTS", "/tmp/jit-mutants")) / "once"
CRATE = BASE / AREA
# What tests/mutants.sh says of an area's tests; a name alone is a filter.
ONLY = {"state": ["fold"], "policy": ["--skip", "a_hostile_megabyte", "--skip", "ssh_keygen_says_good"]}.get(AREA, [])
LEFT_OUT = ["src/ledger/**", "src/domain/state/snapshot.rs", "src/domain/state/kept.rs", "src/domain/state/aside.rs"]

SWITCH = """
/// Which mutant is run; 0 for none.
pub mod mutant_at {
    pub fn at() -> u32 {
        static AT: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
        *AT.get_or_init(|| std::env::var("MUTANT").ok().and_then(|at| at.parse().ok()).unwrap_or(0))
    }
}
"""


def lay_out():
    environment = dict(os.environ, MUTANTS=str(BASE), PREPARE="1")
    subprocess.run([ROOT / "tests/mutants.sh", AREA], check=True, env=environment)
    command = ["cargo", "mutants", "--list", "--json"]
    for path in LEFT_OUT:
        command += ["--exclude", path]
    listed = subprocess.run(command + OPTIONS, cwd=CRATE, check=True, capture_output=True).stdout
    # Bodies of functions are many now: quicker to run is worth more than quicker to build.
    manifest = CRATE / "Cargo.toml"
    manifest.write_text(re.sub(r"opt-level = 0", "opt-level = 1", manifest.read_text()))
    lib = CRATE / "src/lib.rs"
    lib.write_text(lib.read_text() + SWITCH)
    return json.loads(listed)


class Source:
    """A file and the mutants in it, each with the span of the outermost function that it is in."""

    def __init__(self, name):
        self.name = name
        self.text = (CRATE / name).read_text()
        self.starts = [0]
        for line in self.text.split("\n"):
            self.starts.append(self.starts[-1] + len(line) + 1)
        self.functions = collections.defaultdict(list)

    def at(self, place):
        # Columns are counted in characters from 1, as Python counts them from 0.
        return self.starts[place["line"] - 1] + place["column"] - 1

    def add(self, mutants):
        spans = set()
        for mutant in mutants:
            span = mutant["function"]["span"]
            spans.add((self.at(span["start"]), self.at(span["end"])))
        outermost = [s for s in spans if not any(o != s and o[0] <= s[0] and s[1] <= o[1] for o in spans)]
        for mutant in mutants:
            start = self.at(mutant["span"]["start"])
            home = next(s for s in outermost if s[0] <= start < s[1])
            self.functions[home].append(mutant)

    def body(self, home):
        """Where the function's `fn` is, and where its body begins and ends, braces included."""
        begin, end = home
        word = None
        at = begin
        for line in self.text[begin:end].split("\n"):
            stripped = line.strip()
            if not stripped.startswith(("//", "#")):
                word = re.search(r"\bfn\s", line)
                if word:
                    break
            at += len(line) + 1
        depth, place = 0, at + word.start()
        while True:
            c = self.text[place]
            if c in "([":
                depth += 1
            elif c in ")]":
                depth -= 1
            elif c == "{" and depth == 0:
                return at, at + word.start(), place, end
            place += 1

    def write(self, gone):
        """Writes the file with every mutant that is not gone; gives the lines of each."""
        out, lines, at = [], [], 0
        line = 1

        def put(text):
            nonlocal line
            out.append(text)
            line += text.count("\n")

        for home in sorted(self.functions):
            signature, word, begin, end = self.body(home)
            put(self.text[at:signature])
            # What looks at MUTANT is no constant.
            put(re.sub(r"\bconst\s+$", "", self.text[signature:word]))
            put(self.text[word:begin])
            put("{ match crate::mutant_at::at() {\n")
            for mutant in self.functions[home]:
                if mutant["number"] in gone:
                    continue
                put(f"{mutant['number']} => ")
                first = line
                start, stop = self.at(mutant["span"]["start"]), self.at(mutant["span"]["end"])
                put(self.text[begin:start] + mutant["replacement"] + " " + self.text[stop:end] + "\n")
                lines.append((first, line - 1, mutant["number"]))
            put("_ => " + self.text[begin:end] + "\n} }")
            at = end
        put(self.text[at:])
        (CRATE / self.name).write_text("".join(out))
        return lines


def build(sources):
    """Builds the tests, leaving out what the compiler refuses. Gives the program and who was left out."""
    gone = {}
    while True:
        lines = {source.name: source.write(gone) for source in sources}
        command = ["cargo", "test", "--no-run", "--lib", "--offline", "--message-format=json"]
        done = subprocess.run(command, cwd=CRATE, capture_output=True, text=True)
        program, errors, found = None, [], set()
        for message in map(json.loads, filter(lambda line: line.startswith("{"), done.stdout.splitlines())):
            if message.get("executable") and message["target"]["name"] == "jit":
                program = message["executable"]
            if message["reason"] == "compiler-message" and message["message"]["level"] == "error":
                errors.append(message["message"])
        if done.returncode == 0:
            return program, gone
        for error in errors:
            for span in error["spans"]:
                for first, last, number in lines.get(span["file_name"], []):
                    if span["is_primary"] and first <= span["line_start"] <= last:
                        found.add(number)
                        gone[number] = error["message"]
        if not found:
            print(done.stderr[-3000:], "".join(error["rendered"] for error in errors)[-5000:])
            sys.exit("the compiler refuses what is no mutant's")
        print(f"{len(found)} do not compile", flush=True)


def limit(seconds):
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def run(program, number, seconds):
    """Runs the tests until the first one fails."""
    environment = dict(
        os.environ, MUTANT=str(number), PROPTEST_CASES=os.environ.get("PROPTEST_CASES", "16"),
        PROPTEST_MAX_SHRINK_ITERS="0", RUST_BACKTRACE="0", CARGO_MANIFEST_DIR=str(CRATE),
    )
    process = subprocess.Popen(
        [program, "--test-threads=1", *ONLY], cwd=CRATE, env=environment, preexec_fn=lambda: limit(seconds), text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, errors="replace",
    )
    last = ""
    for line in process.stdout:
        if line.startswith("test "):
            last = line.strip()
        if line.rstrip().endswith("FAILED"):
            process.kill()
            process.wait()
            return "caught", last
    code = process.wait()
    if code in (-9, -24):
        return "timeout", last
    return ("survived", "") if code == 0 else ("caught", f"ended with {code}: {last}")


def main():
    mutants = lay_out()
    known = {}
    if os.environ.get("RESUME"):
        for mutant in json.loads((CRATE / "results.json").read_text()):
            if mutant.get("outcome") in ("caught", "timeout"):
                known[mutant["name"]] = {"outcome": mutant["outcome"], "why": mutant["why"]}
    sources, left = {}, []
    for number, mutant in enumerate(mutants, 1):
        mutant["number"] = number
        mutant.pop("diff", None)
        function = mutant["function"]
        if not function or "impl " in function["return_type"]:
            left.append(mutant)
            mutant["outcome"] = "left"
    for mutant in mutants:
        if mutant not in left:
            sources.setdefault(mutant["file"], []).append(mutant)
    built = []
    for name, inside in sources.items():
        source = Source(name)
        source.add(inside)
        built.append(source)
    program, gone = build(built)
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    outcome, why = run(program, 0, 600)
    if outcome != "survived":
        sys.exit(f"the tests fail without a mutant: {why}")
    seconds = 5 + math.ceil(4 * (resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before))
    print(f"{len(mutants)} mutants, {len(gone)} of them unviable, {len(left)} left; at most {seconds} s each", flush=True)
    for mutant in mutants:
        mutant.update(known.get(mutant["name"], {}))
        if mutant["number"] in gone:
            mutant["outcome"], mutant["why"] = "unviable", gone[mutant["number"]]
        elif "outcome" not in mutant:
            mutant["outcome"], mutant["why"] = run(program, mutant["number"], seconds)
            if mutant["outcome"] in ("survived", "timeout"):
                print(mutant["outcome"], mutant["name"], flush=True)
        (CRATE / "results.json").write_text(json.dumps(mutants, indent=1))
    files = collections.defaultdict(collections.Counter)
    for mutant in mutants:
        files[mutant["file"]][mutant["outcome"]] += 1
    for name, counts in sorted(files.items()):
        print(name, sum(counts.values()), dict(counts))
    print("END", flush=True)


main()
