"""sft/base_model.py: what a student starts from, and what is saved, is asked as it was trained."""

import contextlib
import json
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("transformers")

from tiny_student import CHATML, make_base, make_tokenizer, student_values

import sft.base_model
import sft.saved_student
from prompts.errors import PrerequisiteError, RunError
from sft.base_model import load_model, load_tokenizer, template_problem
from sft.positions import RopeScaling, position_problem
from sft.saved_student import finished_summary, put_in_place, save_student
from sft.student import StudentRecipe
from sft.template_safety import prove_saved

SHAPE = {**student_values()["architecture"], "positions": 512}


def student(**changes):
    return StudentRecipe(**student_values(**changes))


def base_with(folder, tokenizer, **shape):
    """A tiny base whose tokenizer is this one."""
    make_base(folder, **shape)
    (folder / "chat_template.jinja").unlink(missing_ok=True)
    tokenizer.save_pretrained(folder)
    return str(folder)


def beginning_with_bos(template):
    """A tokenizer that begins every text with BOS itself, as Llama's do."""
    from tokenizers.processors import TemplateProcessing

    tokenizer = make_tokenizer(template)
    tokenizer.bos_token = "<|endoftext|>"
    tokenizer.pad_token = "<|im_start|>"
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(
        single="<|endoftext|> $A", special_tokens=[("<|endoftext|>", tokenizer.bos_token_id)]
    )
    return tokenizer


def test_a_base_without_a_chat_template_is_named_before_its_weights_are_loaded(tmp_path):
    base = base_with(tmp_path, make_tokenizer(template=None))
    (tmp_path / "model.safetensors").unlink()
    with pytest.raises(PrerequisiteError, match=r"no chat template.* chatml, llama3, r1-distill"):
        load_tokenizer(base, student())
    assert load_tokenizer(base, student(chat_template="chatml")).chat_template


def test_a_missing_template_is_known_before_anything_is_downloaded(tmp_path):
    assert template_problem(student(base="Qwen/Qwen2.5-14B")) is None
    llama = {"base": "meta-llama/Llama-3.1-8B", "published_name": "Llama-Mine"}
    assert "no chat template" in template_problem(student(**llama))
    assert template_problem(student(**llama, chat_template="llama3")) is None
    base = base_with(tmp_path, make_tokenizer(template=None))
    assert "no chat template" in template_problem(student(base=base))
    make_tokenizer().save_pretrained(tmp_path)
    assert template_problem(student(base=base)) is None


def test_padding_that_is_the_end_token_is_refused(tmp_path):
    base = base_with(tmp_path, make_tokenizer(pad="<|im_end|>"))
    with pytest.raises(PrerequisiteError, match=r"pads with '<\|im_end\|>'"):
        load_tokenizer(base, student())
    assert load_tokenizer(base, student(pad_token="<|endoftext|>")).pad_token == "<|endoftext|>"


def test_a_token_outside_the_vocabulary_is_refused(tmp_path):
    make_base(tmp_path)
    with pytest.raises(PrerequisiteError, match=r"student\.eos_token '<\|eot_id\|>' is not in"):
        load_tokenizer(str(tmp_path), student(eos_token="<|eot_id|>"))


@pytest.mark.parametrize(
    ("template", "number"),
    [(CHATML, "no"), ("{{ bos_token }}{{ bos_token }}" + CHATML, "two")],
)
def test_another_number_of_bos_tokens_than_one_is_refused(tmp_path, template, number):
    base = base_with(tmp_path, beginning_with_bos(template))
    with pytest.raises(PrerequisiteError, match=f"begins the prompt with {number} BOS tokens"):
        load_tokenizer(base, student())


def test_two_bos_tokens_spelt_out_by_the_template_are_refused(tmp_path):
    tokenizer = make_tokenizer(template="<|endoftext|><|endoftext|>" + CHATML, pad="<think>")
    tokenizer.bos_token = "<|endoftext|>"
    with pytest.raises(PrerequisiteError, match="begins the prompt with two BOS tokens"):
        load_tokenizer(base_with(tmp_path, tokenizer), student(pad_token="<think>"))


