"""The Hub token: from the environment or the Hub client's own file; never printed."""

import os
from pathlib import Path

TOKEN_VARIABLE = "HF_TOKEN"


def hub_token() -> str | None:
    """The user's token, or None. Looks where huggingface_hub looks, without importing it."""
    if given := os.environ.get(TOKEN_VARIABLE, "").strip():
        return given
    home = Path(os.environ.get("HF_HOME", Path.home() / ".cache" / "huggingface"))
    file = Path(os.environ.get("HF_TOKEN_PATH", home / "token"))
    try:
        return file.read_text(encoding="utf-8").strip() or None
    except OSError:
        return None
