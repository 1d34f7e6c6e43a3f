"""What a published page must not show: tokens, passwords, paths and addresses of a machine."""

import re

_SECRETS = (
    # Tokens by their well-known beginnings: Hugging Face, OpenAI and look-alikes, GitHub, AWS.
    re.compile(r"\bhf_[A-Za-z0-9]{16,}"),
    re.compile(r"\bsk-[A-Za-z0-9_-]{16,}"),
    re.compile(r"\bgh[pousr]_[A-Za-z0-9]{16,}"),
    re.compile(r"\bAKIA[0-9A-Z]{16}\b"),
    re.compile(r"\bBearer\s+[A-Za-z0-9._~+/-]{8,}=*", re.IGNORECASE),
)
# `api_key: abc` and its kin; the key stays, the value goes. A count such as max_tokens stays.
# Repetitions are bounded or possessive, so that no line takes quadratic time.
_KEYED = re.compile(
    r"(?im)^(?P<key>[ \t]*+(?:token|[\w-]{0,40}?"
    r"(?:api_?key|password|passwd|secret|access_token|auth_token|hf_token)[\w-]{0,40})"
    r"[ \t]*+[:=][ \t]*+)(?!null\b|$|''|\"\")\S.*$"
)
_USERINFO = re.compile(r"(?P<scheme>\b[a-z][a-z0-9+.-]{0,15}://)[^\s/@]+@")
_PRIVATE_HOST = re.compile(
    r"(?P<scheme>\bhttps?://)(?:localhost|127\.[\d.]+|10\.[\d.]+|192\.168\.[\d.]+"
    r"|172\.(?:1[6-9]|2\d|3[01])\.[\d.]+|\[[0-9a-fA-F:]+\]|[\w-]+(?=[:/\s'\"]|$))(?::\d+)?"
)
_HOME_PATH = re.compile(
    r"(?<![\w:/.])(?:~|/(?:home|root|Users|work|tmp|var|mnt|data|scratch|opt|srv|media|usr|etc))"
    r"/(?:[^\s'\",:;/]+/)*(?P<name>[^\s'\",:;/]*)"
)
_WINDOWS_PATH = re.compile(r"\b[A-Za-z]:\\(?:[^\s'\"\\]+\\)*(?P<name>[^\s'\"\\]*)")

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)?")


def scrub(text: str) -> str:
    """The text with secrets replaced by `[removed]`, paths cut to their last name.

    `path: /home/ada/prompts.jsonl` becomes `path: …/prompts.jsonl`; `http://10.0.0.3:8000/v1`
    becomes `http://[private host]/v1`.
    """
    for pattern in _SECRETS:
        text = pattern.sub("[removed]", text)
    text = _KEYED.sub(r"\g<key>[removed]", text)
    text = _USERINFO.sub(r"\g<scheme>", text)
    text = _PRIVATE_HOST.sub(r"\g<scheme>[private host]", text)
    text = _HOME_PATH.sub(r"…/\g<name>", text)
    return _WINDOWS_PATH.sub(r"…/\g<name>", text)


def last_name(path: str) -> str:
    """The last part of a path of any system: `/workspace/ada/mine.jsonl` is `mine.jsonl`."""
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1]


def public_name(model: str) -> str:
    """A model's name without a machine's folders: `owner/name` as it is, a path's last name.

    Servers call a model by its path unless told otherwise, so that a served name can be one.
    """
    return model if _HUB_ID.fullmatch(model) else last_name(model)


def find_secrets(text: str) -> list[str]:
    """What kinds of secret the text still holds, without the secret itself; empty when none."""
    names = ("a Hugging Face token", "an API key", "a GitHub token", "an AWS key", "a bearer token")
    return [name for name, pattern in zip(names, _SECRETS, strict=True) if pattern.search(text)]
