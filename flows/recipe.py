"""The recipe: one strict, complete description of a run, read from YAML."""

import difflib
import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from data_cards.assemble import DatasetRecipe
from evals.run import EvalsRecipe
from filters.sandbox.settings import BUBBLEWRAP, SandboxSettings
from filters.selection import SelectionRecipe
from filters.trace_filters import TraceFilters
from flows import recipe_faults
from flows.pins import pins_of
from prompts.errors import PrerequisiteError
from prompts.settings import PromptsRecipe
from sft.student import StudentRecipe, student_values
from teacher.serve import ServeRecipe
from teacher.settings import SamplingRecipe
from teacher.teachers import TEACHERS

FOLDER = Path(__file__).parent / "recipes"
_EXAMPLE = "A whole recipe to begin with: flows/recipes/default.yaml"


class ClusterRecipe(BaseModel):
    """The GPUs a teacher is planned for."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    gpus: int = Field(32, ge=1, description="GPUs for the teacher")
    gpus_per_node: int = Field(8, ge=1, description="GPUs in one machine")
    gpu_memory_gib: float = Field(79.6, gt=0, description="memory of one GPU; 79.6 is an H100-80GB")
    tokens_per_prompt: dict[str, int] = Field(
        default_factory=dict, description="expected completion tokens by domain, for the plan"
    )
    samples_per_prompt: float = Field(2.0, gt=0, description="expected samples tried, for the plan")


class TeacherRecipe(BaseModel):
    """Who answers: a model we serve, or endpoints that serve it already."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(description="a name in teacher/topology.py: `embedded`, `deepseek-r1`, …")
    served_name: str = Field(description="the name requests use")
    template: str = Field(description="how prompts are put: a file in prompts/templates")
    folder: Path | None = Field(
        None, description="weights to serve in place of the model's: a student descended from it"
    )
    urls: tuple[str, ...] = Field((), description="endpoints to use instead of a server of ours")
    key_env: str | None = Field(None, description="environment variable with the endpoints' key")
    serve: ServeRecipe = Field(default_factory=ServeRecipe)
    cluster: ClusterRecipe | None = Field(None, description="GPUs needed; none for the embedded")
    dollars_per_million_tokens: float | None = Field(
        None, ge=0, allow_inf_nan=False, description="price of the endpoints' completion tokens"
    )

    @field_validator("model")
    @classmethod
    def _known_model(cls, value: str) -> str:
        if value not in TEACHERS:
            raise ValueError(
                f"no teacher of that name; known: {', '.join(TEACHERS)}. "
                "Add it to TEACHERS in teacher/teachers.py"
            )
        return value


class VerificationRecipe(BaseModel):
    """How verdicts are reached; what is right and wrong is not a setting."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    workers: int = Field(2, ge=1, le=256, description="verifier processes")
    time_limit_s: float = Field(
        1.0, gt=0, description="CPU time that one symbolic comparison may take"
    )
    sandbox: SandboxSettings = Field(BUBBLEWRAP, description="where programs run")


class JudgeRecipe(BaseModel):
    """The model that judges what rules leave undecided, at OpenAI-compatible endpoints."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    model: str = Field(min_length=1, description="the name requests use")
    urls: tuple[str, ...] = Field(min_length=1, description="endpoints that serve it")
    key_env: str | None = Field(None, description="environment variable with the endpoints' key")
    temperature: float = Field(0.0, ge=0, le=2, description="sampling temperature of a vote")
    max_tokens: int = Field(1_024, ge=16, description="tokens of a vote at most, thinking included")
    overrules_rejects: bool = Field(
        False, description="also judge wrong answers, and accept those that both votes call right"
    )
    rubric_threshold: float = Field(
        7.0, ge=1, le=10, description="score that both votes must reach"
    )

    def sampling(self) -> SamplingRecipe:
        """How votes are sampled: one of each question."""
        return SamplingRecipe(
            n_max=1, temperature=self.temperature, top_p=1.0, max_tokens=self.max_tokens
        )


