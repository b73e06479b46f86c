"""Masks URLs in messages, which may contain secrets."""

from __future__ import annotations

import re


def mask_url(text: str) -> str:
    """Reduces a URL that may contain credentials to its scheme; returns other text unchanged.

    Same rules as maskUrl() in lib/connection/mask_url.ts, where they are explained.
    """
    scheme, rest = re.fullmatch(r"([a-zA-Z][a-zA-Z0-9+.-]*://)?(.*)", text, re.DOTALL).groups(default="")
    has_secret = "@" in rest or (scheme and re.search(r"[:?#%\\]", rest))
    return f"{scheme}…" if has_secret else text
