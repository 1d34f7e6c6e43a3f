"""Against real vLLM and the embedded model: serving, going on elsewhere, forced thinking.

One server is started for all of them, and no two tests of this file are ever beside each other:
servers on the same cores are a hundred times slower than one.
"""

import asyncio
import json
import os
import signal
import subprocess
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from test_teacher_sampling import asks, stored

from evals.benchmarks import Item
from evals.budget import BudgetRecipe
from evals.thought import Marks, Thought, begun, block_of, gone_on, told_to_wait
from flows.benchmark_asks import Asked
from flows.budget import grade_budgets, is_answered, sample_budgets
from flows.evaluation_folder import EvaluationFolder, begin_settings
from flows.recipe import VerificationRecipe
from flows.sample_folder import read_samples
from flows.serving import Served
from prompts.errors import PrerequisiteError
from prompts.record import Prompt
from prompts.template import render
from teacher.canary import Replica
from teacher.embedded import embedded_model_dir
from teacher.progress import SamplingProgress, SamplingSummary
from teacher.sample import Sample
from teacher.sampling import open_pool, sample_prompts
from teacher.serve import Server, ServeRecipe, server_command, serving, vllm_python
from teacher.settings import SamplingRecipe
from teacher.shards import Shards
from teacher.topology import TEACHERS, plan_topology

pytestmark = pytest.mark.slow  # a server takes half a minute to start
SERVE = ServeRecipe(kv_cache_gib=1)


@pytest.fixture(scope="module")
def python() -> Path:
    """The Python of vLLM's environment; a skip where there is none."""
    try:
        python = vllm_python(ServeRecipe())
    except PrerequisiteError as error:
        pytest.skip(f"no vLLM environment: {error}")
    if not list(python.parent.parent.glob("lib/python*/site-packages/vllm")):
        pytest.skip(f"no vLLM beside {python}")
    return python


