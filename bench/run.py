#!/usr/bin/env python3
"""Tributary beside its peers. `cargo xtask bench` builds and installs what this needs, and runs it:

    cargo xtask bench                      compares all records, measures five rounds, writes RESULTS.md, latest.json, docs/scale.md
    cargo xtask bench --quick              three short rounds of the most telling contests, against results/quick/
    cargo xtask bench --quick --write      stores its ratios there, of nine rounds
    cargo xtask bench --only 'lake-*'      one contest, or those that fit; nothing is stored
    cargo xtask bench --anyway             measures although others use the processors: a trial; nothing is stored

What a run measured to its end is in .local/bench/results.json afterwards. One that is given up leaves none.
"""

import argparse
import shutil
import signal
import sys

import absolutes
import first_tls
import flows
import inputs
import machine
import publishing
import quick
import report
import results
import stages
from contests import Contest, groups, selected
from functions import Functions
from in_process import InProcess
from load import refuse_under_load, undisturbed
from measuring import ROOT, built_benches
from programs import OUR_FUNCTIONS, printed
from rounds import Rounds

FOLDER = ROOT / ".local/bench"
INPUTS = FOLDER / "inputs"
RESULTS = FOLDER / "results.json"

ENOUGH_ROUNDS = 5
SECONDS, QUICK_SECONDS = 2.0, 0.7
"""Of CPU time, for a job in-process in a round."""


def main() -> None:
    signal.signal(signal.SIGTERM, end)
    options = arguments(sys.argv[1:])
    if not OUR_FUNCTIONS:
        sys.exit("`cargo xtask bench` starts this: it builds what is measured and says what our functions are")
    # Before anything is measured: what is changed meanwhile is not what was built.
    versions = machine.versions()
    FOLDER.mkdir(parents=True, exist_ok=True)
    # Those of an earlier run would be taken for this one's.
    RESULTS.unlink(missing_ok=True)
    inputs.write(INPUTS)
    functions = Functions(INPUTS)
    functions.write_inputs()
    in_process = InProcess(INPUTS, QUICK_SECONDS if options.quick else SECONDS)
    contests = selected([*in_process.contests(), *functions.contests()], options.quick, options.only)
    if not contests:
        sys.exit(f"no contest{' of a quick run' if options.quick else ''} fits {options.only}")
    require_equal([in_process, functions], contests)
    if options.quick:
        rounds_wanted = options.rounds or (quick.ROUNDS_TO_STORE if options.write else quick.ROUNDS)
        quick.run(contests, versions, rounds_wanted, RESULTS, options.write)
    else:
        full(options, contests, versions)


def end(*_) -> None:
    """As whoever sends SIGTERM wants it, and with the program that is running now: `programs.ended` ends it on the way out."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(128 + signal.SIGTERM)


def arguments(words: list[str]) -> argparse.Namespace:
    """Those that would have no effect together are refused: whoever gives them wants something else than would be done."""
    parser = argparse.ArgumentParser(
        prog="cargo xtask bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        # `cargo xtask` looks for `--quick` by its whole name.
        allow_abbrev=False,
    )
    parser.add_argument("--quick", action="store_true", help="for CI: fails where a ratio fell by more than 20 %%")
    parser.add_argument(
        "--rounds",
        type=int,
        help=f"{ENOUGH_ROUNDS}, {quick.ROUNDS} with --quick, or {quick.ROUNDS_TO_STORE} with --write; of fewer nothing is stored",
    )
    parser.add_argument("--only", metavar="PATTERN", help="the contests whose name it fits, such as 'enricher/*'")
    parser.add_argument("--anyway", action="store_true", help="measure under load, too")
    parser.add_argument("--write", action="store_true", help="with --quick: store its ratios")
    parser.add_argument("--no-write", action="store_true", help="leave RESULTS.md and results/ as they are")
    options = parser.parse_args(words)
    if options.rounds is not None and options.rounds < 1:
        parser.error("--rounds: at least one")
    if options.write and not options.quick:
        parser.error("--write goes with --quick; a full run stores what it measured by itself")
    if options.quick and (options.anyway or options.no_write):
        parser.error("--anyway and --no-write are of a full run; a quick one goes on under load, and stores only with --write")
    if options.write and (options.only or (options.rounds or quick.ROUNDS_TO_STORE) < quick.ROUNDS_TO_STORE):
        parser.error(f"--write: of all contests of a quick run, and of {quick.ROUNDS_TO_STORE} rounds at least")
    return options


def require_equal(levels: list, contests: list[Contest]) -> None:
    outputs = FOLDER / "outputs"
    shutil.rmtree(outputs, ignore_errors=True)
    outputs.mkdir()
    for level in levels:
        level.require_equal(contests, outputs)


def full(options: argparse.Namespace, contests: list[Contest], versions: dict[str, str]) -> None:
    rounds_wanted = options.rounds or ENOUGH_ROUNDS
    # What can fail comes first: nobody likes to hear of it at the end.
    beside = {} if options.only else measured_beside(options.anyway)
    refuse_under_load(options.anyway)
    rounds = Rounds(again=not options.anyway)
    rounds.run(rounds_wanted, *groups(contests))
    run = results.of_run("full", versions, rounds, contests)
    run["measured"] |= results.peak_bytes(rounds, contests)
    run["absolutes"] = absolutes.of_run(rounds, beside)
    if beside:
        run |= beside
        run["versions"] |= flows.versions(beside["flow"])
    results.write(run, RESULTS)
    print(report.summary(run))
    if options.only or options.anyway or options.no_write or rounds_wanted < ENOUGH_ROUNDS:
        print("RESULTS.md is left as it is")
        return
    results.write(run, results.FOLDER / "latest.json")
    report.write(run)
    printed([sys.executable, ROOT / "bench/cost/scale.py", "--write"])


def measured_beside(anyway: bool) -> dict:
    """What is measured once, and not in rounds."""
    built = built_benches({"publish_ranges": "export-publisher", "first_tls": "lambda-support", "stages": "contestant"})
    refuse_under_load(anyway)
    return {
        "firstTls": undisturbed("the first TLS connection", lambda: first_tls.measure(built["first_tls"]), again=not anyway),
        "stages": undisturbed(
            "the stages", lambda: stages.measure(built["stages"], INPUTS, FOLDER / "criterion"), again=not anyway
        ),
        "publishing": undisturbed("publishing", lambda: publishing.publish(built["publish_ranges"]), again=not anyway),
        "flow": undisturbed("the whole flow", flows.flow, again=not anyway),
    }


if __name__ == "__main__":
    main()
