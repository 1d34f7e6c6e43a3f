"""Where prompts come from: the starter sets in this project, and public sets on the Hub.

The Hub sets are read by id at run time; nothing of theirs is copied here. Their column names
and row counts are those of their dataset cards; loading them from the Hub was not run where
this was written (the mapping functions were, on local files with the same columns). Add a
source as one file with a `to_draft` function and one entry here.
"""

from prompts.sources import gsm8k, mbpp, numina_math, sciq, starter, taco, theoremqa
from prompts.sources.source import Source

_APACHE = "Apache-2.0"
_OURS = starter.COLUMNS
_HUB = ("hub",)

SOURCES: dict[str, Source] = {
    # Written for this project, read from the package, no network.
    "starter-math": Source(
        "", "", _APACHE, "math", _OURS, 300, (), starter.to_draft, shipped="math"
    ),
    "starter-code": Source(
        "", "", _APACHE, "code", _OURS, 190, (), starter.to_draft, shipped="code"
    ),
    "starter-science": Source(
        "", "", _APACHE, "science", _OURS, 218, (), starter.to_draft, shipped="science"
    ),
    # Math. OpenR1's default config holds the 94k problems with verified R1 answers.
    "openr1-math": Source(
        "open-r1/OpenR1-Math-220k",
        "main",
        _APACHE,
        "math",
        numina_math.COLUMNS,
        93_733,
        _HUB,
        numina_math.to_draft,
    ),
    "numina-math": Source(
        "AI-MO/NuminaMath-1.5",
        "main",
        _APACHE,
        "math",
        numina_math.COLUMNS,
        896_215,
        _HUB,
        numina_math.to_draft,
    ),
    "gsm8k": Source(
        "openai/gsm8k",
        "main",
        "MIT",
        "math",
        gsm8k.COLUMNS,
        7_473,
        _HUB,
        gsm8k.to_draft,
        config="main",
    ),
    # Code. Only what asserts can test; problems on standard input are rejected and counted.
    "taco": Source(
        "BAAI/TACO",
        "main",
        _APACHE,
        "code",
        taco.COLUMNS,
        25_443,
        _HUB,
        taco.to_draft,
        config="ALL",
    ),
    "mbpp": Source(
        "google-research-datasets/mbpp",
        "main",
        "CC-BY-4.0",
        "code",
        mbpp.COLUMNS,
        374,
        _HUB,
        mbpp.to_draft,
        config="full",
    ),
    # Science. SciQ may not be used commercially; TheoremQA is small and a benchmark elsewhere.
    "sciq": Source(
        "allenai/sciq",
        "main",
        "CC-BY-NC-3.0",
        "science",
        sciq.COLUMNS,
        11_679,
        _HUB,
        sciq.to_draft,
    ),
    "theoremqa": Source(
        "TIGER-Lab/TheoremQA",
        "main",
        "MIT",
        "science",
        theoremqa.COLUMNS,
        800,
        _HUB,
        theoremqa.to_draft,
        hub_split="test",
    ),
}
