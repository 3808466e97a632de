"""`avm sim`: whole networks in one process, under virtual time, from a seed.

`run` simulates one seed, or a program of yours, or a failure that was kept; `explore` tries many seeds and makes failures small; `up`
starts real peers on this machine, whose messages may be delayed and lost.
"""

from __future__ import annotations

import json
import shlex
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aquac.command_line import (
    DIAGNOSTICS,
    INCOMPATIBLE,
    OK,
    TIMED_OUT,
    WORKFLOW_ERROR,
    CommandError,
    Parser,
    add_common_flags,
)

if TYPE_CHECKING:
    import argparse

    from runtime.sim.network import AquaError, SimNetwork
    from runtime.sim.plan import Plan
    from runtime.sim.world import Report

HELP: Final = "simulate whole networks under virtual time, from a seed"

ENGINES: Final = ("auto", "interp", "jit")
SEEDS_MAX: Final = 10**12
JOBS: Final = 1
FOLDER: Final = "sim-failures"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the sub-commands."""
    parser.description = __doc__
    commands = parser.add_subparsers(dest="sim_command", metavar="COMMAND", required=True, parser_class=Parser)
    run_parser = commands.add_parser("run", help="simulate one seed, a program, or a kept failure")
    _add_run(run_parser)
    explore_parser = commands.add_parser("explore", help="try many seeds, make failures small and keep them")
    _add_explore(explore_parser)
    up_parser = commands.add_parser("up", help="start real peers on this machine")
    _add_up(up_parser)
    for command in commands.choices.values():
        add_common_flags(command, top=False)


def _add_network(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--peers", type=int, metavar="N", help="hosts (default 5); there are two clients beside them")
    parser.add_argument("--particles", type=int, metavar="N", help="particles of a seed (default 50)")
    parser.add_argument("--faults", metavar="LIST", default="all", help="all, none, benign, or kinds with commas")
    parser.add_argument(
        "--engine", choices=ENGINES, default="jit", help="interpreter (default jit); all give the same history"
    )
    parser.add_argument("--bug", metavar="NAME", help="plant a bug, to see that it is found")


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", nargs="?", metavar="FILE.aqua", help="a program to run instead of random particles")
    parser.add_argument("-f", "--func", metavar="'FUNC(ARGS)'", help="the call; it may name peers, and `peers`")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="everything follows from it (default 0)")
    _add_network(parser)
    parser.add_argument("--arg", metavar="NAME=JSON", action="append", default=[], help="a variable of the call")
    parser.add_argument("--data", metavar="JSON", help="an object of variables")
    parser.add_argument("--data-file", metavar="FILE", help="a file with an object of variables")
    parser.add_argument(
        "--service", metavar="NAME[@PEER]=FILE", action="append", default=[], help="as `avm run` takes it"
    )
    parser.add_argument(
        "--ttl", metavar="TIME", default="60s", help="life of the program's particle, virtual (default 60s)"
    )
    parser.add_argument("-I", "--import", metavar="DIR", dest="imports", action="append", default=[])
    parser.add_argument("--imports", metavar="FILE", dest="import_map", help="JSON import map")
    parser.add_argument(
        "--const", metavar="'NAME = value'", action="append", default=[], help="a constant of the program"
    )
    parser.add_argument("--replay", metavar="FILE", help="run the plan of a reproducer")
    parser.add_argument("--save", metavar="FILE", help="write the run as a reproducer, with every fault that happened")
    parser.add_argument("--trace", action="store_true", help="print every event to stderr")


def _add_explore(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--seeds", type=int, default=1000, metavar="N", help="how many (default 1000)")
    parser.add_argument("--from", type=int, default=0, metavar="SEED", dest="first", help="the first (default 0)")
    parser.add_argument("--jobs", type=int, default=JOBS, metavar="N", help="processes (default 1)")
    _add_network(parser)
    parser.add_argument(
        "-o", "--output", metavar="DIR", default=FOLDER, help=f"where reproducers go (default {FOLDER})"
    )
    parser.add_argument("--stop-after", type=int, default=10, metavar="N", help="failing seeds (default 10)")


def _add_up(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--peers", type=int, default=3, metavar="N", help="how many (default 3)")
    parser.add_argument("--ip", default="127.0.0.1", help="address to listen at (default 127.0.0.1)")
    parser.add_argument(
        "--port", type=int, default=0, metavar="N", help="first websocket port, then one more for each peer"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="faults follow from it (default 0)")
    parser.add_argument(
        "--faults",
        metavar="LIST",
        default="none",
        help="none (default), or of: delay, loss, duplicate, reorder, partition",
    )


def run(args: argparse.Namespace) -> int:
    """Dispatch to the sub-command."""
    if args.sim_command == "up":
        return _up(args)
    kinds = _kinds(args.faults)
    if args.bug is not None:
        from runtime.sim.planted import BUGS

        if args.bug not in BUGS:
            raise CommandError(f"--bug {args.bug}: there is none of that name", hint=f"there are {', '.join(BUGS)}")
    if args.sim_command == "explore":
        return _explore(args, kinds)
    if args.replay is not None:
        return _replay(args)
    if args.file is not None:
        return _program(args)
    if args.func is not None:
        raise CommandError("-f needs a FILE")
    return _seed(args, kinds)


def _kinds(text: str) -> frozenset[str]:
    from runtime.sim.faults import parse_kinds

    try:
        return parse_kinds(text)
    except ValueError as error:
        raise CommandError(f"--faults {text}: {error}") from error


def _plan(args: argparse.Namespace, kinds: frozenset[str]) -> Plan:
    from runtime.sim.workloads import PARTICLES, PEERS, make_plan

    try:
        return make_plan(
            args.seed,
            peers=PEERS if args.peers is None else args.peers,
            particles=PARTICLES if args.particles is None else args.particles,
            kinds=kinds,
            bug=args.bug,
        )
    except ValueError as error:
        raise CommandError(str(error)) from error


def _tracer(args: argparse.Namespace) -> Any:
    return (lambda line: print(line, file=sys.stderr)) if args.trace else None


def _seed(args: argparse.Namespace, kinds: frozenset[str]) -> int:
    from avm import Avm
    from runtime.sim.world import World, summary

    world = World(_plan(args, kinds), Avm(args.engine), record=args.save is not None, trace=_tracer(args))
    report = world.run()
    if args.save is not None:
        assert world.recorded is not None
        _save(args.save, world.plan.with_faults(tuple(world.recorded)), report)
    print(json.dumps(summary(report), ensure_ascii=False))
    return _verdict(report)


def _save(path: str, plan: Plan, report: Report) -> None:
    from runtime.sim.reproducer import write

    try:
        write(Path(path), plan, report)
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror}") from error


def _verdict(report: Report) -> int:
    """The exit code of a simulation; a failure is told on stderr as well."""
    if report.failure is None:
        return OK
    _tell(report.seed, report.failure.to_json(), report.last)
    return DIAGNOSTICS


def _tell(seed: int, failure: dict[str, Any], last: Any) -> None:
    for line in last:
        print(f"  {line}", file=sys.stderr)
    peers = f", on {', '.join(failure['peers'])}" if failure["peers"] else ""
    particle = "" if failure["particle"] is None else f", particle {failure['particle']}"
    print(
        f"seed {seed}: {failure['check']}: {failure['message']} "
        f"(event {failure['event']}, at {failure['at_ms']} ms{peers}{particle})",
        file=sys.stderr,
    )


def _replay(args: argparse.Namespace) -> int:
    from avm import Avm
    from runtime.sim.reproducer import ReproducerError, read
    from runtime.sim.world import World, summary

    if args.file is not None:
        raise CommandError("--replay runs what its file says: give no FILE beside it")
    try:
        kept = read(Path(args.replay))
    except OSError as error:
        raise CommandError(f"cannot read {args.replay}: {error.strerror}") from error
    except ReproducerError as error:
        if error.other_version:
            raise CommandError(f"{args.replay}: {error}", INCOMPATIBLE) from error
        raise CommandError(f"{args.replay} is no reproducer: {error}") from error
    report = World(kept.plan, Avm(args.engine), trace=_tracer(args)).run()
    same = report.history == kept.history
    print(json.dumps(summary(report) | {"same_history": same}, ensure_ascii=False))
    if not same:
        print(f"the history differs from that of {args.replay}: something was changed since", file=sys.stderr)
    return _verdict(report)


# ── programs ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _program(args: argparse.Namespace) -> int:
    """Run a program from the client, `--particles` of them at once, and print the result of the first."""
    from avm import Avm
    from runtime.commands.run import call_of, parse_ttl_ms, variables_of
    from runtime.program import CompileSettings, load_program
    from runtime.provided import load_service
    from runtime.sim.network import AquaError, SimNetwork, SimulationFailed

    for flag in ("bug", "save"):
        if getattr(args, flag) is not None:
            raise CommandError(f"--{flag} is for simulations of a seed, not of a program")
    hosts = 5 if args.peers is None else args.peers
    copies = 1 if args.particles is None else args.particles
    if not 1 <= hosts <= 60:
        raise CommandError(f"--peers {hosts}: expected 1 to 60")
    if not 1 <= copies <= 10_000:
        raise CommandError(f"--particles {copies}: expected 1 to 10000")
    ttl_ms = parse_ttl_ms(args.ttl)
    network = SimNetwork(
        peers=hosts - 1, seed=args.seed, faults=args.faults, interpreter=Avm(args.engine), trace=_tracer(args)
    )
    variables = network.variables() | variables_of(args)
    call = call_of(args.func, variables)
    settings = CompileSettings(
        tuple(args.imports), args.import_map, tuple(args.const), color=args.color, quiet=args.quiet > 0
    )
    program = load_program(args.file, call.name if call else None, settings)
    values, wanted = program.bind(call, variables)
    if wanted:
        raise CommandError("a simulated call takes no functions as arguments")
    # What service files print while they are loaded or called must not mix with the result.
    with redirect_stdout(sys.stderr):
        for text in args.service:
            service = load_service(text, program.declarations, timeout_ms=ttl_ms)
            if service.peer not in network.names:
                raise CommandError(f"--service: there is no peer `{service.peer}` (peers: {', '.join(network.names)})")
            network.serve(service.service_id, service.handlers, peer=service.peer)
        numbers = [network.start(program.script, values, ttl_ms=ttl_ms) for _ in range(copies)]
        try:
            report = network.rest()
        except SimulationFailed:
            report = network.reports[-1]
    result, error = None, None
    try:
        result = program.result(network.values_of(numbers[0])) if program.answers else None
    except AquaError as complaint:
        error = complaint
    document = _document(network, report, numbers, result, error)
    print(json.dumps(document, ensure_ascii=False))
    if report.failure is not None:
        return _verdict(report)
    if error is None:
        return OK
    print(f"avm: error: {error}", file=sys.stderr)
    return TIMED_OUT if error.expired else WORKFLOW_ERROR


def _document(
    network: SimNetwork, report: Report, numbers: list[int], result: Any, error: AquaError | None
) -> dict[str, Any]:
    from runtime.sim.world import summary

    answered = sum(1 for number in numbers if any(one[0] == "value" for one in network.world.answers.get(number, [])))
    value = error.value if error is not None and isinstance(error.value, dict) else {}
    told = None
    if error is not None:
        told = {
            "code": value.get("error_code", "stuck" if error.expired else "error"),
            "message": str(error),
            "peer_id": value.get("peer_id"),
            "instruction": value.get("instruction"),
        }
    return {"result": result, "error": told, "answered": answered, "started": len(numbers)} | summary(report)


# ── many seeds ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _explore(args: argparse.Namespace, kinds: frozenset[str]) -> int:
    from runtime.sim.explore import JOBS_MAX, Exploration, Explored, explore
    from runtime.sim.workloads import PARTICLES, PEERS

    if not 1 <= args.seeds <= SEEDS_MAX:
        raise CommandError(f"--seeds {args.seeds}: expected 1 to {SEEDS_MAX}")
    if not 1 <= args.jobs <= JOBS_MAX:
        raise CommandError(f"--jobs {args.jobs}: expected 1 to {JOBS_MAX}")
    if args.stop_after < 1:
        raise CommandError(f"--stop-after {args.stop_after}: expected 1 or more")
    what = Exploration(
        args.first,
        args.seeds,
        PEERS if args.peers is None else args.peers,
        PARTICLES if args.particles is None else args.particles,
        kinds,
        args.bug,
        args.engine,
        args.output,
        args.stop_after,
    )
    try:
        what.plan(args.first)
    except ValueError as error:
        raise CommandError(str(error)) from error
    shown = [0.0]

    def progress(done: Explored) -> None:
        if args.quiet == 0 and done.seconds - shown[0] >= 10:
            shown[0] = done.seconds
            print(f"{done.tried} seeds, {done.tried / done.seconds:.1f} a second", file=sys.stderr, flush=True)

    try:
        done = explore(what, jobs=args.jobs, progress=progress)
    except OSError as error:
        raise CommandError(f"cannot write to {args.output}: {error.strerror}") from error
    document = {
        "from": args.first,
        "seeds": done.tried,
        "events": done.events,
        "runs": done.runs,
        "seconds": round(done.seconds, 3),
        "seeds_per_second": round(done.tried / done.seconds, 2) if done.seconds else None,
        "failures": done.failures,
    }
    print(json.dumps(document, ensure_ascii=False))
    for row in done.failures:
        _tell(row["seed"], row["failure"], row["last_events"])
        if row["reproducer"] is not None:
            print(f"  again: avm sim run --replay {shlex.quote(row['reproducer'])}", file=sys.stderr)
    return DIAGNOSTICS if done.failures else OK


# ── real peers ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _up(args: argparse.Namespace) -> int:
    from runtime.sim.faults import NETWORK_KINDS

    kinds = _kinds(args.faults)
    if kinds - NETWORK_KINDS:
        wrong = ", ".join(sorted(kinds - NETWORK_KINDS))
        raise CommandError(
            f"--faults {args.faults}: real peers cannot have {wrong}",
            hint=f"there are {', '.join(sorted(NETWORK_KINDS))}",
        )
    if not 1 <= args.peers <= 64:
        raise CommandError(f"--peers {args.peers}: expected 1 to 64")
    if not 0 <= args.port <= 65536 - args.peers:
        raise CommandError(f"--port {args.port}: expected 0 to {65536 - args.peers}")
    from runtime import logs
    from runtime.local_peers import LocalPeers, run_local_peers

    logs.set_up(level=logs.level_of(args.verbose) or logs.DEFAULT_LEVEL)

    return run_local_peers(LocalPeers(args.peers, args.ip, args.port, args.seed, kinds))
