"""What can go wrong with a simulated teacher: rates and switches, decided and never drawn."""

import hashlib
from dataclasses import dataclass, fields, replace
from typing import Any

# In the order in which their rates are laid side by side; a request meets one at most.
RATES = (
    "rate_limited",
    "server_error",
    "html",
    "reset_before_headers",
    "empty_choices",
    "reset_mid_body",
    "truncated_body",
    "invalid_json",
    "stuck",
)
# These break a completion after some tokens; the others cost none.
MID_COMPLETION = {"reset_mid_body", "truncated_body", "invalid_json", "stuck"}


@dataclass(frozen=True, slots=True)
class Faults:
    """Rates (0 to 1) of what happens to requests, and what ails the whole server.

    Requests without a seed (canaries) meet no rate, only `fail_all`. `slow` divides the speed.
    """

    rate_limited: float = 0.0  # 429 with Retry-After
    server_error: float = 0.0  # 503
    html: float = 0.0  # a proxy's page with status 200
    reset_before_headers: float = 0.0
    empty_choices: float = 0.0
    reset_mid_body: float = 0.0
    truncated_body: float = 0.0
    invalid_json: float = 0.0
    stuck: float = 0.0  # some tokens, then none, and the connection stays open
    retry_after_s: float = 1.0  # in seconds of the wall, as all that is said in HTTP
    fail_all: bool = False  # /health is green, every request fails with 500
    slow: float = 1.0

    def changed(self, changes: dict[str, Any]) -> "Faults":
        """With some of them set. Raises ValueError for a name or a value that is none."""
        known = {field.name: type(getattr(self, field.name)) for field in fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"no fault {name!r}; known: {', '.join(known)}")
            if isinstance(value, bool) != (known[name] is bool) or value < 0:
                raise ValueError(f"{name}: {value!r} is no {known[name].__name__}")
        return replace(self, **changes)

    def of(self, key: str, attempt: int, salt: int) -> tuple[str | None, float]:
        """The fault of a sample's n-th request to this server, and after what share of it.

        `salt` is the server's: two replicas must not fail the same requests.
        """
        digest = hashlib.blake2b(f"{salt}\n{key}\n{attempt}".encode(), digest_size=16).digest()
        point = int.from_bytes(digest[:8], "big") / 2**64
        share = 0.1 + 0.8 * int.from_bytes(digest[8:], "big") / 2**64
        for name in RATES:
            point -= getattr(self, name)
            if point < 0:
                return name, share
        return None, share
