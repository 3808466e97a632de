"""`avm peer spells`: scripts that run by themselves on a peer or one of its workers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from aquac.command_line import DIAGNOSTICS, WORKFLOW_ERROR, CommandError, read_text
from runtime.operations import Text

from .peer_remote import SubParsers, add_group, add_operation, json_argument

if TYPE_CHECKING:
    import argparse

    from runtime.operations.remote import Remote

    from .peer_remote import Work

COUNTER_KEY: Final = "hw_counter"
TRIGGER_KEY: Final = "hw_trigger"


def configure(commands: SubParsers) -> None:
    """Add the commands."""
    spells = add_group(commands, "spells", "install, look into and remove spells")
    add_operation(spells, "list", "list spells with their aliases", _list, scoped=True)
    install = add_operation(spells, "install", "install a spell; for management", _install, scoped=True)
    install.add_argument("file", metavar="FILE.air|FILE.aqua", help="the script, or a program with a function")
    install.add_argument(
        "-f", "--func", metavar="FUNC", help="the function of the program; optional when it exports one"
    )
    data = install.add_mutually_exclusive_group()
    data.add_argument("--data", metavar="JSON", help="an object with arguments of the function")
    data.add_argument("--data-file", metavar="FILE", help="a file with such an object")
    install.add_argument("--alias", metavar="ALIAS", help="alias of the spell")
    install.add_argument(
        "--replace", action="store_true", help="remove the spell that has the alias, with all it keeps"
    )
    update = add_operation(spells, "update", "change when a spell runs; without a flag: never", _update, scoped=True)
    for parser in (install, update):
        _add_trigger_flags(parser)
    info = add_operation(spells, "info", "tell when a spell runs, and how often it has", _info, scoped=True)
    script = add_operation(spells, "script", "print the script of a spell", _script, scoped=True)
    logs = add_operation(
        spells, "logs", "print what a spell has logged, oldest first", _field("get_logs", "logs"), scoped=True
    )
    mailbox = add_operation(
        spells,
        "mailbox",
        "print the messages for a spell, newest first",
        _field("get_mailbox", "messages"),
        scoped=True,
    )
    errors = add_operation(
        spells,
        "errors",
        "print the errors of a spell, by particle",
        _field("get_all_errors", "particle_errors"),
        scoped=True,
    )
    get = add_operation(spells, "get", "print what a spell keeps under a key", _get, scoped=True)
    push = add_operation(spells, "push", "leave a message in the mailbox of a spell", _push, scoped=True)
    for parser in (update, info, script, logs, mailbox, errors, get, push):
        parser.add_argument("spell", metavar="SPELL", help="id or alias")
    get.add_argument("name", metavar="KEY")
    push.add_argument("message", metavar="TEXT")
    remove = add_operation(spells, "remove", "remove spells with all they keep; for management", _remove, scoped=True)
    remove.add_argument("spells", metavar="SPELL", nargs="+", help="id or alias")


def _add_trigger_flags(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("when it runs")
    group.add_argument("--every", metavar="TIME", help="by the clock, such as 90s or 2h; whole seconds")
    group.add_argument("--once", action="store_true", help="by the clock, once")
    group.add_argument("--start", metavar="SECONDS", type=int, help="not before this time since 1970 (default: now)")
    group.add_argument("--end", metavar="SECONDS", type=int, help="not after this time since 1970 (default: for ever)")
    group.add_argument("--on-connect", action="store_true", help="whenever a peer connects")
    group.add_argument("--on-disconnect", action="store_true", help="whenever a peer goes away")


def trigger_config(args: argparse.Namespace) -> dict[str, Any]:
    """The trigger configuration that the flags say. Raises CommandError."""
    from runtime.commands.run import parse_time_ms
    from runtime.core.limits import U32_MAX

    period_sec = 0
    if args.every is not None:
        if args.once:
            raise CommandError("--every and --once exclude each other")
        period_ms = parse_time_ms("--every", args.every)
        period_sec = period_ms // 1000
        if period_ms % 1000 or not 0 < period_sec <= U32_MAX:
            raise CommandError(f"--every {args.every}: expected whole seconds, at least one")
    by_clock = args.every is not None or args.once
    for flag, value in (("--start", args.start), ("--end", args.end)):
        if value is not None and not by_clock:
            raise CommandError(f"{flag} is for spells that run by the clock", hint="add --every TIME or --once")
        if value is not None and not 0 < value <= U32_MAX:
            raise CommandError(f"{flag} {value}: expected seconds since 1970")
    # A start in the past is now, and 0 would be no clock at all.
    start_sec = (1 if args.start is None else args.start) if by_clock else 0
    return {
        "clock": {"start_sec": start_sec, "end_sec": args.end or 0, "period_sec": period_sec},
        "connections": {"connect": args.on_connect, "disconnect": args.on_disconnect},
        "blockchain": {"start_block": 0, "end_block": 0},
    }


def _list(_: argparse.Namespace) -> Work:
    async def work(remote: Remote) -> Any:
        return [found for found in await remote.call("srv", "list") if found["service_type"] == "spell"]

    return work


def _install(args: argparse.Namespace) -> Work:
    config = trigger_config(args)
    data: dict[str, Any] = {}
    if args.data is not None:
        data = json_argument("--data", args.data, dict, "an object of arguments")
    elif args.data_file is not None:
        text = read_text(args.data_file, what="data file")
        data = json_argument(f"--data-file {args.data_file}", text, dict, "an object of arguments")
    script = _script_of(args)

    async def work(remote: Remote) -> Any:
        old = await _of_alias(remote, args.alias) if args.alias is not None else None
        if old is not None and (old["service_type"] != "spell" or not args.replace):
            raise CommandError(
                f"`{args.alias}` is the alias of the {old['service_type']} {old['id']}",
                WORKFLOW_ERROR,
                hint="take another --alias"
                if old["service_type"] != "spell"
                else "--replace removes that one, which would go on running",
            )
        given = [script, data, config, *([] if args.alias is None else [args.alias])]
        spell_id = await remote.call("spell", "install", *given)
        if old is not None:
            await remote.call("spell", "remove", old["id"])
        replaced = [] if old is None else [old["id"]]
        return {"spell_id": spell_id, "alias": args.alias, "trigger_config": config, "replaced": replaced}

    return work


def _script_of(args: argparse.Namespace) -> str:
    from avm.air import parse
    from runtime.program import CompileSettings, load_program

    if args.file.endswith(".aqua"):
        return load_program(args.file, args.func, CompileSettings(quiet=args.quiet > 0, color=args.color)).script
    if args.func is not None:
        raise CommandError("--func is for .aqua files", hint="a .air file is one script")
    script = read_text(args.file, what="script")
    result = parse(script)
    if not result.ok:
        raise CommandError(f"{args.file} is no AIR script:\n{result.report.rstrip()}", DIAGNOSTICS)
    return script


def _update(args: argparse.Namespace) -> Work:
    config = trigger_config(args)

    async def work(remote: Remote) -> Any:
        spell_id = await _spell_id(remote, args.spell)
        await remote.call("spell", "update_trigger_config", spell_id, config)
        return {"spell_id": spell_id, "trigger_config": config}

    return work


async def _of_alias(remote: Remote, alias: str) -> dict[str, Any] | None:
    """The service or spell with an alias; None when there is none. Raises CommandError."""
    found: list[dict[str, Any]] = await remote.call("srv", "list")
    return next((one for one in found if alias in one["aliases"]), None)


async def _spell_id(remote: Remote, name: str) -> str:
    """The id of a spell, given by id or alias. Raises CommandError."""
    found = await remote.call("srv", "info", name)
    if found["service_type"] != "spell":
        raise CommandError(
            f"`{name}` is a service and no spell", WORKFLOW_ERROR, hint="`avm peer spells list` has the spells"
        )
    spell_id: str = found["id"]
    return spell_id


async def _ask(remote: Remote, spell_id: str, function: str, *values: Any) -> Any:
    """The result of a function of a spell. Raises CommandError for one that tells of an error."""
    result = await remote.call(spell_id, function, *values)
    if not result["success"]:
        raise CommandError(f"spell {spell_id}: {result['error']}", WORKFLOW_ERROR)
    return result


def _info(args: argparse.Namespace) -> Work:
    async def work(remote: Remote) -> Any:
        import json

        spell_id = await _spell_id(remote, args.spell)
        about = await remote.call("srv", "info", spell_id)
        counter = await _ask(remote, spell_id, "get_u32", COUNTER_KEY)
        trigger = await _ask(remote, spell_id, "get_string", TRIGGER_KEY)
        return {
            **about,
            "trigger_config": (await _ask(remote, spell_id, "get_trigger_config"))["config"],
            "script_cid": (await _ask(remote, spell_id, "script_cid"))["value"],
            "counter": 0 if counter["absent"] else counter["value"],
            "last_trigger": None if trigger["absent"] else json.loads(trigger["value"]),
        }

    return work


def _script(args: argparse.Namespace) -> Work:
    async def work(remote: Remote) -> Any:
        spell_id = await _spell_id(remote, args.spell)
        return Text((await _ask(remote, spell_id, "get_script"))["value"].rstrip("\n"))

    return work


def _field(function: str, field: str) -> Any:
    def prepare(args: argparse.Namespace) -> Work:
        async def work(remote: Remote) -> Any:
            return (await _ask(remote, await _spell_id(remote, args.spell), function))[field]

        return work

    return prepare


def _get(args: argparse.Namespace) -> Work:
    async def work(remote: Remote) -> Any:
        spell_id = await _spell_id(remote, args.spell)
        found = await _ask(remote, spell_id, "get_string", args.name)
        if found["absent"]:
            found = await _ask(remote, spell_id, "get_u32", args.name)
        value = None if found["absent"] else found["value"]
        elements = (await _ask(remote, spell_id, "list_get_strings", args.name))["value"] if value is None else []
        return {"key": args.name, "value": value, "list": elements}

    return work


def _push(args: argparse.Namespace) -> Work:
    async def work(remote: Remote) -> Any:
        spell_id = await _spell_id(remote, args.spell)
        await _ask(remote, spell_id, "push_mailbox", args.message)
        return {"spell_id": spell_id, "pushed": True}

    return work


def _remove(args: argparse.Namespace) -> Work:
    async def work(remote: Remote) -> Any:
        found = list(dict.fromkeys([await _spell_id(remote, name) for name in args.spells]))
        for spell_id in found:
            await remote.call("spell", "remove", spell_id)
        return {"removed": found}

    return work
