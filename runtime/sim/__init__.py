"""Whole networks in one process under virtual time, from a seed. No trio, no sockets, no real clock.

`workloads.make_plan(seed)` says what happens, `world.World(plan, avm)` lets it happen, `checkers` say what must hold, `explore` tries
many seeds, `minimise` makes a failure small, `reproducer` keeps it; `network.SimNetwork` runs programs of one's own. See docs/simulation.md.
"""
