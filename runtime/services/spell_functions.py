"""The service that every spell is: its script, keys, log, mailbox and errors, called by the id of the spell.

In the reference it is a module of Marine; here it is built in, with the same functions, records and results. Everybody
may read. A key is written by the spell itself, and by those its prefix names: `h_` the host, `w_` the worker, `hw_`
both. Other state is the spell's own, its script and triggers its owner's; everybody may push to the mailbox. What fails
says so in its result (`success`, `error`).
Errors: CallError, for calls that do not fit the interface, in the words of a module.
Source: spell:src/spell/modules/spell
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from avm.data.canonical_json import JsonError, dumps, parse
from runtime.marine.cids import RAW, cid_bytes, cid_text
from runtime.marine.errors import CallError, ErrorClass
from runtime.marine.interface import Interface, interface_json, interpret
from runtime.marine.interface_emit import build
from runtime.marine.json_values import Arguments, ValueCodec
from runtime.store.spells import SpellStore, SpellStoreError, StoredError, TriggerConfig

from .limits import MESSAGE_BYTES_MAX
from .particle_id import spell_id_of

if TYPE_CHECKING:
    from collections.abc import Callable

MODULE: Final = "spell"

COUNTER_KEY: Final = "hw_counter"
"""How often the spell has run, as a number."""

TRIGGER_KEY: Final = "hw_trigger"
"""Why it runs, as JSON."""

_RESULT: Final = [["success", "bool"], ["error", "string"]]
_RECORDS: Final = {
    "ClockConfig": [["start_sec", "u32"], ["end_sec", "u32"], ["period_sec", "u32"]],
    "ConnectionPoolConfig": [["connect", "bool"], ["disconnect", "bool"]],
    "BlockChainConfig": [["start_block", "u32"], ["end_block", "u32"]],
    "TriggerConfig": [
        ["clock", "ClockConfig"],
        ["connections", "ConnectionPoolConfig"],
        ["blockchain", "BlockChainConfig"],
    ],
    "LastError": [["error_code", "u32"], ["instruction", "string"], ["message", "string"], ["peer_id", "string"]],
    "LastErrorEntry": [["last_error", "LastError"], ["error_idx", "u32"]],
    "ParticleErrors": [["particle_id", "string"], ["errors", "[]LastErrorEntry"]],
    "Log": [["timestamp", "u64"], ["message", "string"]],
    "MailboxMessage": [["init_peer_id", "string"], ["timestamp", "u64"], ["message", "string"]],
    "UnitValue": _RESULT,
    "BoolValue": [["value", "bool"], *_RESULT],
    "U32Value": [["value", "u32"], *_RESULT, ["absent", "bool"]],
    "StringValue": [["value", "string"], *_RESULT, ["absent", "bool"]],
    "StringListValue": [["value", "[]string"], *_RESULT],
    "ScriptValue": [["value", "string"], *_RESULT],
    "CIDv1Value": [["value", "string"], *_RESULT],
    "TriggerConfigValue": [["config", "TriggerConfig"], *_RESULT],
    "AllErrorsResult": [["particle_errors", "[]ParticleErrors"], *_RESULT],
    "GetLogsResult": [["logs", "[]Log"], *_RESULT],
    "GetMailboxResult": [["messages", "[]MailboxMessage"], *_RESULT],
    "PopMailboxResult": [["message", "[]MailboxMessage"], ["success", "bool"], ["absent", "bool"], ["error", "string"]],
}
_KEY: Final = ["key", "string"]
_TEXT: Final = ["value", "string"]
_FUNCTIONS: Final[dict[str, tuple[list[list[str]], str]]] = {
    "exists": ([_KEY], "BoolValue"),
    "get_all_errors": ([], "AllErrorsResult"),
    "get_errors": ([["particle_id", "string"]], "[]LastErrorEntry"),
    "get_logs": ([], "GetLogsResult"),
    "get_mailbox": ([], "GetMailboxResult"),
    "get_script": ([], "ScriptValue"),
    "get_string": ([_KEY], "StringValue"),
    "get_trigger_config": ([], "TriggerConfigValue"),
    "get_u32": ([_KEY], "U32Value"),
    "list_get_strings": ([_KEY], "StringListValue"),
    "list_pop_string": ([_KEY], "StringValue"),
    "list_push_string": ([_KEY, _TEXT], "UnitValue"),
    "list_remove_string": ([_KEY, _TEXT], "UnitValue"),
    "pop_mailbox": ([], "PopMailboxResult"),
    "push_mailbox": ([["message", "string"]], "UnitValue"),
    "remove_key": ([_KEY], "UnitValue"),
    "script_cid": ([], "CIDv1Value"),
    "set_json_fields": ([["json", "string"]], "UnitValue"),
    "set_script": ([["script", "string"]], "UnitValue"),
    "set_string": ([_KEY, _TEXT], "UnitValue"),
    "set_trigger_config": ([["config", "TriggerConfig"]], "UnitValue"),
    "set_u32": ([_KEY, ["value", "u32"]], "UnitValue"),
    "store_error": ([["error", "LastError"], ["error_idx", "u32"], ["particle_timestamp", "u64"]], "UnitValue"),
    "store_log": ([["log", "string"]], "UnitValue"),
}


class Caller(NamedTuple):
    """Who calls a spell: as call parameters of modules have it. owner: of the spell; scope: where it lives."""

    spell_id: str
    owner: str
    host: str
    scope: str
    author: str
    particle_id: str

    @property
    def is_spell(self) -> bool:
        """Whether the spell itself calls, by a particle of its scope."""
        return spell_id_of(self.particle_id) == self.spell_id and self.author == self.scope

    @property
    def is_own(self) -> bool:
        """The same, by a particle of its owner."""
        return spell_id_of(self.particle_id) == self.spell_id and self.author == self.owner


class _Refused(Exception):
    """A call whose result tells of an error."""


@cache
def _interface() -> Interface:
    functions = [{"name": name, "args": args, "ret": result} for name, (args, result) in _FUNCTIONS.items()]
    records = [{"name": name, "fields": fields} for name, fields in _RECORDS.items()]
    return interpret(build({"records": records, "functions": functions}))


def spell_interface() -> dict[str, Any]:
    """The interface of spells, as `srv.get_interface` has it."""
    return interface_json(_interface())


@cache
def _arguments() -> dict[str, Arguments]:
    codec = ValueCodec()
    return {name: Arguments(codec, MODULE, name, f.signature) for name, f in _interface().functions.items()}


class SpellFunctions:
    """The functions of all spells of one host. now_ms: the time of day."""

    def __init__(self, store: SpellStore, now_ms: Callable[[], int]) -> None:
        """Keep the parts."""
        self.store = store
        self._now_ms = now_ms
        self._table: dict[str, Callable[..., Any]] = {name: getattr(self, name) for name in _FUNCTIONS}

    def call(self, caller: Caller, function: str, values: Any) -> Any:
        """The JSON result of a call. Raises CallError."""
        reader = _arguments().get(function)
        if reader is None:
            raise CallError(f"function with name `{function}` is missing", ErrorClass.NO_FUNCTION)
        return self._table[function](caller, *reader.read(values))

    def _now_s(self) -> int:
        return self._now_ms() // 1000

    # ── script and triggers ──────────────────────────────────────────────────────────────────────────────────────────

    def set_script(self, caller: Caller, script: str) -> Any:
        """Change the script; its owner may."""

        def body() -> None:
            if caller.author != caller.owner:
                raise _Refused("Only owner of the service can set the script")
            self.store.set_script(caller.spell_id, script)

        return _unit(body)

    def get_script(self, caller: Caller) -> Any:
        """The script."""

        def body() -> str:
            script = self.store.script(caller.spell_id)
            if script is None:
                raise _Refused("No such file or directory (os error 44)")
            return script

        return _value(body, "")

    def script_cid(self, caller: Caller) -> Any:
        """Content id of the script."""
        script = self.get_script(caller)
        if not script["success"]:
            return {"value": "", "success": False, "error": f"error loading script: {script['error']}"}
        return {"value": script_cid(script["value"]), "success": True, "error": ""}

    def set_trigger_config(self, caller: Caller, config: Any) -> Any:
        """Change what is kept of when the spell runs; its owner may.

        When it does run is changed by `spell.update_trigger_config`, and by a restart.
        """

        def body() -> None:
            if caller.author != caller.owner:
                raise _Refused("SetTriggerConfigForbidden")
            clock, connections, blockchain = config
            self.store.set_triggers(caller.spell_id, TriggerConfig(*clock, *connections, *blockchain))

        return _unit(body)

    def get_trigger_config(self, caller: Caller) -> Any:
        """When the spell runs."""

        def body() -> Any:
            config = self.store.triggers(caller.spell_id)
            if config is None:
                raise _Refused("Trigger Config is not set. Use set_trigger_config to set it.")
            return trigger_config_json(config)

        return _value(body, trigger_config_json(TriggerConfig()), field="config")

    # ── keys ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def set_string(self, caller: Caller, key: str, value: str) -> Any:
        """Keep a text under a key."""
        return _write(caller, key, lambda: self.store.set(caller.spell_id, key, value))

    def set_u32(self, caller: Caller, key: str, value: int) -> Any:
        """Keep a number under a key."""
        return _write(caller, key, lambda: self.store.set(caller.spell_id, key, value))

    def get_string(self, caller: Caller, key: str) -> Any:
        """The text under a key."""
        return _option(lambda: self.store.text(caller.spell_id, key), "")

    def get_u32(self, caller: Caller, key: str) -> Any:
        """The number under a key."""
        return _option(lambda: self.store.number(caller.spell_id, key), 0)

    def exists(self, caller: Caller, key: str) -> Any:
        """Whether anything is under a key."""
        return _value(lambda: self.store.exists(caller.spell_id, key), False)

    def remove_key(self, caller: Caller, key: str) -> Any:
        """Forget all that is under a key."""
        return _write(caller, key, lambda: self.store.remove_key(caller.spell_id, key))

    def set_json_fields(self, caller: Caller, text: str) -> Any:
        """Keep every field of an object under its name, as JSON; those before one that is refused are kept."""

        def body() -> None:
            try:
                fields: Any = parse(text)
            except JsonError:
                fields = None
            if not isinstance(fields, dict):
                raise _Refused("passed string must represent a JSON object")
            for key, value in fields.items():
                _guard(caller, key)
                self.store.set(caller.spell_id, key, dumps(value))

        return _unit(body)

    def list_push_string(self, caller: Caller, key: str, value: str) -> Any:
        """Append to the list under a key."""
        return _write(caller, key, lambda: self.store.push(caller.spell_id, key, value))

    def list_pop_string(self, caller: Caller, key: str) -> Any:
        """Take the last element off the list under a key."""

        def body() -> str | None:
            _guard(caller, key)
            return self.store.pop(caller.spell_id, key)

        return _option(body, "")

    def list_get_strings(self, caller: Caller, key: str) -> Any:
        """The list under a key."""
        return _value(lambda: self.store.elements(caller.spell_id, key), [])

    def list_remove_string(self, caller: Caller, key: str, value: str) -> Any:
        """Forget every such element of the list under a key."""
        return _write(caller, key, lambda: self.store.remove_element(caller.spell_id, key, value))

    # ── log and mailbox ──────────────────────────────────────────────────────────────────────────────────────────────

    def store_log(self, caller: Caller, text: str) -> Any:
        """Append to the log; the spell itself may."""

        def body() -> None:
            if not caller.is_own:
                raise _Refused("store_log can be called only by the associated spell script")
            self.store.add_log(caller.spell_id, self._now_s(), text)

        return _unit(body)

    def get_logs(self, caller: Caller) -> Any:
        """The log, oldest first."""

        def body() -> Any:
            return [{"timestamp": time, "message": text} for time, text in self.store.logs(caller.spell_id)]

        return _value(body, [], field="logs", prefix="get_logs error: ")

    def push_mailbox(self, caller: Caller, message: str) -> Any:
        """Leave a message; everybody may."""

        def body() -> None:
            if len(message.encode("utf-8", "surrogatepass")) > MESSAGE_BYTES_MAX:
                raise _Refused(f"Error storing mailbox message: it has more than {MESSAGE_BYTES_MAX} bytes")
            self.store.add_message(caller.spell_id, self._now_s(), caller.author, message)

        return _unit(body)

    def get_mailbox(self, caller: Caller) -> Any:
        """The messages, last one first."""

        def body() -> Any:
            return [_message(*found) for found in self.store.messages(caller.spell_id)]

        return _value(body, [], field="messages", prefix="get_mailbox error: ")

    def pop_mailbox(self, caller: Caller) -> Any:
        """Take the last message; the spell itself may."""
        try:
            if not caller.is_own:
                raise _Refused("pop_mailbox can be called only by the associated spell script")
            found = self.store.pop_message(caller.spell_id)
        except (_Refused, SpellStoreError) as error:
            return {"message": [], "success": False, "absent": False, "error": str(error)}
        message = [] if found is None else [_message(*found)]
        return {"message": message, "success": True, "absent": found is None, "error": ""}

    # ── errors ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def store_error(self, caller: Caller, error: Any, error_idx: int, timestamp: int) -> Any:
        """Keep an error of a particle; the spell itself may."""

        def body() -> None:
            if not caller.is_own:
                raise _Refused("store_error can be called only by the associated spell script")
            self.store.add_error(caller.spell_id, caller.particle_id, timestamp, StoredError(error_idx, *error))

        return _unit(body)

    def get_errors(self, caller: Caller, particle_id: str) -> Any:
        """The errors of one particle."""
        try:
            return [_entry(error) for error in self.store.errors(caller.spell_id).get(particle_id, [])]
        except SpellStoreError:
            return []

    def get_all_errors(self, caller: Caller) -> Any:
        """The errors of all particles."""

        def body() -> Any:
            found = self.store.errors(caller.spell_id)
            return [{"particle_id": name, "errors": [_entry(error) for error in of]} for name, of in found.items()]

        return _value(body, [], field="particle_errors")


def script_cid(script: str) -> str:
    """Content id of a script: CIDv1 of its bytes, however many they are."""
    return cid_text(cid_bytes(RAW, script.encode("utf-8", "surrogatepass")))


def trigger_config_json(config: TriggerConfig) -> dict[str, Any]:
    """A trigger configuration as programs have it."""
    start_sec, end_sec, period_sec, connect, disconnect, start_block, end_block = config
    return {
        "clock": {"start_sec": start_sec, "end_sec": end_sec, "period_sec": period_sec},
        "connections": {"connect": connect, "disconnect": disconnect},
        "blockchain": {"start_block": start_block, "end_block": end_block},
    }


def _guard(caller: Caller, key: str) -> None:
    """Raise _Refused unless the caller may write a key."""
    if caller.is_spell:
        return
    if caller.author == caller.host:
        role, letter = "Host", "h"
    elif caller.author == caller.scope:
        role, letter = "Worker", "w"
    else:
        raise _Refused(f"writing to the `{key}` is forbidden for any outside caller")
    prefix, found, _ = key.partition("_")
    if not found or prefix not in (letter, "hw"):
        raise _Refused(f"writing to the `{key}` is forbidden for the callers with the role {role}")


def _unit(body: Callable[[], None]) -> dict[str, Any]:
    try:
        body()
    except (_Refused, SpellStoreError) as error:
        return {"success": False, "error": str(error)}
    return {"success": True, "error": ""}


def _write(caller: Caller, key: str, body: Callable[[], None]) -> dict[str, Any]:
    def guarded() -> None:
        _guard(caller, key)
        body()

    return _unit(guarded)


def _value(body: Callable[[], Any], default: Any, *, field: str = "value", prefix: str = "") -> dict[str, Any]:
    try:
        return {field: body(), "success": True, "error": ""}
    except (_Refused, SpellStoreError) as error:
        return {field: default, "success": False, "error": f"{prefix}{error}"}


def _option(body: Callable[[], Any], default: Any) -> dict[str, Any]:
    found = _value(body, default)
    absent = found["value"] is None
    return {**found, "value": default if absent else found["value"], "absent": absent}


def _message(author: str, timestamp: int, text: str) -> dict[str, Any]:
    return {"init_peer_id": author, "timestamp": timestamp, "message": text}


def _entry(error: StoredError) -> dict[str, Any]:
    code_to_peer = {name: getattr(error, name) for name in ("error_code", "instruction", "message", "peer_id")}
    return {"last_error": code_to_peer, "error_idx": error.error_idx}
