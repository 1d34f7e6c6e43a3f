"""The text of /metrics as vLLM 0.32 writes it: names, labels and types, and no more."""

from bench.batching import Batch


def metrics_text(model: str, batch: Batch, tokens: int) -> str:
    """Prometheus text of a replica's state."""
    waiting = len(batch.waiting)
    labels = f'engine="0",model_name="{model}"'
    families: list[tuple[str, str, str, list[tuple[str, float]]]] = [
        ("vllm:num_requests_running", "gauge", "Number of requests in model execution batches.",
         [(labels, len(batch.running))]),
        ("vllm:num_requests_waiting", "gauge", "Number of requests waiting to be processed.",
         [(labels, waiting)]),
        ("vllm:num_requests_waiting_by_reason", "gauge", "Number of waiting requests by reason.",
         [(f'{labels},reason="capacity"', waiting), (f'{labels},reason="deferred"', 0)]),
        ("vllm:kv_cache_usage_perc", "gauge", "KV-cache usage. 1 means 100 percent usage.",
         [(labels, batch.kv_usage())]),
        ("vllm:num_preemptions_total", "counter",
         "Cumulative number of preemption from the engine.", [(labels, batch.preemptions)]),
        ("vllm:generation_tokens_total", "counter", "Number of generation tokens processed.",
         [(labels, tokens)]),
    ]  # fmt: skip
    lines: list[str] = []
    for name, kind, help_text, values in families:
        lines += [f"# HELP {name} {help_text}", f"# TYPE {name} {kind}"]
        lines += [f"{name}{{{labelled}}} {float(value)}" for labelled, value in values]
    return "\n".join(lines) + "\n"
