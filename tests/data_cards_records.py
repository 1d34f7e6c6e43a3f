"""Small made-up runs for the tests of data_cards: prompts, samples and verdicts that fit."""

from dataclasses import replace
from datetime import UTC, datetime

from data_cards.assemble import Assembled, DatasetRecipe, assemble
from data_cards.card import CardFacts, Decontamination, SourceFacts, TeacherFacts
from data_cards.funnel import FunnelRow
from data_cards.shards import DatasetFacts
from filters.verdict import Outcome, Reason, Verdict
from prompts.record import Prompt, prompt_id
from teacher.sample import Sample, sample_id

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
HOSTILE = "```\n---\n</script><script>alert(1)</script>\n|a|b|\n<!-- \u202e {{ 7 * 7 }} {% raw %}"
TOKEN = "hf_" + "a1B2c3D4" * 4
Run = tuple[list[Prompt], list[Sample], list[Verdict]]


def make_prompt(question: str, **changes: object) -> Prompt:
    prompt = Prompt(
        prompt_id=prompt_id("math", question),
        domain="math",
        source="starter-math",
        license="apache-2.0",
        split="train",
        question=question,
        reference_kind="math_answer",
        reference="4",
    )
    return replace(prompt, **changes)  # type: ignore[arg-type]


def make_sample(prompt: Prompt, index: int = 0, **changes: object) -> Sample:
    sample = Sample(
        sample_id=sample_id(prompt.prompt_id, index),
        prompt_id=prompt.prompt_id,
        sample_index=index,
        teacher="tiny-teacher",
        teacher_revision="r1",
        template="few-shot-1",
        temperature=0.7,
        top_p=0.95,
        max_tokens=256,
        seed=index,
        completion="<think>\n2 + 2 = 4\n</think>\n\n\\boxed{4}",
        reasoning="\n2 + 2 = 4\n",
        answer="\n\n\\boxed{4}",
        finish_reason="stop",
        prompt_tokens=50,
        completion_tokens=20 + index,
        reasoning_tokens=12,
        answer_tokens=8,
        replica="a",
        started_at=NOON,
        ended_at=NOON,
        attempts=1,
    )
    return replace(sample, **changes)  # type: ignore[arg-type]


def make_verdict(
    sample: Sample, outcome: Outcome = Outcome.ACCEPT, reason: Reason = Reason.MATCH
) -> Verdict:
    return Verdict(sample.sample_id, "math_answer", "1", outcome, reason, "4 = 4", 0.01)


def make_run(prompts: int = 40, samples: int = 3) -> Run:
    """A third of the samples is accepted, one in ten undecided; some text is hostile."""
    asked = [make_prompt(f"What is {number} + 2?") for number in range(prompts)]
    asked[1] = replace(
        asked[1], domain="code", reference_kind="unit_tests", tests=("assert f(1) == 2",)
    )
    drawn, verdicts = [], []
    for number, prompt in enumerate(asked):
        for index in range(samples):
            sample = make_sample(prompt, index)
            if (number + index) % 3 == 0:
                verdict = make_verdict(sample)
            elif (number + index) % 10 == 1:
                verdict = make_verdict(sample, Outcome.UNDECIDED, Reason.UNPARSED)
                sample = replace(sample, answer=HOSTILE)
            else:
                verdict = make_verdict(sample, Outcome.REJECT, Reason.ANSWER_MISMATCH)
            if index == 0:
                sample = replace(sample, reasoning=HOSTILE)
            drawn.append(sample)
            verdicts.append(verdict)
    return asked, drawn, verdicts


def ask(prompts: list[Prompt]) -> dict[str, list[dict[str, str]]]:
    return {p.prompt_id: [{"role": "user", "content": f"{p.question}\nBox it."}] for p in prompts}


def assemble_run(run: Run, recipe: DatasetRecipe) -> Assembled:
    prompts, samples, verdicts = run
    return assemble(prompts, samples, verdicts, ask(prompts), recipe, fingerprint="abc123")


def make_facts(assembled: Assembled, dataset: DatasetFacts, recipe: DatasetRecipe) -> CardFacts:
    n = sum(row.samples for row in assembled.domains)
    accepted = sum(row.accepted for row in assembled.domains)
    undecided = sum(row.undecided for row in assembled.domains)
    outcomes = {"accept": accepted, "reject": n - accepted - undecided, "undecided": undecided}
    return CardFacts(
        recipe=recipe,
        dataset=dataset,
        assembled=assembled,
        teacher=TeacherFacts("tiny-teacher", "r1", "Apache-2.0"),
        sources=[SourceFacts("starter-math", "math", "Apache-2.0", 40)],
        funnel=[FunnelRow("verify", n, outcomes, 192.0)],
        decontamination=Decontamination(ngram=10, held_out=120, checked=412, removed=3),
        recipe_yaml=f"name: demo\npath: /home/ada/secret/prompts.jsonl\ntoken: {TOKEN}\n",
        fingerprint="abc123",
    )
