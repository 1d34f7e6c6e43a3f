"""What endpoints serve, asked before anything is sent to them."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Iterable, Sequence
from typing import IO, Any, NamedTuple

from flows.progress import plain, say
from prompts.errors import PrerequisiteError
from teacher.client import Endpoint, endpoint

ANSWER_WITHIN_S = 10.0
# A list of ten thousand models takes less.
MOST_BYTES = 4 << 20


class Keys(NamedTuple):
    """What the user sets, by the names an error is to tell: options of a command by default."""

    urls: str = "--url http://HOST:8000"
    model: str = "--model NAME"
    key_env: str = "--key-env"
    max_tokens: str = "--set sampling.max_tokens"


OPTIONS = Keys()


def served_by(
    urls: Sequence[str],
    model: str | None,
    key_env: str | None,
    max_tokens: int,
    keys: Keys = OPTIONS,
) -> str:
    """The model that all endpoints serve: the one asked for, else the only one they have.

    Raises PrerequisiteError that names the endpoint: nobody answers at any of them, the key is
    refused, the model is not served, several are and none was asked for, or `max_tokens` leaves no
    room for a prompt. A server that lists no models (HTTP 404) is taken at the user's word; one
    that is not up while another is will be waited for.
    """
    if not urls:
        raise PrerequisiteError(f"no endpoint is given: {keys.urls} (repeatable)")
    listed: dict[str, dict[str, int | None]] = {}
    down: list[PrerequisiteError] = []
    for url in urls:
        where = endpoint(url, model or "", key_env)
        try:
            if (found := _models(where, keys)) is not None:
                listed[url] = found
        except NotUpError as error:
            down.append(error)
    if len(down) == len(urls):
        raise down[0]
    for silent in down:
        say(f"note: {silent}")
    if model is None:
        model = _only_one(urls, listed, keys)
    for url, found in listed.items():
        if model not in found:
            raise PrerequisiteError(
                f"{url} does not serve {model!r}; it serves {_names(found) or 'nothing'}. "
                f"Give one that all endpoints serve: {keys.model}"
            )
        room = found[model]
        if room is not None and max_tokens >= room:
            raise PrerequisiteError(
                f"{url} takes {room:,} tokens, prompt and completion together, and "
                f"{keys.max_tokens.split()[-1]} is {max_tokens:,}: {keys.max_tokens}={room // 2}"
            )
    return model


def _only_one(urls: Sequence[str], listed: dict[str, dict[str, int | None]], keys: Keys) -> str:
    names = dict.fromkeys(sorted(name for found in listed.values() for name in found))
    if len(names) == 1:
        return next(iter(names))
    what = f"serve {_names(names)}" if names else "do not say what they serve"
    raise PrerequisiteError(f"{', '.join(urls)} {what}: choose with {keys.model}")


def _names(models: Iterable[str]) -> str:
    """Names as they can be printed: they come from the server."""
    return plain(", ".join(models), 500)


class NotUpError(PrerequisiteError):
    """Nobody listens there, for now."""


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer: followed, it would take the key to whatever host it names."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> None:
        """None: not followed, an HTTPError instead."""


def _models(where: Endpoint, keys: Keys) -> dict[str, int | None] | None:
    """Names and context lengths (None: not told) a server lists; None if it has no such list."""
    # The client that samples uses no proxy either.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect)
    try:
        request = urllib.request.Request(f"{where.url}/models", headers=where.headers())
        with opener.open(request, timeout=ANSWER_WITHIN_S) as reply:
            body = reply.read(MOST_BYTES + 1)
        if len(body) > MOST_BYTES:
            raise ValueError(f"its list of models is longer than {MOST_BYTES >> 20} MB")
        return _listed(body)
    except urllib.error.HTTPError as error:
        with error:
            if error.code in (404, 405):
                return None
            raise _refusal(where, error, keys) from None
    except RecursionError:
        raise _no_endpoint(where, "its list of models is nested without end", keys) from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        why = str(getattr(error, "reason", "") or error or type(error).__name__)
        said = _no_endpoint(where, why, keys)
        raise (NotUpError(str(said)) if _is_down(error) else said) from None


def _is_down(error: Exception) -> bool:
    """Whether the server is not there, rather than another kind of server."""
    reason = getattr(error, "reason", error)
    return isinstance(reason, ConnectionError | TimeoutError)


def _refusal(where: Endpoint, error: urllib.error.HTTPError, keys: Keys) -> PrerequisiteError:
    """What a status other than 200 means."""
    if error.code in (401, 403):
        return PrerequisiteError(
            f"{where.url} refuses us (HTTP {error.code}): put its key into an environment "
            f"variable and name that with {keys.key_env}"
        )
    if 300 <= error.code < 400:
        target = plain(error.headers.get("Location") or "nowhere", 200)
        return _no_endpoint(where, f"HTTP {error.code}, it redirects to {target}", keys)
    return _no_endpoint(where, f"HTTP {error.code}", keys)


def _no_endpoint(where: Endpoint, why: str, keys: Keys) -> PrerequisiteError:
    """The error with the fix; an error's text may quote the header that holds the key."""
    shown = why.replace(where.key, "***") if where.key else why
    return PrerequisiteError(
        f"no endpoint at {where.url}: {plain(shown, 300)}. Give the address of a server that "
        f"runs: {keys.urls}"
    )


def _listed(body: bytes) -> dict[str, int | None]:
    """`{"data": [{"id": "r1", "max_model_len": 32768}]}` as {"r1": 32768}; ValueError if not so."""
    rooms = {}
    try:
        answer: Any = json.loads(body)
        for model in answer["data"]:
            room = model.get("max_model_len")
            rooms[str(model["id"])] = room if isinstance(room, int) and room > 0 else None
    except (ValueError, LookupError, TypeError, AttributeError):
        raise ValueError("its answer is no list of models") from None
    return rooms
