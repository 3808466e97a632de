"""`avm peer`: run a peer that others reach over libp2p, and ask one that runs (see `peer_remote`)."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
from argparse import BooleanOptionalAction
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from aquac.command_line import INTERRUPTED, OK, CommandError, Parser, add_common_flags
from runtime import logs

from . import peer_init, peer_remote, peer_state

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator, Mapping

    from runtime.kademlia import Kademlia
    from runtime.peer import Peer
    from runtime.services.hosted import HostingConfig
    from runtime.services.hosting import Hosting
    from runtime.settings import PeerSettings
    from runtime.store.state import Store

HELP: Final = "run a peer that others reach over tcp and websockets, and manage peers that run"

DRAIN_SECONDS: Final = 10.0
"""How long what has begun may take to end after SIGTERM."""

COLLECT_AFTER: Final = (10_000, 10, 50)
"""Thresholds of Python's collector: a look at all living particles, 0.4 µs for each of their six objects, is to be rare."""

SWITCH_SECONDS: Final = 0.001
"""How long a run in Python may keep the network waiting; Python's own five milliseconds add up over the steps of one answer."""

DESCRIPTORS_SPARE: Final = 256
"""Descriptors beside those of connections: listeners, files, requests to the endpoint."""

KEY_FILE: Final = "secret_key.ed25519"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the sub-commands."""
    commands = parser.add_subparsers(dest="peer_command", metavar="COMMAND", required=True, parser_class=Parser)
    run_parser = commands.add_parser("run", help="run a peer until SIGTERM", description=run_peer.__doc__)
    peer_init.configure(
        commands.add_parser("init", help="write a configuration and a key", description=peer_init.run.__doc__)
    )
    peer_state.configure(
        commands.add_parser("state", help="tell what a data directory holds", description=peer_state.run.__doc__)
    )
    peer_remote.configure(commands)
    run_parser.add_argument(
        "--config", metavar="FILE.toml", help="settings; flags and AVM_PEER_… variables win over it"
    )
    run_parser.add_argument(
        "--listen",
        metavar="MULTIADDR",
        action="append",
        default=[],
        help="address to listen at: /ip4/…/tcp/PORT or …/tcp/PORT/ws",
    )
    run_parser.add_argument(
        "--key", metavar="SEED|FILE", help="secret key of the peer; default: a new one, kept in --data-dir"
    )
    run_parser.add_argument(
        "--bootstrap",
        metavar="MULTIADDR",
        action="append",
        default=[],
        help="peer to stay connected to; ends in /p2p/<peer id>",
    )
    run_parser.add_argument(
        "--external-address", metavar="MULTIADDR", action="append", default=[], help="address to tell others instead"
    )
    run_parser.add_argument(
        "--management", metavar="PEER_ID", action="append", default=[], help="peer id with administrator rights"
    )
    run_parser.add_argument(
        "--data-dir",
        metavar="DIR",
        help="where the peer keeps its key, services, workers, spells and data of particles; default: nowhere",
    )
    run_parser.add_argument("--network", metavar="NAME", help="network whose peers are looked for (default dar)")
    run_parser.add_argument(
        "--http", metavar="HOST:PORT", help="answer /peer_id, /versions, /health and /metrics there"
    )
    run_parser.add_argument(
        "--allow-local-addresses",
        action=BooleanOptionalAction,
        help="dial and keep loopback and private addresses of others",
    )
    run_parser.add_argument("--log-format", choices=logs.FORMATS, help="lines of text (default), or JSON for programs")
    run_parser.add_argument(
        "--log-level", choices=logs.LEVELS, help="least level of what is logged (default warning; -v: info, -vv: debug)"
    )
    run_parser.add_argument(
        "--opentelemetry",
        action=BooleanOptionalAction,
        help="export spans of particles, as OTEL_… variables say (extra `otel`)",
    )
    add_common_flags(run_parser, top=False)


def run(args: argparse.Namespace) -> int:
    """Dispatch to the sub-command."""
    if "handler" in args:
        code: int = args.handler(args)
        return code
    return {"run": run_peer, "init": peer_init.run, "state": peer_state.run}[args.peer_command](args)


def run_peer(args: argparse.Namespace) -> int:
    """Run a peer. Prints one line of JSON when it is reachable; SIGTERM ends what has begun and exits 0."""
    from runtime.settings import load_settings

    flags = {
        "listen": args.listen,
        "key": args.key,
        "bootstrap": args.bootstrap,
        "external_addresses": args.external_address,
        "management_peer_ids": args.management,
        "data_dir": args.data_dir,
        "http": args.http,
        "network": args.network,
        "allow_local_addresses": args.allow_local_addresses,
        "log_format": args.log_format,
        "log_level": args.log_level or logs.level_of(args.verbose),
        "opentelemetry": args.opentelemetry,
    }
    settings = load_settings(args.config, os.environ, flags)
    return _run(settings)


def _run(settings: PeerSettings) -> int:
    from runtime.settings import split_http

    http = split_http(settings.http) if settings.http is not None else None
    with _data_dir(settings) as store:
        return _serve(settings, http, store)


@contextmanager
def _data_dir(settings: PeerSettings) -> Iterator[Store | None]:
    """The store of the data directory, which nobody else may use meanwhile; None without one. Raises CommandError."""
    if settings.data_dir is None:
        yield None
        return
    from pathlib import Path

    from runtime.clock import SystemClock
    from runtime.store.data_dir import DataDir
    from runtime.store.state import StateError

    try:
        data = DataDir(Path(settings.data_dir), now_ms=SystemClock().now_ms())
    except StateError as error:
        raise CommandError(str(error), hint=error.hint) from None
    with data:
        yield data.store


def _serve(settings: PeerSettings, http: tuple[str, int] | None, store: Store | None) -> int:
    from pathlib import Path

    from runtime.keys import load_or_create_secret, load_secret
    from runtime.protocol.identity import Identity
    from runtime.protocol.p2p import open_p2p
    from runtime.settings_text import resolved_text
    from runtime.tracing import open_spans

    if settings.key is not None:
        seed = load_secret(settings.key)
    elif settings.data_dir is not None:
        seed = load_or_create_secret(Path(settings.data_dir) / KEY_FILE)
    else:
        seed = os.urandom(32)
    identity = Identity(seed)
    logs.set_up(settings.log_format, settings.log_level, peer_id=identity.peer_id, stream=sys.stderr)
    spans = open_spans(identity.peer_id) if settings.opentelemetry else None
    network = open_p2p(
        "avm peer run",
        identity,
        allow_local_addresses=settings.allow_local_addresses,
        external_addresses=settings.external_addresses,
    )

    import trio

    from avm import Avm
    from avm.jit import library
    from runtime.clock import SystemClock
    from runtime.config import PeerConfig
    from runtime.http_endpoint import HttpEndpoint, host_port
    from runtime.kademlia import Kademlia, protocol_name
    from runtime.lone import lone
    from runtime.metrics import PeerMetrics
    from runtime.network import DialFailed
    from runtime.particle_metrics import HostingMetrics, ParticleMetrics
    from runtime.peer import Peer
    from runtime.protocol.limits import CONNECTIONS_MAX
    from runtime.service_metrics import Resolutions, ServiceMemory, ServiceMetrics
    from runtime.services.host import host_services
    from runtime.services.hosting import Hosting
    from runtime.store.particle_data import KeptParticleData
    from runtime.vm import ThreadVm

    library.ready()  # so that native code is there, or being compiled, before there is work

    config = PeerConfig(
        identity,
        listen=settings.listen,
        bootstrap=settings.bootstrap,
        management=frozenset(settings.management_peer_ids),
        limits=settings.core_limits(),
        avm_limits=settings.avm_limits(),
    )
    clock = SystemClock()
    metrics = PeerMetrics()
    vm = ThreadVm(Avm, size=config.limits.runs_max, ran=metrics.ran)
    metrics.watch(vm)
    kademlia = Kademlia(network, clock, protocol=protocol_name(settings.network))
    hosting = Hosting(config, clock, _hosting(settings, store))
    services = host_services(
        config,
        network,
        clock,
        kademlia=kademlia,
        hosted=hosting.hosted,
        workers=hosting.workers,
        spells=hosting.spells,
    )
    services.use_threads()
    peer = Peer(
        config,
        network,
        vm=vm,
        services=services,
        clock=clock,
        store=None if store is None else KeptParticleData(store),
    )
    hosting.attach(peer)
    if spans is not None:
        spans.attach(peer)
    ParticleMetrics(metrics.registry).attach(peer)
    metrics.registry.register(HostingMetrics(identity.peer_id, hosting))
    ServiceMetrics(metrics.registry).attach(hosting.hosted)
    metrics.registry.register(ServiceMemory(hosting.hosted))
    metrics.registry.register(Resolutions(network.resolutions))
    metrics.watch_peer(peer)
    raise_descriptor_limit(CONNECTIONS_MAX + DESCRIPTORS_SPARE)

    # What is loaded stays, and what particles leave behind has no cycles: a collector that went through all of it again and
    # again would make everybody wait.
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)
    sys.setswitchinterval(SWITCH_SECONDS)

    async def main() -> int:
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            async with hosting, peer, trio.open_nursery() as nursery:
                nursery.start_soon(kademlia.run)
                nursery.start_soon(hosting.spells.run)
                address = None
                if http is not None:
                    endpoint = HttpEndpoint(
                        identity.peer_id,
                        lambda: health(peer, hosting, store, kademlia),
                        metrics,
                        services=hosting.services,
                        config=resolved_text(settings),
                    )
                    address = await nursery.start(endpoint.serve, *http)
                ready = {
                    "peer_id": identity.peer_id,
                    "listen": list(peer.addresses),
                    "http": None if address is None else host_port(*address),
                }
                print(json.dumps(ready), flush=True)
                number = await anext(signals)
                hosting.spells.stop()
                await peer.drain(DRAIN_SECONDS)
                nursery.cancel_scope.cancel()
        return OK if number == signal.SIGTERM else INTERRUPTED

    try:
        with lone(DialFailed, OSError):
            return trio.run(main)
    except BrokenPipeError:  # nobody reads the line that says it is ready
        raise
    except (DialFailed, OSError) as error:
        raise CommandError(str(error)) from None
    finally:
        if spans is not None:
            spans.close()


def raise_descriptor_limit(wanted: int) -> None:
    """Ask the system for so many descriptors, or as many as it gives: each connection takes one, and most systems begin with 1024."""
    try:
        import resource
    except ImportError:  # not every system has such limits
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < limit:
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, hard))


def _hosting(settings: PeerSettings, store: Store | None = None) -> HostingConfig:
    """What the settings, which have been checked, allow Wasm services."""
    from pathlib import Path

    from runtime.marine.config import parse_size
    from runtime.services.hosted import HostingConfig
    from runtime.services.limits import SERVICE_MEMORY_BYTES_MAX
    from runtime.store.modules import Effectors, normal_cid

    memory_bytes: int | None = SERVICE_MEMORY_BYTES_MAX
    if settings.service_memory_limit is not None:
        memory_bytes = parse_size(settings.service_memory_limit, "service_memory_limit")
    effectors = settings.effectors.values()
    allowed = {normal_cid(table["wasm_cid"]): table["allowed_binaries"] for table in effectors}
    folder = None if settings.data_dir is None else Path(settings.data_dir) / "services"
    return HostingConfig(folder, Effectors(allowed, settings.open_binaries()), memory_bytes, state=store)


def health(
    peer: Peer, hosting: Hosting | None = None, store: Store | None = None, kademlia: Kademlia | None = None
) -> Mapping[str, bool]:
    """Whether services were restored, the store can be written, all bootstrap peers are connected, and the table of routes was filled.

    A check is absent where it has nothing to look at.
    """
    checks = {} if hosting is None else {"persisted_services": hosting.restored}
    if store is not None:
        checks["store"] = store.failing is None
    wanted = [address.rpartition("/p2p/")[2] for address in peer.config.bootstrap]
    if wanted:
        checks["bootstrap_nodes"] = set(wanted) <= set(peer.network.peers())
        if kademlia is not None:
            checks["kademlia_bootstrap"] = kademlia.is_bootstrapped
    return checks
