"""JavaScript bindings for `@fluencelabs/js-client` 0.9.0, target `js`; their declarations are made by `typescript`.

Input:  `Bindings`.
Output: module text in the layout of `@fluencelabs/aqua-to-js` 0.3.13, with doc comments and safe names as in `typescript`.
Errors: none.
Source: js-client:packages/core/aqua-to-js/src (spec aqua-to-air §18.1)
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .typescript import (
    COMMENT,
    IMPORT,
    call_function,
    jsdoc,
    module,
    module_names,
    register_function,
    script_constant,
)

if TYPE_CHECKING:
    from .bindings import Bindings

_NO_CHECK: Final = "// @ts-nocheck\n"
"""For projects that check their JavaScript; types are in the declarations."""


def javascript_source(bindings: Bindings) -> str:
    """Module of target `js`."""
    names = module_names(bindings)
    services = [
        "\n" + jsdoc(service.doc.text) + register_function(service, typed=False) for service in bindings.services
    ]
    functions = []
    for function in bindings.functions:
        known_as = names.functions[function.name]
        functions.append(
            f"{script_constant(function, known_as)}\n\n"
            f"{jsdoc(function.doc)}{call_function(function, known_as, '(...args)')}"
        )
    header = f"{_NO_CHECK}{COMMENT}\n{IMPORT}"
    return module(header, "\n\n".join(services) + "\n" if services else "", "\n\n".join(functions))
