"""`avm service new`: a small project in a language that compiles to WebAssembly.

The projects are templates in `runtime/templates`: `shared` for all languages, and a folder for each. `@name@` and `@Title@` in texts
and file names are replaced; `.txt` behind `.py` is taken off, which keeps our own tools from reading them as code of this package.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aquac.command_line import OK, CommandError

if TYPE_CHECKING:
    import argparse

    from .service_shared import SubParsers

TEMPLATES: Final = Path(__file__).resolve().parents[1] / "templates"
SHARED: Final = "shared"
LANGUAGES: Final = ("c", "zig", "assemblyscript", "rust", "python")
NAME_LENGTH_MAX: Final = 64
"""Letters of a project's name: it is part of file names."""

RESERVED: Final = frozenset({"marine", "build", "stats"})
"""Names of other files of a project, and of the record that its functions have."""

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


def configure(commands: SubParsers) -> None:
    """Add the sub-command."""
    new = commands.add_parser("new", help="start a module in C, Zig, AssemblyScript, Rust or Python")
    new.add_argument("name", metavar="NAME", help="of the module: small letters, digits and underscores")
    new.add_argument("--language", required=True, choices=LANGUAGES)
    new.add_argument("--directory", dest="folder", metavar="DIR", help="must be empty or not exist; default: NAME")
    new.set_defaults(handler=_new)


def _new(args: argparse.Namespace) -> int:
    folder = Path(args.folder or args.name)
    for path in make_project(args.name, args.language, folder):
        print(path)
    if not args.quiet:
        print(f"next: cd {folder} and read README.md", file=sys.stderr)
    return OK


def make_project(name: str, language: str, folder: Path) -> list[Path]:
    """Write a project; the paths written, sorted. Nothing that exists is touched. Raises CommandError."""
    if _NAME.fullmatch(name) is None or len(name) > NAME_LENGTH_MAX:
        raise CommandError(
            f"{name}: expected a name of small letters, digits and underscores, {NAME_LENGTH_MAX} at most",
            hint="it is how Aqua, other modules and the files of the project call the module",
        )
    if name in RESERVED or (language == "python" and name in sys.stdlib_module_names):
        raise CommandError(f"{name} is taken: a file or a type of the project is called so", hint="choose another name")
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise CommandError(f"{folder} exists and is not an empty folder", hint="name another: --directory DIR")
        return sorted(_write(folder / place, text) for place, text in project_files(name, language).items())
    except OSError as error:
        raise CommandError(f"cannot write {folder}: {error.strerror or error}") from error


def project_files(name: str, language: str) -> dict[str, str]:
    """Texts of a project by path."""
    title = "".join(part[:1].upper() + part[1:] for part in name.split("_"))
    out = {}
    for source in (SHARED, language):
        root = TEMPLATES / source
        for path in sorted(root.rglob("*")):
            if path.is_file():
                place = path.relative_to(root).as_posix().removesuffix(".txt")
                texts = (place, path.read_text(encoding="utf-8"))
                place, text = (text.replace("@name@", name).replace("@Title@", title) for text in texts)
                out[place] = text
    return out


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