def test_one_bos_is_enough(tmp_path):
    base = base_with(tmp_path, beginning_with_bos("{{ bos_token }}" + CHATML))
    tokenizer = load_tokenizer(base, student())
    ids = tokenizer.apply_chat_template([{"role": "user", "content": "Hi"}], return_dict=False)
    assert ids.count(tokenizer.bos_token_id) == 1


def saved_student(folder, **changes):
    """A student's folder as it is saved; the tokenizer and configuration it was trained with."""
    make_base(folder)
    recipe = student(**changes)
    tokenizer = load_tokenizer(str(folder), recipe)
    model = load_model(str(folder), recipe, "sdpa", tokenizer)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return tokenizer, model.config


def change(path, **changes):
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_what_is_saved_is_what_was_trained(tmp_path):
    tokenizer, config = saved_student(tmp_path)
    prove_saved(tmp_path, tokenizer, config)
    settings = json.loads((tmp_path / "generation_config.json").read_text())
    assert settings["eos_token_id"] == tokenizer.eos_token_id
    assert settings["pad_token_id"] == tokenizer.pad_token_id != tokenizer.eos_token_id


def test_a_saved_template_that_differs_is_found(tmp_path):
    tokenizer, config = saved_student(tmp_path)
    (tmp_path / "chat_template.jinja").write_text(CHATML.replace("assistant", "model"))
    with pytest.raises(RunError, match=r"the chat template differs.*question in other tokens"):
        prove_saved(tmp_path, tokenizer, config)


def test_a_saved_tokenizer_that_cuts_otherwise_is_found(tmp_path):
    tokenizer, config = saved_student(tmp_path)
    change(tmp_path / "tokenizer.json", pre_tokenizer={
        "type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True,
    })  # fmt: skip
    with pytest.raises(RunError, match="by other rules"):
        prove_saved(tmp_path, tokenizer, config)


def test_a_generation_config_that_would_not_stop_is_found(tmp_path):
    tokenizer, config = saved_student(tmp_path)
    path = tmp_path / "generation_config.json"
    for ends in (None, 5, [5]):
        change(path, eos_token_id=ends)
        with pytest.raises(RunError, match=r"ends at .*, not '<\|im_end\|>'"):
            prove_saved(tmp_path, tokenizer, config)
    change(path, eos_token_id=[tokenizer.eos_token_id, tokenizer.pad_token_id])
    with pytest.raises(RunError, match="ends at the padding"):
        prove_saved(tmp_path, tokenizer, config)
    path.unlink()
    with pytest.raises(RunError, match=r"no generation_config\.json"):
        prove_saved(tmp_path, tokenizer, config)


@pytest.mark.parametrize("rope_type", ["default", "yarn", "llama3"])
@pytest.mark.parametrize(
    "lost", [{"max_position_embeddings": 512}, {"rope_parameters": {"rope_theta": 10_000.0}}]
)
def test_a_saved_config_with_other_positions_than_were_trained_is_found(tmp_path, rope_type, lost):
    scaling = {"yarn": YARN, "llama3": LLAMA3}.get(rope_type)
    longer = {**LONGER, "rope_theta": 80_000.0, "rope_scaling": scaling}
    tokenizer, config = saved_student(tmp_path, architecture=SHAPE, **longer)
    prove_saved(tmp_path, tokenizer, config)
    change(tmp_path / "config.json", **lost)
    with pytest.raises(RunError, match=f"its config.json has {next(iter(lost))}"):
        prove_saved(tmp_path, tokenizer, config)


def test_a_bases_own_sampling_is_not_the_students(tmp_path):
    make_base(tmp_path)
    path = tmp_path / "generation_config.json"
    change(path, repetition_penalty=1.05, top_k=20, eos_token_id=[256, 258], do_sample=True)
    tokenizer = load_tokenizer(str(tmp_path), student())
    settings = load_model(str(tmp_path), student(), "sdpa", tokenizer).generation_config
    assert settings.repetition_penalty in (None, 1.0)
    assert settings.eos_token_id == tokenizer.eos_token_id


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ((4096, 4096, 1e4), None),
        ((4097, 4096, 1e4), "4096 positions; raise"),
        ((32768, 4096, 1e4, 32768), "made for 4096 positions with a RoPE base of 10,000"),
        ((32768, 4096, 1e4, 32768, 1e4), "set rope_theta above"),
        ((32768, 4096, 1e4, 32768, 3e5), None),
        ((32768, 4096, 1e4, 16384, 3e5), "the base has 16384 positions"),
        ((4096, 4096, 1e4, 32768), None),
    ],
)
def test_positions_cover_the_longest_row_or_it_is_refused(settings, problem):
    found = position_problem(*settings)
    assert found is None if problem is None else problem in found


