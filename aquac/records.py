"""`dataclass`, `field` and `replace` as in the standard library, without their cost.

Problem: the compiler has some two hundred small classes of values. The standard decorator writes and compiles several methods for
each when it is imported, a third of a millisecond apiece, which was a quarter of a cold `aquac build`; and a frozen class
sets each of its fields through a function, which was most of the time of building a tree.
Idea:    type checkers see the standard decorator, so a frozen class is as frozen as it says, and every assignment is
         refused before anything runs. At run time a class gets its constructor when it makes its first object, the other
         methods are shared, and fields are plain slots.

With `AQUAC_FROZEN=1` in the environment the standard decorator is used at run time too; a test compiles under it.
Supported is what this package uses: `frozen`, `slots`, `eq`, `order`, fields with `default`, `default_factory`, `init`, `repr`
and `compare`, and `__post_init__`.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING


def is_record(thing: object) -> bool:
    """Whether it is an object or class made by `dataclass`."""
    return hasattr(thing, "__match_args__")


def field_names(record: object) -> tuple[str, ...]:
    """Fields of an object or class made by `dataclass`, in order; none for anything else, such as texts and numbers."""
    names: tuple[str, ...] = getattr(record, "__match_args__", ())
    return names


if TYPE_CHECKING or os.environ.get("AQUAC_FROZEN") == "1":
    from dataclasses import dataclass as dataclass
    from dataclasses import field as field
    from dataclasses import replace as replace
else:
    from operator import attrgetter

    _MISSING = object()

    class _Field:
        """What `field` says of one field."""

        __slots__ = ("compare", "default", "factory", "init", "repr")

        def __init__(self, default, factory, init, repr, compare) -> None:  # noqa: ANN001
            self.default, self.factory, self.init, self.repr, self.compare = default, factory, init, repr, compare

    def field(*, default=_MISSING, default_factory=_MISSING, init=True, repr=True, compare=True):  # noqa: ANN001, ANN201
        """As `dataclasses.field`."""
        return _Field(default, default_factory, init, repr, compare)

    def dataclass(cls=None, /, *, frozen=False, slots=False, eq=True, order=False):  # noqa: ANN001, ANN201
        """As `dataclasses.dataclass`."""
        if cls is None:
            return lambda made: dataclass(made, frozen=frozen, slots=slots, eq=eq, order=order)
        fields = dict(getattr(cls, "__record_fields__", ()))
        body = dict(cls.__dict__)
        own = []
        for name, of in body.get("__annotations__", {}).items():
            if of.startswith(("ClassVar", "Final")):
                continue
            given = body.get(name, _MISSING)
            fields[name] = given if isinstance(given, _Field) else _Field(given, _MISSING, True, True, True)
            own.append(name)
        body["__record_fields__"] = fields
        body["__match_args__"] = tuple(name for name, it in fields.items() if it.init)
        body.setdefault("__init__", _first_init)
        body.setdefault("__repr__", _repr)
        if eq and "__eq__" not in body:
            # The comparer of one field gives no tuple, which compares and hashes as well.
            compared = [name for name, it in fields.items() if it.compare]
            body["__record_key__"] = attrgetter(*compared) if compared else _nothing
            body["__eq__"] = _eq
            body.setdefault("__hash__", _hash if frozen else None)
        if order:
            body["__lt__"], body["__le__"], body["__gt__"], body["__ge__"] = _lt, _le, _gt, _ge
        if not slots:
            for name in own:
                if isinstance(body.get(name), _Field):
                    delattr(cls, name)
            for name, value in body.items():
                if cls.__dict__.get(name, _MISSING) is not value and not isinstance(value, _Field):
                    setattr(cls, name, value)
            return cls
        for name in own:
            body.pop(name, None)
        body.pop("__dict__", None)
        body.pop("__weakref__", None)
        body["__slots__"] = tuple(own)
        made = type(cls)(cls.__name__, cls.__bases__, body)
        made.__qualname__ = cls.__qualname__
        return made

    def replace(record, /, **changes):  # noqa: ANN001, ANN003, ANN201
        """As `dataclasses.replace`."""
        get = changes.pop
        of = type(record)
        made = of(*[get(name) if name in changes else getattr(record, name) for name in of.__match_args__])
        if changes:
            raise TypeError(f"{of.__name__} has no field {next(iter(changes))}")
        return made

    def _first_init(self, *args, **kwargs) -> None:  # noqa: ANN001, ANN002, ANN003
        """The constructor until the first object is made; then the class has one of its own."""
        of = type(self)
        # A subclass that adds nothing shares the constructor of the class that was decorated.
        owner = next(base for base in of.__mro__ if "__record_fields__" in base.__dict__)
        owner.__init__ = _init(owner)
        owner.__init__(self, *args, **kwargs)

    def _init(of):  # noqa: ANN001, ANN202
        scope, parameters, lines = {"_missing": _MISSING}, [], []
        for name, it in of.__record_fields__.items():
            if it.factory is not _MISSING:
                scope[f"_make_{name}"] = it.factory
                made = f"_make_{name}()"
                if it.init:
                    parameters.append(f"{name}=_missing")
                    made += f" if {name} is _missing else {name}"
                lines.append(f"self.{name} = {made}")
            elif it.default is not _MISSING:
                scope[f"_given_{name}"] = it.default
                if it.init:
                    parameters.append(f"{name}=_given_{name}")
                lines.append(f"self.{name} = {name if it.init else f'_given_{name}'}")
            else:
                parameters.append(name)
                lines.append(f"self.{name} = {name}")
        if hasattr(of, "__post_init__"):
            lines.append("self.__post_init__()")
        body = "\n ".join(lines or ["pass"])
        exec(f"def __init__(self, {', '.join(parameters)}):\n {body}", scope)
        scope["__init__"].__qualname__ = f"{of.__qualname__}.__init__"
        return scope["__init__"]

    def _repr(self) -> str:  # noqa: ANN001
        shown = [f"{name}={getattr(self, name)!r}" for name, it in type(self).__record_fields__.items() if it.repr]
        return f"{type(self).__qualname__}({', '.join(shown)})"

    def _nothing(record) -> tuple:  # noqa: ANN001
        return ()

    def _eq(self, other) -> bool:  # noqa: ANN001
        of = self.__class__
        if other.__class__ is not of:
            return NotImplemented
        key = of.__record_key__
        return key(self) == key(other)

    def _hash(self) -> int:  # noqa: ANN001
        of = self.__class__
        return hash((of, of.__record_key__(self)))

    def _compared(self, other):  # noqa: ANN001, ANN202
        of = self.__class__
        return (of.__record_key__(self), of.__record_key__(other)) if other.__class__ is of else None

    def _lt(self, other) -> bool:  # noqa: ANN001
        keys = _compared(self, other)
        return NotImplemented if keys is None else keys[0] < keys[1]

    def _le(self, other) -> bool:  # noqa: ANN001
        keys = _compared(self, other)
        return NotImplemented if keys is None else keys[0] <= keys[1]

    def _gt(self, other) -> bool:  # noqa: ANN001
        keys = _compared(self, other)
        return NotImplemented if keys is None else keys[0] > keys[1]

    def _ge(self, other) -> bool:  # noqa: ANN001
        keys = _compared(self, other)
        return NotImplemented if keys is None else keys[0] >= keys[1]
