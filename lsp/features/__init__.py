"""The requests of the protocol, one file each: functions from a workspace, a path and an offset to the protocol's types."""