def test_positions_beyond_the_base_need_a_higher_rope_base(tmp_path):
    make_base(tmp_path)
    longer = {"max_length": 1024, "max_position_embeddings": 1024}
    tokenizer = load_tokenizer(str(tmp_path), student())
    with pytest.raises(PrerequisiteError, match="made for 512 positions"):
        load_model(str(tmp_path), student(**longer), "sdpa", tokenizer)
    recipe = student(**longer, rope_theta=80_000.0)
    model = load_model(str(tmp_path), recipe, "sdpa", tokenizer)
    assert model.config.rope_parameters["rope_theta"] == 80_000.0
    frequencies = model.model.rotary_emb.inv_freq
    assert float(frequencies[1]) == pytest.approx(80_000.0 ** (-2 / 16))


def test_a_scaling_the_base_was_made_with_counts(tmp_path):
    rope = {
        "rope_type": "yarn", "rope_theta": 10_000.0, "factor": 4.0,
        "original_max_position_embeddings": 512,
    }  # fmt: skip
    make_base(tmp_path, rope_parameters=rope, max_position_embeddings=512)
    tokenizer = load_tokenizer(str(tmp_path), student())
    recipe = student(max_length=2048, max_position_embeddings=2048)
    model = load_model(str(tmp_path), recipe, "sdpa", tokenizer)
    assert model.config.max_position_embeddings == 2048
    with pytest.raises(PrerequisiteError, match=r"no single, unscaled RoPE that"):
        load_model(str(tmp_path), student(rope_theta=80_000.0), "sdpa", tokenizer)
    model = load_model(str(tmp_path), student(max_length=1024), "sdpa", tokenizer)
    assert model.config.max_position_embeddings == 2048, "a server counts what stands there"


YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 512}
LLAMA3 = {**YARN, "rope_type": "llama3", "low_freq_factor": 1.0, "high_freq_factor": 4.0}
LONGER = {"max_length": 2048, "max_position_embeddings": 2048, "rope_theta": 10_000.0}


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        ((2048, 512, 1e4, 2048, None, RopeScaling(**YARN)), None),
        ((2048, 512, 1e4, 2048, None, RopeScaling(**LLAMA3)), None),
        ((2048, 512, 1e4, None, None, RopeScaling(**YARN)), "the base has 512 positions"),
        ((4096, 512, 1e4, 4096, None, RopeScaling(**YARN)), "512 × 4 = 2048 positions: raise"),
        ((1024, 256, 1e4, 1024, None, RopeScaling(**YARN)), "made for 256 positions: it must"),
        ((2048, 131_072, 1e4, None, None, RopeScaling(**YARN)), None),
    ],
)
def test_a_scaling_gives_as_many_positions_as_it_says_and_no_more(settings, problem):
    found = position_problem(*settings)
    assert found is None if problem is None else problem in found


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({**YARN, "rope_type": "linear"}, "'yarn' or 'llama3'"),
        ({**YARN, "factor": 1.0}, "greater than 1"),
        ({**YARN, "low_freq_factor": 1.0}, "are llama3's, not yarn's"),
        ({**LLAMA3, "low_freq_factor": 4.0}, "needs low_freq_factor below high_freq_factor"),
        ({**LLAMA3, "high_freq_factor": None}, "needs low_freq_factor below high_freq_factor"),
    ],
)
def test_a_scaling_that_cannot_be_is_refused(changes, problem):
    with pytest.raises(ValueError, match=problem):
        student(rope_scaling=changes)