class RoundsRecipe(BaseModel):
    """Rounds in which each student teaches the next: the `rounds` section of a recipe."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    traces: Literal["new", "all"] = Field(
        "new", description="what a student learns from: its own round's traces, or all rounds'"
    )
    former: tuple[str, ...] = Field(
        (), description="names of the runs of the rounds before; filled in by distill --rounds"
    )


class Recipe(BaseModel):
    """A whole run. Sections belong to their stages; this is their order."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[A-Za-z0-9][\w.-]{0,60}$", description="start of the run's name")
    edition: str = Field("", max_length=40, description="set to get a new run; `today` is the date")
    pins: dict[str, str] = Field(
        default_factory=dict, description="hashes of prompt files and templates; filled in"
    )
    prompts: PromptsRecipe
    teacher: TeacherRecipe
    sampling: SamplingRecipe
    verification: VerificationRecipe = Field(default_factory=VerificationRecipe)
    judge: JudgeRecipe | None = Field(None, description="who decides what rules cannot; nobody")
    filters: TraceFilters = Field(default_factory=TraceFilters)
    selection: SelectionRecipe = Field(default_factory=SelectionRecipe)
    dataset: DatasetRecipe = Field(default_factory=DatasetRecipe)
    rounds: RoundsRecipe | None = Field(None, description="students that teach; one round")
    student: StudentRecipe
    evals: EvalsRecipe

    @model_validator(mode="after")
    def _keeps_what_it_pays_for(self) -> Self:
        if self.selection.keep < self.sampling.keep:
            raise ValueError(
                f"sampling.keep is {self.sampling.keep} but selection.keep {self.selection.keep}: "
                "accepted samples would be paid for and not published"
            )
        return self


# What decides each stage's result, on top of all stages before it. Endpoints, ports, workers and
# where the dataset is pushed are left out: they change who does the work, not what comes of it.
STAGE_SECTIONS: dict[str, tuple[str, ...]] = {
    "curate": ("name", "edition", "pins", "prompts"),
    "generate": ("teacher", "sampling"),
    "verify": ("verification", "judge", "filters"),
    "publish": ("selection", "dataset"),
    "train": ("student", "rounds"),
    "evaluate": ("evals",),
}
_NOT_DATA: dict[str, Any] = {
    "prompts": {"workers": True, "difficulty": {"probe": {"urls", "key_env", "in_flight"}}},
    "teacher": {"folder", "urls", "key_env", "serve", "cluster", "dollars_per_million_tokens"},
    "sampling": {
        *("in_flight", "tail_parallel", "request_attempts", "retry_wait_s", "stream"),
        *("stream_interval", "stall_timeout_s", "circuit_failures", "wait_for_replica_s"),
        "progress_s",
    },
    "verification": {"workers", "sandbox"},
    "judge": {"urls", "key_env"},
    "dataset": {"repo_id", "private", "tag"},
    "student": {
        *("tracker", "repo_id", "architecture", "reference_scores", "loss_spike"),
        *("eval_prompts", "eval_every_steps", "eval_max_tokens"),
    },
    "evals": {"in_flight", "serve"},
}


