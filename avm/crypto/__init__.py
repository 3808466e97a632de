"""Content identifiers, Ed25519 keys and peer ids, signatures over what a peer produced."""
