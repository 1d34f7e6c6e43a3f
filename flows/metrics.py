"""Sampling as Prometheus sees it: the newest progress, read out when it is scraped.

    curl http://127.0.0.1:9100/metrics

Only this machine can ask; to scrape from another, put a proxy before it that knows who may.
"""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from flows.cost import Cost
from flows.progress import plain
from prompts.errors import PrerequisiteError
from teacher.progress import SamplingProgress

HOST = "127.0.0.1"
REPLICA_STATES = ("up", "lost", "waiting", "leaving")
_COUNTER, _GAUGE = CounterMetricFamily, GaugeMetricFamily


class Metrics(Collector):
    """A port that tells the newest SamplingProgress until it is closed or the process ends.

    Raises PrerequisiteError when the port cannot be had. Port 0 takes any; `port` says which.
    """

    def __init__(self, port: int) -> None:
        self._now: tuple[str, SamplingProgress, Cost | None] | None = None
        self._highest: dict[tuple[str, ...], float] = {}
        registry = CollectorRegistry()
        registry.register(self)
        try:
            self._server, self._thread = start_http_server(port, addr=HOST, registry=registry)
        except (OSError, OverflowError) as error:
            raise PrerequisiteError(
                f"--metrics-port {port}: cannot listen on {HOST}:{port} "
                f"({getattr(error, 'strerror', None) or error}); give another port"
            ) from None
        self.port = int(self._server.server_port)

    def show(self, step: str, progress: SamplingProgress, cost: Cost | None = None) -> None:
        """From now on this is told."""
        if self._now and (self._now[0] != step or self._now[1].elapsed_s > progress.elapsed_s):
            self._highest = {}  # another step, or the same from its start: counters begin anew
        self._now = (step, progress, cost)

    def collect(self) -> Iterable[Metric]:
        """What a scrape answers; nothing before there is any progress."""
        if self._now is None:
            return
        step, progress, cost = self._now
        for found in (_totals(step, progress), _costs(step, cost), _replicas(step, progress)):
            yield from map(self._held_up, found)

    def _held_up(self, metric: Metric) -> Metric:
        """A counter never goes down, or Prometheus would take it for begun anew.

        Tokens of requests in flight are counted as heard, and set right when the server says.
        """
        if metric.type == "counter":
            for index, told in enumerate(metric.samples):
                key = (told.name, *told.labels.values())
                value = self._highest[key] = max(told.value, self._highest.get(key, 0.0))
                metric.samples[index] = told._replace(value=value)
        return metric

    def close(self) -> None:
        """Give the port back."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _totals(step: str, now: SamplingProgress) -> Iterator[Metric]:
    # What is lost moves from the one to the other; their sum only grows.
    generated = now.completion_tokens + now.wasted_tokens
    rows: list[tuple[type[CounterMetricFamily | GaugeMetricFamily], str, str, float | None]] = [
        (_GAUGE, "prompts", "Prompts of this step.", now.prompts_total),
        (_COUNTER, "prompts_decided", "Prompts with nothing left to sample.", now.prompts_done),
        (_COUNTER, "samples_truncated", "Samples cut by their token limit.", now.truncated),
        (_COUNTER, "generated_tokens", "Completion tokens, those lost too.", generated),
        (_COUNTER, "wasted_tokens", "Those of attempts that were lost.", now.wasted_tokens),
        (_GAUGE, "requests_in_flight", "Requests outstanding.", now.in_flight),
        (_GAUGE, "samples_ungraded", "Samples that wait for a verdict.", now.ungraded),
        (_GAUGE, "tokens_per_second", "Completion tokens a second, lately.", now.tokens_per_s),
        (_GAUGE, "tokens_per_accepted", "Tokens an accepted sample cost.", now.tokens_per_accepted),
        (_GAUGE, "tokens_left", "Completion tokens still to come, estimated.", now.tokens_left),
        (_GAUGE, "time_left_seconds", "Time left, estimated.", now.seconds_left),
        (_GAUGE, "time_left_low_seconds", "Low end of the time left.", now.seconds_left_low),
        (_GAUGE, "time_left_high_seconds", "High end of the time left.", now.seconds_left_high),
    ]
    for family, name, about, value in rows:
        yield _family(family, name, about, ["step"], [] if value is None else [([step], value)])
    outcomes = {
        "accepted": now.accepted,
        "rejected": now.rejected,
        "undecided": now.undecided,
        "error": now.errors,
    }
    values = [([step, outcome], float(count)) for outcome, count in outcomes.items()]
    yield _family(_COUNTER, "samples", "Samples by outcome.", ["step", "outcome"], values)
    faults = [([step, plain(kind, 40)], float(count)) for kind, count in now.faults.items()]
    yield _family(_COUNTER, "faults", "Failed attempts by kind.", ["step", "kind"], faults)


def _costs(step: str, cost: Cost | None) -> Iterator[Metric]:
    if cost is None:
        return
    about = "Dollars since the start of this process."
    yield _family(_COUNTER, "cost_dollars", about, ["step"], [([step], cost.so_far)])
    if cost.projected is not None:
        about = "The same at the end, estimated."
        yield _family(_GAUGE, "cost_projected_dollars", about, ["step"], [([step], cost.projected)])


def _replicas(step: str, now: SamplingProgress) -> Iterator[Metric]:
    # A label set may come only once.
    by_url = {plain(replica.url, 200): replica for replica in now.replicas}
    labels = ["step", "replica"]

    def each(values: dict[str, float | None]) -> list[tuple[list[str], float]]:
        return [([step, url], value) for url, value in values.items() if value is not None]

    states = [
        ([step, url, state], float(replica.state == state))
        for url, replica in by_url.items()
        for state in REPLICA_STATES
    ]
    yield _family(_GAUGE, "replica_state", "1 for its state.", [*labels, "state"], states)
    tokens = {url: float(r.completion_tokens) for url, r in by_url.items()}
    about = "Completion tokens by replica."
    yield _family(_COUNTER, "replica_completion_tokens", about, labels, each(dict(tokens)))
    gauges: dict[str, tuple[str, dict[str, float | None]]] = {
        "replica_requests_in_flight": (
            "Requests outstanding by replica.",
            {url: r.in_flight for url, r in by_url.items()},
        ),
        "replica_window": (
            "Requests it may have outstanding.",
            {url: r.window for url, r in by_url.items()},
        ),
        "replica_requests_queued": (
            "Requests in the server's own queue.",
            {url: r.queued for url, r in by_url.items()},
        ),
        "replica_kv_usage_ratio": (
            "Share of its KV cache in use.",
            {url: r.kv_usage for url, r in by_url.items()},
        ),
        "replica_tokens_per_second": (
            "Completion tokens a second, lately.",
            {url: r.tokens_per_s for url, r in by_url.items()},
        ),
    }
    for name, (about, values) in gauges.items():
        yield _family(_GAUGE, name, about, labels, each(values))


def _family(
    family: type[CounterMetricFamily | GaugeMetricFamily],
    name: str,
    about: str,
    labels: list[str],
    values: list[tuple[list[str], float]],
) -> Metric:
    """One metric with its values by label; counters gain `_total` when they are told."""
    made = family(f"stillhouse_{name}", about, labels=labels)
    for label_values, value in values:
        made.add_metric(label_values, value)
    return made
