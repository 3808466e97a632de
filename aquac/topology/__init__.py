"""Topology: from operations with scopes of `on` to operations with peers and hops (Model → Res).

`make_res.resolve` is the stage. `cursor` lays the tree out flat, `place` finds where every node stands, `path` and `hops`
turn differences of place into peers to visit, `names` knows which results are read later, `text` prints Res for people.
"""