def test_a_scaling_needs_to_know_what_it_stretches():
    with pytest.raises(ValueError, match="rope_scaling needs the base's rope_theta"):
        student(**{**LONGER, "rope_theta": None}, rope_scaling=YARN, architecture=SHAPE)


@pytest.mark.parametrize("scaling", [YARN, LLAMA3])
def test_a_stretched_student_is_saved_as_it_was_trained(tmp_path, scaling):
    from transformers import AutoModelForCausalLM

    make_base(tmp_path / "base")
    tokenizer = load_tokenizer(str(tmp_path / "base"), student())
    recipe = student(**LONGER, rope_scaling=scaling)
    model = load_model(str(tmp_path / "base"), recipe, "sdpa", tokenizer)
    model.save_pretrained(tmp_path / "saved")
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "saved")
    assert again.config.rope_parameters == recipe.rope_parameters == {**scaling, "rope_theta": 1e4}
    assert again.config.max_position_embeddings == 2048
    kept = [one.model.rotary_emb.inv_freq.tolist() for one in (model, again)]
    plain = load_model(str(tmp_path / "base"), student(), "sdpa", tokenizer)
    assert kept[0] == kept[1] != plain.model.rotary_emb.inv_freq.tolist()
    # Stretched once is enough: nothing says what a second scaling would be of.
    with pytest.raises(PrerequisiteError, match="no single, unscaled RoPE that"):
        load_model(str(tmp_path / "saved"), recipe, "sdpa", tokenizer)


