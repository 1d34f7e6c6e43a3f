"""Who answers `stillhouse evaluate --model`: a folder or Hub id that we serve, or endpoints."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import try_to_load_from_cache

from flows.chat_template import chat_template, opens_thinking, read_json
from flows.endpoints import Keys, NotUpError, served_by
from flows.pins import weights_digest
from flows.preflight import hub_problem
from flows.serving import EMBEDDED, Served, Weights, served
from flows.student_preflight import gate_problem
from prompts.errors import PrerequisiteError
from prompts.sources.hub import hub_set
from teacher.canary import Replica
from teacher.embedded import embedded_model_dir, embedded_revision
from teacher.serve import ServeRecipe, is_cpu_build, vllm_python

KEYS = Keys(max_tokens="--set evals.max_tokens")
# Tokens kept free for a question: the longest of contests have some 1,500.
PROMPT_TOKENS = 2_048
# What a training leaves a model in, which is no name for it.
_NO_NAMES = ("model", "5-student", "")


@dataclass(frozen=True, slots=True)
class Answering:
    """A model that answers: its name, what its answers come from, and where.

    `positions` is how many tokens a prompt and its completion may have together (None: not known
    before it is served); `opens_thinking`, that its chat template ends in `<think>`. `silent` says
    why endpoints do not answer, "" where they do; then `name` may not be known, and is "".
    """

    name: str
    identity: str
    place: str
    positions: int | None = None
    opens_thinking: bool = False
    urls: tuple[str, ...] = ()
    key_env: str | None = None
    silent: str = ""

    def takes_seeds(self, settings: ServeRecipe) -> bool:
        """Whether its server may be sent a seed with each request: vLLM's CPU build dies of one.

        PrerequisiteError where it is to be served and there is no vLLM.
        """
        return bool(self.urls) or not is_cpu_build(vllm_python(settings))

    def need_weights(self) -> None:
        """PrerequisiteError where they are to come from the Hub and it would not give them."""
        if self.urls or Path(self.place).is_dir():
            return
        if isinstance(try_to_load_from_cache(self.place, "config.json"), str):
            return
        if problem := gate_problem(self.place):
            raise PrerequisiteError(f"--model {self.place}: {problem}")
        if problem := hub_problem():
            raise PrerequisiteError(
                f"--model {self.place}: the Hugging Face Hub cannot be reached ({problem}). Give a "
                "folder that holds the model, or --url for one that is served already"
            )

    @contextmanager
    def served(self, settings: ServeRecipe, log: Path) -> Iterator[Served]:
        """Its replicas, for as long as the block runs."""
        if self.urls:
            yield Served([Replica(url, self.name, "", self.key_env) for url in self.urls])
            return
        weights = Weights(self.place, self.name, self.identity)
        with served(weights, "evaluate", settings, log) as found:
            yield found


def at_endpoints(
    urls: tuple[str, ...],
    model: str | None,
    key_env: str | None,
    max_tokens: int,
    may_be_down: bool = False,
) -> Answering:
    """The model that endpoints serve; PrerequisiteError as `served_by` says, and where nobody
    answers unless they `may_be_down`."""
    silent = ""
    try:
        name = served_by(urls, model, key_env, max_tokens, KEYS)
    except NotUpError as error:
        if not may_be_down:
            raise
        name, silent = model or "", str(error)
    return Answering(name, name, ", ".join(urls), urls=urls, key_env=key_env, silent=silent)


def to_be_served(model: str) -> Answering:
    """A model of a folder or the Hub, which vLLM is to serve.

    Raises PrerequisiteError where there is no such model, or one that has no chat template to put a
    question in.
    """
    if model == EMBEDDED:
        return _of_folder("smollm2-135m", embedded_model_dir(), embedded_revision())
    folder = Path(model)
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise PrerequisiteError(f"--model {model} holds no model: it has no config.json")
        name = next(part for part in reversed(folder.resolve().parts) if part not in _NO_NAMES)
        return _of_folder(name, folder, weights_digest(folder))
    if hub_set(model) is None or model.startswith("."):
        raise PrerequisiteError(
            f"--model {model}: there is no such folder. Give one, a Hub id (owner/name), or "
            "--url http://HOST:8000 for a model that is served already"
        )
    return Answering(model.rsplit("/", 1)[-1], model, model)


def _of_folder(name: str, folder: Path, identity: str) -> Answering:
    template = chat_template(folder)
    if not template:
        raise PrerequisiteError(
            f"--model {folder} has no chat template, so no question can be put to it: add "
            "chat_template.jinja to the folder, or serve it with one and give --url"
        )
    return Answering(name, identity, str(folder), _positions(folder), opens_thinking(template))


def _positions(folder: Path) -> int | None:
    found = read_json(folder / "config.json").get("max_position_embeddings")
    return found if isinstance(found, int) and found > 0 else None
