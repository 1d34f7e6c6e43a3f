"""The probe: a small model tries every prompt a few times before the teacher is paid to.

Its pass rates say how hard prompts are (prompts/difficulty.py). Samples and grades are stored as
the teacher's are, in a folder named for what decides them, so that a killed probe goes on where it
stopped and one with other settings never mixes with it.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

import polars as pl

from flows.display import SamplingDisplay
from flows.endpoints import Keys, served_by
from flows.generate_file import accepted
from flows.program_runs import grader_for, require_sandbox
from flows.progress import say
from flows.prompt_file import has_reference
from flows.recipe import VerificationRecipe
from flows.sample_folder import asks_for, sample_folder
from flows.serving import Served
from prompts import template
from prompts.counted import counted
from prompts.difficulty import ProbeRecipe
from prompts.record import Prompt
from teacher.canary import Replica
from teacher.sample import Sample
from teacher.settings import SamplingRecipe

_AT = "prompts.difficulty.probe"
KEYS = Keys(f"{_AT}.urls", f"{_AT}.model", f"{_AT}.key_env", f"{_AT}.max_tokens")
# Who does the work, not what comes of it.
_NOT_DATA = {"urls", "key_env", "in_flight"}


def probe_pass_rates(
    folder: Path,
    prompts: Iterable[Prompt],
    probe: ProbeRecipe,
    verification: VerificationRecipe,
    again: bool = False,
) -> dict[str, float]:
    """The share of the probe's `n` samples that were accepted, 0 to 1, by prompt_id.

    Left out are prompts that no rule can grade (open answers) and those of which no sample could
    be decided. A sample that was cut by `max_tokens` is not solved. What `folder` holds already is
    not asked for again; when all is there no endpoint is needed. `again` grades all of it anew.

    Raises PrerequisiteError before anything is sent when the endpoints do not serve the model or
    code cannot be tested here; RunError when sampling stopped on a fault and can be resumed.
    """
    gradable = [prompt for prompt in prompts if has_reference(prompt)]
    place = probe_folder(folder, probe)
    ids = {prompt.prompt_id for prompt in gradable}
    rates = {} if again else _stored_rates(place)
    if not rates.keys() >= ids:
        require_probe(probe)
        require_sandbox(gradable, verification.sandbox)
        asked, each = counted(len(gradable), "prompt"), counted(probe.n, "sample")
        say(f"{'probe':9} {asked}, {each} each of {probe.model}")
        _sample(place, gradable, probe, verification, again)
        rates = _stored_rates(place)
    return {name: rate for name, rate in rates.items() if rate is not None and name in ids}


def require_probe(probe: ProbeRecipe) -> None:
    """Raise PrerequisiteError unless an endpoint of the probe answers and serves its model."""
    served_by(probe.urls, probe.model, probe.key_env, probe.max_tokens, KEYS)


def probe_folder(folder: Path, probe: ProbeRecipe) -> Path:
    """Where a probe's samples are: `probe-5f0c2a9e`, the hash of what decides them."""
    facts = probe.model_dump(mode="json", exclude=_NOT_DATA)
    facts["template"] = template.fingerprint(probe.template)
    digest = hashlib.blake2b(json.dumps(facts, sort_keys=True).encode(), digest_size=4)
    return folder / f"probe-{digest.hexdigest()}"


def _sample(
    place: Path,
    prompts: list[Prompt],
    probe: ProbeRecipe,
    verification: VerificationRecipe,
    again: bool,
) -> None:
    """Sample and grade what is missing; the pass rates are written when all is there."""
    asks = asks_for(prompts, probe.template)
    served = Served([Replica(url, probe.model, "", probe.key_env) for url in probe.urls])
    display = SamplingDisplay("probe")
    with grader_for(verification) as grader:

        async def grade(prompt: Prompt, sample: Sample) -> bool | None:
            return await accepted(grader, prompt, sample)

        sample_folder(asks, served, _sampling(probe), place, grade, display, again)


def _sampling(probe: ProbeRecipe) -> SamplingRecipe:
    """Exactly `n` samples of each prompt, whatever they turn out to be."""
    same = ("temperature", "top_p", "max_tokens", "seed", "send_seed", "think_prefilled")
    given = probe.model_dump(include={*same, "in_flight"})
    return SamplingRecipe(n_min=probe.n, n_max=probe.n, **given)


def _stored_rates(place: Path) -> dict[str, float | None]:
    """The pass rates of a probe that came to its end; nothing of one that did not."""
    path = place / "pass_rates.parquet"
    if not path.exists():
        return {}
    table = pl.read_parquet(path, columns=["prompt_id", "pass_rate"])
    return dict(table.iter_rows())
