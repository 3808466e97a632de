"""Effector: runs a program of the host. The host decides which one that is, see `service.toml`."""

from runtime.marine.sdk import MountedBinaryResult, export, service


@service("host")
class Host:
    def seal(self, args: list[str]) -> MountedBinaryResult: ...


@export
def stamp(text: str) -> str:
    """What the program prints for a text."""
    result = Host().seal([text])
    if result.ret_code != 0:
        raise RuntimeError(f"seal failed: {result.error}{result.stderr.decode()}")
    return result.stdout.decode().strip()
