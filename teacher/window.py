"""How many requests a replica is given at once, steered by what vLLM says of itself."""

from dataclasses import dataclass

# A window never grows beyond this; vLLM's own max-num-seqs is far below.
MOST_IN_FLIGHT = 4_096
# Above this share of the KV cache a further sequence would soon push another one out.
KV_FULL = 0.95

_GAUGES = {
    b"vllm:num_requests_running": "running",
    b"vllm:num_requests_waiting": "queued",
    b"vllm:kv_cache_usage_perc": "kv_usage",
    b"vllm:num_preemptions_total": "preemptions",
}


@dataclass(frozen=True, slots=True)
class Gauges:
    """What a vLLM server says in /metrics, over all its engines: sequences in the batch and in
    the queue, the share of the KV cache in use (0 to 1, of the fullest engine), and how many
    sequences have ever been pushed out of it."""

    running: int
    queued: int
    kv_usage: float
    preemptions: int


def parse_gauges(page: bytes) -> Gauges | None:
    """The gauges of a /metrics page, None if it is not vLLM's.

    A line reads `vllm:num_requests_running{engine="0",model_name="r1"} 12.0`.
    """
    found: dict[str, list[float]] = {}
    for line in page.split(b"\n"):
        if line.startswith(b"vllm:"):
            name = line.partition(b"{")[0].partition(b" ")[0]
            if name in _GAUGES:
                try:
                    found.setdefault(_GAUGES[name], []).append(float(line.rpartition(b" ")[2]))
                except ValueError:
                    return None
    values = [value for group in found.values() for value in group]
    if not {"running", "queued"} <= found.keys() or not all(0 <= v < 1e15 for v in values):
        return None
    return Gauges(
        running=int(sum(found["running"])),
        queued=int(sum(found["queued"])),
        kv_usage=max(found.get("kv_usage", [0.0])),
        preemptions=int(sum(found.get("preemptions", [0.0]))),
    )


def next_window(window: int, outstanding: int, now: Gauges, before: Gauges | None) -> int:
    """The window to use from now on, given how the server stands.

    Aims at a batch as large as the server takes with a short queue behind it, so that a finished
    sequence is followed by the next at once: a full window with nothing queued grows by an
    eighth; a longer queue, which would only tie requests to this replica, shrinks it to what would
    be outstanding without the excess, the same however often it is looked at while that drains;
    sequences pushed out of the KV cache shrink it by a sixteenth. It does not grow while the server
    has yet to count what it was sent: vLLM does so once a step, and one of these lasted 15 s, in
    which a window of 128 grew to 564 and 231 requests waited in its queue until they were given up.
    """
    wanted_queue = 1 + now.running // 64
    if before is not None and now.preemptions > before.preemptions:
        return max(1, min(window, outstanding) - max(1, window // 16))
    if now.queued > 2 * wanted_queue:
        return max(1, min(window, outstanding - (now.queued - wanted_queue)))
    is_full = outstanding >= window and now.kv_usage < KV_FULL
    is_counted = now.running >= outstanding - max(1, outstanding // 8)
    if now.queued == 0 and is_full and is_counted:
        return min(MOST_IN_FLIGHT, window + max(1, window // 8))
    return window