VLLM_ROPE = """
import json, sys
import torch
from vllm.config import ModelConfig, VllmConfig, set_current_vllm_config
from vllm.model_executor.layers.rotary_embedding import get_rope
found = ModelConfig(model=sys.argv[1], dtype="float32")
config = found.hf_config
with set_current_vllm_config(VllmConfig()):
    rope = get_rope(16, config.max_position_embeddings, True, config.rope_parameters, torch.float32)
rows = rope.cos_sin_cache[[0, 1, 100, 2047]].tolist()
print(json.dumps([found.max_model_len, rows]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("scaling", [YARN, LLAMA3])
def test_vllm_turns_the_positions_of_a_stretched_student_as_training_did(tmp_path, scaling):
    python = os.environ.get("STILLHOUSE_VLLM_PYTHON", "")
    if not Path(python).is_file():
        pytest.skip("STILLHOUSE_VLLM_PYTHON names no environment with vLLM")
    import torch

    make_base(tmp_path / "base")
    tokenizer = load_tokenizer(str(tmp_path / "base"), student())
    recipe = student(**LONGER, rope_scaling=scaling)
    model = load_model(str(tmp_path / "base"), recipe, "sdpa", tokenizer)
    model.save_pretrained(tmp_path / "saved")
    tokenizer.save_pretrained(tmp_path / "saved")
    asked = [python, "-c", VLLM_ROPE, str(tmp_path / "saved")]
    done = subprocess.run(asked, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr[-2_000:]
    longest, rows = json.loads(done.stdout.splitlines()[-1])
    assert longest == 2048
    positions = torch.tensor([[0, 1, 100, 2047]])
    cos, sin = model.model.rotary_emb(torch.zeros(1, dtype=torch.float32), positions)
    ours = torch.cat([cos[0, :, :8], sin[0, :, :8]], -1)
    assert torch.allclose(torch.tensor(rows), ours, atol=2e-3)


@pytest.mark.parametrize(
    ("rank", "launch", "read"), [(0, "fsdp", 1), (1, "fsdp", 0), (1, "ddp", 1)]
)
def test_only_the_first_of_ranks_that_share_weights_reads_them(
    tmp_path, monkeypatch, rank, launch, read
):
    import transformers

    make_base(tmp_path)
    tokenizer = load_tokenizer(str(tmp_path), student())
    alone = load_model(str(tmp_path), student(dtype="float32"), "sdpa", tokenizer)
    found: list[object] = []
    from_pretrained = transformers.AutoModelForCausalLM.from_pretrained

    def counted(*args: object, **settings: object) -> object:
        found.append(args)
        return from_pretrained(*args, **settings)

    monkeypatch.setattr(transformers.AutoModelForCausalLM, "from_pretrained", counted)
    monkeypatch.setenv("RANK", str(rank))
    recipe = student(launch=launch, processes=2, dtype="float32", micro_batch_size=2)
    model = load_model(str(tmp_path), recipe, "sdpa", tokenizer)
    assert len(found) == read
    shapes = [
        {n: (w.shape, w.dtype, w.device) for n, w in one.named_parameters()}
        for one in (model, alone)
    ]
    assert shapes[0] == shapes[1]
    assert model.lm_head.weight is model.model.embed_tokens.weight
    assert model.model.rotary_emb.inv_freq.equal(alone.model.rotary_emb.inv_freq)


class Saving:
    """A trainer that saves one file of weights."""

    model = SimpleNamespace(config=None)
    accelerator = SimpleNamespace(wait_for_everyone=lambda: None)

    def is_world_process_zero(self) -> bool:
        return True

    def save_model(self, folder: str) -> None:
        Path(folder).mkdir()
        (Path(folder) / "weights").write_text("new")


@pytest.mark.parametrize("whole", [True, False])
def test_a_former_student_stays_until_the_new_one_is_whole(tmp_path, monkeypatch, whole):
    def prove(*_: object) -> None:
        if not whole:
            raise RunError("the saved template differs")

    monkeypatch.setattr(sft.saved_student, "prove_saved", prove)
    student = tmp_path / "student"
    student.mkdir()
    (student / "weights").write_text("former")
    tokenizer = SimpleNamespace(save_pretrained=lambda _: None)
    with contextlib.nullcontext() if whole else pytest.raises(RunError):
        save_student(Saving(), tokenizer, student, {"fingerprint": "x"})
    assert (student / "weights").read_text() == ("new" if whole else "former")
    if whole:
        assert [path.name for path in tmp_path.iterdir()] == ["student"]
        assert (student / "training.json").is_file()


KILLS = ("before the first rename", "between the two", "before the former is removed")


@pytest.mark.parametrize("had_former", [True, False])
@pytest.mark.parametrize("killed", KILLS)
def test_a_student_saved_whole_takes_its_place_after_a_kill(
    tmp_path, monkeypatch, killed, had_former
):
    place = tmp_path / "student"
    if had_former:
        place.mkdir()
        (place / "weights").write_text("former")
    renames, rename = [], Path.rename

    def rename_or_end(path: Path, target: Path) -> Path:
        renames.append(target.name)
        if (killed, len(renames)) in {(KILLS[0], 1), (KILLS[1], 2)}:
            raise KeyboardInterrupt
        return rename(path, target)

    def remove_or_end(path: Path, ignore_errors: bool = False) -> None:
        if killed == KILLS[2] and renames:
            raise KeyboardInterrupt
        if path.exists():
            remove(path)

    monkeypatch.setattr(sft.saved_student, "prove_saved", lambda *_: None)
    remove = sft.saved_student.shutil.rmtree
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename_or_end)
        patch.setattr(sft.saved_student.shutil, "rmtree", remove_or_end)
        record = {"fingerprint": "x", "summary": {"steps": 3}}
        ends = pytest.raises(KeyboardInterrupt)
        tokenizer = SimpleNamespace(save_pretrained=lambda _: None)
        with ends if had_former or killed != KILLS[1] else contextlib.nullcontext():
            save_student(Saving(), tokenizer, place, record)
    job = SimpleNamespace(output_dir=place, resume=True)
    assert finished_summary(job, "x") == {"steps": 3}
    assert finished_summary(job, "y") is None
    put_in_place(place)
    assert finished_summary(job, "x") == {"steps": 3}
    assert (place / "weights").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["student"]


def test_half_a_student_takes_no_place_and_a_former_one_comes_back(tmp_path):
    place = tmp_path / "student"
    for name in (".student.partial", ".student.former"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "weights").write_text(name)
    (tmp_path / ".student.partial" / "training.json").write_text('{"fingerprint": "x", "su')
    put_in_place(place)
    assert (place / "weights").read_text() == ".student.former"
    put_in_place(place)
    assert (place / "weights").read_text() == ".student.former"
    assert finished_summary(SimpleNamespace(output_dir=place, resume=True), "x") is None