@pytest.fixture(scope="module")
def server(python: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server for all tests, and nothing of it behind them."""
    log = tmp_path_factory.mktemp("server") / "vllm.log"
    with serving(embedded_model_dir(), "smollm2", SERVE, log) as server:
        yield server
    with pytest.raises(ProcessLookupError):
        os.kill(server.pid, 0)


PARSE = """
import json, sys
from vllm.entrypoints.launchers.cli_args import make_arg_parser, validate_parsed_serve_args
from vllm.utils.argparse_utils import FlexibleArgumentParser
parser = make_arg_parser(FlexibleArgumentParser())
for line in json.load(sys.stdin):
    args = parser.parse_args(line)
    validate_parsed_serve_args(args)
    names = ("tensor_parallel_size", "pipeline_parallel_size", "nnodes", "node_rank", "headless",
             "max_num_seqs", "max_model_len", "enable_log_requests", "enforce_eager")
    print(json.dumps({name: getattr(args, name) for name in names}))
"""


def test_vllm_accepts_every_command_line_we_print_or_run(python: Path) -> None:
    r1 = TEACHERS["deepseek-r1"]
    lines = [server_command(python, "/models/m", "m", ServeRecipe(), 8000)[3:]]
    lines += [list(c[2:]) for c in plan_topology(16, 79.1, 8, r1).commands("10.0.0.1")]
    lines += [list(c[2:]) for c in plan_topology(8, 139.8, 8, r1).commands()]
    # `vllm serve MODEL` takes the model as a positional; the bare parser only as --model.
    lines = [line if line[0].startswith("--") else ["--model", *line] for line in lines]
    parsed = subprocess.run(
        [str(python), "-c", PARSE], input=json.dumps(lines), capture_output=True, text=True
    )
    assert parsed.returncode == 0, parsed.stderr[-2000:]
    embedded, rank_0, rank_1, one_node = map(json.loads, parsed.stdout.splitlines()[-4:])
    assert embedded["enforce_eager"]
    assert not embedded["enable_log_requests"]
    assert (rank_0["tensor_parallel_size"], rank_0["pipeline_parallel_size"]) == (8, 2)
    assert (rank_0["nnodes"], rank_0["node_rank"], rank_0["headless"]) == (2, 0, False)
    assert (rank_1["nnodes"], rank_1["node_rank"], rank_1["headless"]) == (2, 1, True)
    assert (one_node["tensor_parallel_size"], one_node["nnodes"]) == (8, 1)


def test_the_embedded_model_is_served_and_completes(server: Server) -> None:
    body = {
        "model": "smollm2",
        "messages": [{"role": "user", "content": "Name the capital of France."}],
        "max_tokens": 16,
        "temperature": 0,
    }
    request = urllib.request.Request(
        f"{server.url}/v1/chat/completions",
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=300) as reply:
        answer = json.load(reply)["choices"][0]["message"]["content"]
    assert "Paris" in answer


# --- thinking that is forced ---------------------------------------------------------------------

THINK = Marks("<think>", "</think>", opened=False)
BUDGETS = BudgetRecipe(budgets=(0, 3, 24), waits=1, answer_tokens=16, lead="The answer is")
# Of its samples about two in seven think within tags: of 24, some do (all but 5 times in 100,000).
K = 8
EIGHT_EACH = SamplingRecipe(
    n_min=K, n_max=K, keep=K, send_seed=False, in_flight=16, stall_timeout_s=300
)


def test_real_thinking_is_cut_at_its_budgets_and_told_to_wait(
    server: Server, tmp_path: Path
) -> None:
    from transformers import AutoTokenizer

    folder = EvaluationFolder(tmp_path / "sums-budgets")
    items = [Item(ask.prompt, ask.prompt.question, "sums") for ask in asks(3)]
    asked = [Asked(item, render(item.prompt, "few-shot")) for item in items]
    folder.begin(asked, begin_settings(None, "smollm2", "few-shot", EIGHT_EACH), K, 0.95)
    sample_budgets(folder, Served([Replica(server.url, "smollm2")]), EIGHT_EACH, BUDGETS)
    curve = grade_budgets(folder, VerificationRecipe())
    assert is_answered(folder, BUDGETS, k=K)
    tokenizer = AutoTokenizer.from_pretrained(embedded_model_dir())
    thoughts = {thought.sample.sample_id: thought for thought in whole_thoughts(folder.path)}
    assert len(thoughts) == 3 * K
    for budget in BUDGETS.budgets:
        samples = read_samples(folder.path / f"budget-{budget}")
        assert {sample.sample_id for sample in samples} == set(thoughts)
        for sample in samples:
            whole = block_of(thoughts[sample.sample_id].text, THINK).thinking
            ids = tokenizer.encode(whole, add_special_tokens=False)
            assert sample.reasoning_tokens == min(len(ids), budget)
            # Half a character at the cut is left out; a forced end stands on a line of its own.
            kept = whole if len(ids) <= budget else tokenizer.decode(ids[:budget]).rstrip("\ufffd")
            assert block_of(sample.completion, THINK).thinking in (kept, f"{kept}\n")
    assert any(thought.waits for thought in thoughts.values())
    largest = read_samples(folder.path / "budget-24")
    assert any("\nWait" in sample.completion for sample in largest)
    assert curve.points[0].mean_thinking_tokens == 0
    assert curve.points[1].forced_rate is not None
    assert curve.points[1].forced_rate > 0


def whole_thoughts(folder: Path) -> Iterator[Thought]:
    """What each sample has thought before it was cut, its wait included."""
    more = {part.prompt_id: part for part in read_samples(folder / "waited-1")}
    for sample in read_samples(folder / "thinking"):
        thought = begun(sample)
        lead, part = told_to_wait(thought, THINK, BUDGETS), more.get(sample.sample_id)
        if part is None:
            yield thought
        else:
            assert lead is not None
            yield gone_on(thought, lead, part, BUDGETS)


# --- a server that is killed ---------------------------------------------------------------------

PROMPTS = 16
ONE_EACH = SamplingRecipe(
    n_max=1,
    temperature=1.0,
    top_p=1.0,
    max_tokens=160,
    send_seed=False,
    in_flight=8,
    stream_interval=8,
    stall_timeout_s=300,
    retry_wait_s=0.1,
    progress_s=0.1,
)


def test_what_a_killed_vllm_was_writing_is_ended_by_another(server: Server, tmp_path: Path) -> None:
    seen: list[SamplingProgress] = []
    killed: list[int] = []
    with serving(embedded_model_dir(), "smollm2", SERVE, tmp_path / "first.log") as first:

        def kill_first(progress: SamplingProgress) -> None:
            seen.append(progress)
            writing = progress.replicas[0]
            if not killed and writing.completion_tokens > 80:
                os.kill(first.pid, signal.SIGKILL)
                killed.append(writing.in_flight)

        with Shards(tmp_path / "samples") as shards:
            summary = asyncio.run(sample([first.url, server.url], shards, kill_first))
            samples = stored(shards)
    assert killed
    assert summary.samples == summary.accepted == len(samples) == PROMPTS
    continued = [sample for sample in samples if sample.earlier_replicas]
    assert summary.continued == len(continued) > 0
    for sample_ in continued:
        assert sample_.earlier_replicas == first.url
        assert sample_.replica == server.url
        assert 0 < sample_.completion_tokens <= ONE_EACH.max_tokens
        if sample_.completion_tokens < ONE_EACH.max_tokens:  # else the last one may be the end
            assert sample_.finish_reason == "stop"
        assert sample_.wasted_tokens == 0
        assert "<|im_" not in sample_.completion
    assert any(replica.queued is not None for progress in seen for replica in progress.replicas)


async def sample(
    urls: list[str], shards: Shards, on_progress: Callable[[SamplingProgress], None]
) -> SamplingSummary:
    async def accept(prompt: Prompt, sample: Sample) -> bool:
        return True

    async with open_pool([Replica(url, "smollm2") for url in urls], ONE_EACH) as pool:
        return await sample_prompts(asks(PROMPTS), pool, shards, ONE_EACH, accept, on_progress)
