"""The service `users` of main.aqua, in Python. Options are None or the value, data types are dicts."""

from runtime.python_services import service


@service("users")
class Users:
    def __init__(self) -> None:
        self._users: dict[str, dict] = {}

    def add(self, user: dict) -> int:
        self._users[user["name"]] = user
        return len(self._users)

    async def find(self, name: str) -> dict | None:
        return self._users.get(name)

    def oldest(self) -> dict:
        return max(self._users.values(), key=lambda user: user["age"])