def stage_fingerprint(recipe: Recipe, stage: str) -> str:
    """Sixteen hex digits over all that decides this stage's result, earlier stages included."""
    facts: dict[str, Any] = {}
    for name, sections in STAGE_SECTIONS.items():
        for section in sections:
            value = getattr(recipe, section)
            if isinstance(value, BaseModel):
                value = deciding_values(section, value)
            if value is not None:  # a section left out changes no run that was made without it
                facts[section] = value
        if name == stage:
            break
    text = json.dumps(facts, sort_keys=True, ensure_ascii=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def deciding_values(section: str, settings: BaseModel) -> dict[str, Any]:
    """What of a section's settings decides the data."""
    return settings.model_dump(mode="json", exclude=_NOT_DATA.get(section))


def run_fingerprint(recipe: Recipe) -> str:
    """What names the run's folder: whatever changes the dataset."""
    return stage_fingerprint(recipe, "publish")


def load_recipe(
    name: str | None = None,
    model: str | None = None,
    overrides: Sequence[str] = (),
    teacher_urls: Sequence[str] = (),
) -> Recipe:
    """The recipe by name or file, for a student, with `key=value` overrides applied.

    Without a name: `default` for the embedded student, `r1` for every other. A file of prompts
    alone is a whole recipe with the default's other sections. Raises
    PrerequisiteError that names the key, what was expected and the nearest right name.
    """
    student = None if model is None else student_values(model)
    # The embedded student has the default recipe; every other one that of a real teacher.
    chosen = name or ("default" if student is None or student["base"] == "embedded" else "r1")
    path = _find(chosen)
    data = _read_yaml(path)
    if "prompts" in data and data.keys() <= {"name", "edition", "prompts"}:
        data = {**_read_yaml(_find("default")), "name": path.stem, **data}
    if student is not None:
        if data.get("student") != model:
            data["name"] = f"{data.get('name')}-{student['name']}"
        data["student"] = student
    if isinstance(data.get("student"), str):
        data["student"] = student_values(data["student"])
    if teacher_urls:
        data.setdefault("teacher", {})["urls"] = list(teacher_urls)
    for override in overrides:
        apply_override(data, override)
    return pinned(_validated(data, path.name))


def pinned(recipe: Recipe) -> Recipe:
    """The recipe with the hashes of the files it reads: later edits make it another run."""
    return recipe.model_copy(update={"pins": pins_of(recipe)})


def recipe_of_run(run: Path) -> Recipe:
    """The resolved recipe kept in a run's folder."""
    path = run / "recipe.yaml"
    if not path.exists():
        what = "is no run: it holds no recipe.yaml" if run.exists() else "is not there"
        raise PrerequisiteError(f"{run} {what} (see `stillhouse runs`)")
    return _validated(_read_yaml(path), str(path))


def recipe_yaml(recipe: Recipe) -> str:
    """The resolved recipe as YAML, every key written out."""
    return yaml.safe_dump(recipe.model_dump(mode="json"), sort_keys=False, allow_unicode=True)


def known_recipes() -> list[str]:
    """Names of the recipes that come with the project."""
    return sorted(path.stem for path in FOLDER.glob("*.yaml"))


def _find(name: str) -> Path:
    own, shipped = Path(name), FOLDER / f"{name}.yaml"
    if shipped.exists():
        return shipped
    if own.suffix in (".yaml", ".yml") and own.is_file():
        return own
    if own.suffix in (".yaml", ".yml"):
        raise PrerequisiteError(
            f"there is no file {name}. Known recipes: {', '.join(known_recipes())}"
        )
    near = difflib.get_close_matches(name, known_recipes(), n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    raise PrerequisiteError(
        f"no recipe {name!r}.{hint} Known: {', '.join(known_recipes())}; or give a .yaml file"
    )


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PrerequisiteError(
            f"cannot read the recipe {path}{_place_and_reason(error)}. {_EXAMPLE}"
        ) from None
    if not isinstance(data, dict):
        raise PrerequisiteError(f"the recipe {path} is not a mapping of sections. {_EXAMPLE}")
    return data


def _place_and_reason(error: Exception) -> str:
    """`, line 4, column 8: expected ',' or '}'` of a fault in YAML; of others the reason alone."""
    if isinstance(error, UnicodeDecodeError):
        return ": it is no text in UTF-8"
    mark = getattr(error, "problem_mark", None)
    if mark is None:
        return f": {getattr(error, 'strerror', None) or error}"
    context, begun = getattr(error, "context", None), getattr(error, "context_mark", None)
    within = f" ({context} of line {begun.line + 1})" if context and begun else ""
    problem = getattr(error, "problem", "")
    return f", line {mark.line + 1}, column {mark.column + 1}: {problem}{within}"


def apply_override(data: dict[str, Any], override: str) -> None:
    """Apply one `sampling.temperature=0.8`; the value is read as YAML."""
    key, equals, text = override.partition("=")
    parts = key.strip().split(".")
    if not equals or not all(parts):
        raise PrerequisiteError(
            f"--set {override!r} is not key=value; for instance: --set sampling.temperature=0.8"
        )
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        value = text
    place = data
    for part in parts[:-1]:
        if place.get(part) is None:  # a section that a resolved recipe leaves out
            place[part] = {}
        place = place[part]
        if not isinstance(place, dict):
            raise PrerequisiteError(f"--set {key}: {part!r} is a value, it has no keys")
    if parts == ["student"] and isinstance(value, str):
        value = student_values(value)
    place[parts[-1]] = "" if value is None and text == "" else value


def _validated(data: dict[str, Any], where: str) -> Recipe:
    try:
        return Recipe.model_validate(data)
    except ValidationError as error:
        raise PrerequisiteError(f"recipe {where}:\n  {explained(error)}") from None


def explained(error: ValidationError) -> str:
    """The faults of a recipe or of sections of it, one a line, each with its key and the fix."""
    return recipe_faults.explained(error, Recipe)
