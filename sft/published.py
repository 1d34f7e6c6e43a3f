"""Scores that others published for students like ours: what a training here can be held against.

Keys are the benchmarks' names in evals/benchmarks.py, in percent of pass@1; `aime-2024 cons@64` is
the majority's and `codeforces rating` no percentage. Each was measured by its publisher, with the
number of samples and the version of the benchmark that `setting` names.
"""

from collections.abc import Mapping
from dataclasses import dataclass

_R1 = "DeepSeek-R1, arXiv 2501.12948, table 5"
_R1_SETTING = (
    "T=0.6, top-p 0.95, 32,768 tokens; 64 samples for AIME and GPQA, 16 for MATH-500 and "
    "Codeforces, 8 for LiveCodeBench (2024-08 to 2025-01)"
)
_EVALCHEMY = "Evalchemy, LiveCodeBench v2"


@dataclass(frozen=True, slots=True)
class Published:
    """One published row: the model, where it stands, how it was measured, its scores."""

    model: str
    source: str
    setting: str
    scores: Mapping[str, float]


def _r1(model: str, *scores: float) -> Published:
    """A row of the R1 paper's table of distilled students."""
    keys = (
        *("aime-2024", "aime-2024 cons@64", "math-500"),
        *("gpqa-diamond", "livecodebench", "codeforces rating"),
    )
    return Published(
        f"DeepSeek-R1-Distill-{model}", _R1, _R1_SETTING, dict(zip(keys, scores, strict=True))
    )


# By the name of the student's recipe.
PUBLISHED: dict[str, Published] = {
    "qwen-1.5b": _r1("Qwen-1.5B", 28.9, 52.7, 83.9, 33.8, 16.9, 954),
    "qwen-7b": _r1("Qwen-7B", 55.5, 83.3, 92.8, 49.1, 37.6, 1189),
    "qwen-14b": _r1("Qwen-14B", 69.7, 80.0, 93.9, 59.1, 53.1, 1481),
    "qwen-32b": _r1("Qwen-32B", 72.6, 83.3, 94.3, 62.1, 57.2, 1691),
    "llama-8b": _r1("Llama-8B", 50.4, 80.0, 89.1, 49.0, 39.6, 1205),
    "llama-70b": _r1("Llama-70B", 70.0, 86.7, 94.5, 65.2, 57.5, 1633),
    "openr1-distill-7b": Published(
        model="OpenR1-Distill-7B",
        source="model card of open-r1/OpenR1-Distill-7B",
        setting="lighteval, T=0.6, top-p 0.95; 64 samples for AIME, 4 for MATH-500, 8 for "
        "GPQA-Diamond, 16 for LiveCodeBench v5",
        scores={"aime-2024": 52.7, "math-500": 89.0, "gpqa-diamond": 52.8, "livecodebench": 39.4},
    ),
    "openthinker-7b": Published(
        model="OpenThinker-7B",
        source="model card of open-thoughts/OpenThinker-7B",
        setting=_EVALCHEMY,
        scores={"aime-2024": 31.3, "math-500": 83.0, "gpqa-diamond": 42.4, "livecodebench": 39.9},
    ),
    "bespoke-stratos-7b": Published(
        model="Bespoke-Stratos-7B",
        source="model card of bespokelabs/Bespoke-Stratos-7B",
        setting=_EVALCHEMY,
        scores={"aime-2024": 20.0, "math-500": 82.0, "gpqa-diamond": 37.8, "livecodebench": 36.1},
    ),
    "s1-32b": Published(
        model="s1-32B, without budget forcing",
        source="s1, arXiv 2501.19393, table 1",
        setting="one greedy sample",
        scores={"aime-2024": 50.0, "math-500": 92.6, "gpqa-diamond": 56.6},
    ),
}
