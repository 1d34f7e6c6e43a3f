"""A student in the midst of its training answers prompts: greedily, leaving no trace in it."""

import gc
import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

from prompts.record import Prompt
from prompts.template import render
from sft.job import TrainJob

BATCH = 32  # prompts answered at one time by a rank


@dataclass(frozen=True, slots=True)
class Answer:
    """What the student said: `ended` with its end token, or cut at the limit of `tokens`."""

    text: str
    tokens: int
    ended: bool
    prompt_tokens: int


class FailedTryError(Exception):
    """A try that gave no answers; the training is as it was before it."""


class Answering:
    """Answers prompts with the model in training; ranks share them.

    Where memory is short it goes on with one prompt at a time, for good.
    """

    def __init__(self, job: TrainJob, tokenizer: Any) -> None:
        self.job, self.tokenizer, self.batch = job, tokenizer, BATCH

    def answers(self, model: Any, prompts: Sequence[Prompt]) -> list[Answer]:
        """Every prompt's answer, in order; each rank gives its share and gets all.

        FailedTryError, on every rank, where one of them could give none.
        """
        rank, world = rank_and_world()
        share = -(-len(prompts) // world)
        try:
            texts = [self.prompt_text(prompt) for prompt in prompts]
        except Exception as error:  # the same on every rank
            raise FailedTryError(repr(error)) from error
        # Ranks that take tokens together need equally many prompts; what is asked twice is cut.
        mine = self._share(model, [texts[(rank + i * world) % len(texts)] for i in range(share)])
        shares: list[list[Answer] | str] = [mine]
        if world > 1:
            shares = [""] * world
            torch.distributed.all_gather_object(shares, mine)
        whole = [one for one in shares if not isinstance(one, str)]
        if len(whole) < world:
            raise FailedTryError(next(one for one in shares if isinstance(one, str)))
        return [whole[i % world][i // world] for i in range(len(prompts))]

    def _share(self, model: Any, texts: Sequence[str]) -> list[Answer] | str:
        """This rank's answers, or what went wrong; one prompt at a time where memory is short."""
        said = self._attempt(model, texts)
        if isinstance(said, MemoryError):
            gc.collect()
            if torch.cuda.is_available():
                torch.cuda.empty_cache()
            alone, self.batch = self.batch == 1, 1
            said = said if alone else self._attempt(model, texts)
        return said if isinstance(said, list) else str(said)

    def _attempt(self, model: Any, texts: Sequence[str]) -> list[Answer] | Exception:
        """The answers, or an error without its frames, which would hold on to memory."""
        answers: list[Answer] = []
        try:
            with untouched(model, self._generation()):
                for start in range(0, len(texts), self.batch):
                    answers += self._generate(model, texts[start : start + self.batch])
        except Exception as error:  # whatever it is, the training is worth more
            if self._together():
                raise  # the other ranks are in the midst of a product and cannot be told
            kind = MemoryError if _is_out_of_memory(error) else RuntimeError
            return kind(repr(error))
        return answers

    def _together(self) -> bool:
        """Whether ranks hold parts of the weights, so that none computes a token alone."""
        return self.job.student.launch == "fsdp" and rank_and_world()[1] > 1

    def _generation(self) -> Any:
        """Greedy to the end token, without what the base's own settings would add."""
        import transformers

        settings: Any = transformers.GenerationConfig
        return settings(
            do_sample=False,
            use_cache=True,
            eos_token_id=self.tokenizer.eos_token_id,
            pad_token_id=self.tokenizer.pad_token_id,
        )

    def prompt_text(self, prompt: Prompt) -> str:
        """A prompt as the student is asked it, up to where its answer begins."""
        messages = render(prompt, self.job.template)
        text: str = self.tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True
        )
        return text

    def _generate(self, model: Any, texts: Sequence[str]) -> list[Answer]:
        """The answers to a batch of prompts' texts."""
        batch = self.tokenizer(
            list(texts),
            add_special_tokens=False,
            padding=True,
            padding_side="left",
            return_tensors="pt",
        ).to(model.device)
        width = batch["input_ids"].shape[1]
        room = model.config.max_position_embeddings - width
        limit = max(1, min(self.job.try_tokens, room))
        made = model.generate(
            input_ids=batch["input_ids"],
            attention_mask=batch["attention_mask"],
            max_new_tokens=limit,
            synced_gpus=self._together(),
        )
        lengths = batch["attention_mask"].sum(dim=1).tolist()
        return [self._answer(row[width:].tolist(), n) for row, n in zip(made, lengths, strict=True)]

    def _answer(self, tokens: list[int], prompt_tokens: int) -> Answer:
        eos = self.tokenizer.eos_token_id
        ended = eos in tokens
        said = tokens[: tokens.index(eos)] if ended else tokens
        text = self.tokenizer.decode(said, clean_up_tokenization_spaces=False)
        return Answer(text, len(said) + ended, ended, prompt_tokens)


def _is_out_of_memory(error: Exception) -> bool:
    """Whether a device, or this machine, had no room for a tensor."""
    from accelerate.utils.memory import should_reduce_batch_size

    known = isinstance(error, MemoryError | torch.OutOfMemoryError)
    return known or should_reduce_batch_size(error)


def rank_and_world() -> tuple[int, int]:
    """This process among those that train together, and how many they are."""
    ranks = torch.distributed
    if ranks.is_available() and ranks.is_initialized():
        return ranks.get_rank(), ranks.get_world_size()
    return 0, 1


@contextmanager
def untouched(model: Any, generation: Any) -> Iterator[None]:
    """Let the model generate, then leave it as it was: mode, attention, settings, random states.

    Packed attention has no cache and no padding: torch's own takes its place meanwhile.
    """
    import numpy as np

    attention, settings, training = (
        model.config._attn_implementation,
        model.generation_config,
        model.training,
    )
    states = random.getstate(), np.random.get_state()
    threads = torch.get_num_threads()
    # A step of decoding is thousands of tiny products: two threads gain a tenth, and wait ten times
    # as long for each other where the cores are shared.
    torch.set_num_threads(1)
    # Of this rank's device alone: to ask the others for their state takes half a GB of each.
    devices = [model.device] if model.device.type == "cuda" else []
    try:
        model.eval()
        model.generation_config = generation
        model.set_attn_implementation("sdpa")
        with torch.random.fork_rng(devices), torch.no_grad():
            yield
    finally:
        torch.set_num_threads(threads)
        model.set_attn_implementation(attention)
        model.generation_config = settings
        model.train(training)
        random.setstate(states[0])
        np.random.set_state(states[1])
