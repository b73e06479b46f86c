"""Addresses in messages, without what may be a secret."""

from __future__ import annotations

import re


def mask_url(text: str) -> str:
    """A text that a person gave, fit to be shown: whole when it is no address or a plain one, else
    only its scheme.

    The twin of maskUrl() in lib/connection/mask_url.ts, which says why.
    """
    scheme, rest = re.fullmatch(r"([a-zA-Z][a-zA-Z0-9+.-]*://)?(.*)", text, re.DOTALL).groups(default="")
    hidden = "@" in rest or (scheme and re.search(r"[:?#%\\]", rest))
    return f"{scheme}…" if hidden else text
