"""A Codeforces rating from graded programs: what each contest's place is worth, contest by contest.

A model takes part in past contests. Its score there gives the place it would have had, and the
place a rating: the one at which the expected place, 1 + the sum of every participant's chance to
beat it, is the place it had. The rating is the mean over contests. Chances are Elo's, and a tie
takes the worst of its places, as in Codeforces' own system (codeforces.com/blog/entry/20762); mean
and penalties are those of CodeElo (arXiv 2501.01257): up to 8 submissions a problem, all in the
contest's first minute, so that only wrong ones cost points. CodeElo's program counts a place one
better; of thousands of places that changes little but at the very top.

Standings are a folder with two files a contest, as Codeforces' API answers them:

    id=2030; for what in standings ratingChanges; do
      curl -o $id.$what.json "https://codeforces.com/api/contest.$what?contestId=$id"
    done
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evals.scores import Rating
from evals.stats import mean_of_few
from filters.verdict import Outcome, Verdict
from prompts.errors import PrerequisiteError
from teacher.sample import Sample

Floats = NDArray[np.float64]

ATTEMPTS = 8  # CodeElo's
# A wrong submission costs so much, and a solved problem never gives less than 30 % of its points.
_WRONG_POINTS = 50.0
_LEAST_SHARE = 0.3
_WRONG_MINUTES = 10.0  # in contests where a problem is worth one point
_HIGHEST = 8_000  # where Codeforces ends its search
_ABOVE_ALL = 100  # the best place proves no more than this above the best participant (CodeElo)
_MOST_RATING = 4_100.0  # the highest anybody had until 2024 was about 4,000


@dataclass(frozen=True, slots=True)
class Contest:
    """A past contest: its problems' points (None: each counts one), and who took part.

    `points`, `penalties` and `ratings` have shape (participants,); ratings are those before it.
    """

    contest_id: str
    problems: Mapping[str, float | None]
    points: Floats
    penalties: Floats
    ratings: Floats


def expected_place(rating: float, ratings: Floats) -> float:
    """The place expected of a rating among others: 1 + the sum of their chances to beat it."""
    return 1.0 + float(np.sum(1.0 / (1.0 + 10.0 ** ((rating - ratings) / 400.0))))


def rating_of_place(place: float, ratings: Floats) -> int:
    """The highest whole rating whose expected place is no better than `place`.

    Between 0, which is all the last place proves, and 8,000.
    """
    low, high = 0, _HIGHEST
    while high - low > 1:
        middle = (low + high) // 2
        if expected_place(middle, ratings) < place:
            high = middle
        else:
            low = middle
    return low


def rate(
    problems: Mapping[str, str],
    samples: Sequence[Sample],
    verdicts: Sequence[Verdict],
    contests: Sequence[Contest],
    attempts: int = ATTEMPTS,
    confidence: float = 0.95,
    seed: int = 0,
) -> Rating:
    """Rate graded samples of contest problems; `problems` names each prompt's as `2030/B`, or as
    `2030/B 2029/A` where it stood in several contests: it counts in each that is asked about, those
    of the first names.

    A prompt's samples are submissions in their order, `attempts` to a participation: 16 samples
    are two participations of 8. What never came or nobody could grade is no submission. Problems
    that a participation is without, those not asked among them, count as unsolved there and are
    counted. Raises PrerequisiteError where no contest of the problems has standings.
    """
    outcomes = {verdict.sample_id: verdict.outcome for verdict in verdicts}
    submitted = [one for one in samples if one.prompt_id in problems]
    tried: dict[str, dict[int, bool]] = defaultdict(dict)
    for sample in submitted:
        outcome = outcomes.get(sample.sample_id, Outcome.UNDECIDED)
        if sample.error is None and outcome is not Outcome.UNDECIDED:
            for name in problems[sample.prompt_id].split():
                tried[name][sample.sample_index] = outcome is Outcome.ACCEPT
    asked = {names.split("/")[0] for names in problems.values()}
    rated = [contest for contest in contests if contest.contest_id in asked]
    if not rated:
        raise PrerequisiteError(
            f"no standings of the contests that were asked about ({_few(asked)}); get them from "
            "Codeforces' API as evals/codeforces_rating.py says"
        )
    drawn = 1 + max((sample.sample_index for sample in submitted), default=0)
    attempts = min(attempts, drawn)
    means = {
        contest.contest_id: _contest_rating(contest, tried, attempts, drawn // attempts)
        for contest in rated
    }
    bounds = 0.0, max(_MOST_RATING, *means.values())
    return Rating(
        rating=mean_of_few(list(means.values()), bounds, confidence, seed),
        attempts=attempts,
        participations=drawn // attempts,
        contests=means,
        without_standings=len(asked) - len(rated),
        unasked=sum(
            _is_missed(tried.get(name, {}), attempts, drawn // attempts)
            for contest in rated
            for name in _names(contest)
        ),
    )


def _is_missed(flags: Mapping[int, bool], attempts: int, participations: int) -> bool:
    """Whether a participation has no graded submission of a problem."""
    starts = range(0, attempts * participations, attempts)
    return any(flags.keys().isdisjoint(range(start, start + attempts)) for start in starts)


def _contest_rating(
    contest: Contest, tried: Mapping[str, Mapping[int, bool]], attempts: int, participations: int
) -> float:
    """The mean over participations of what the place in a contest is worth."""
    found = []
    for start in range(0, attempts * participations, attempts):
        score = penalty = 0.0
        for name, worth in zip(_names(contest), contest.problems.values(), strict=True):
            flags = tried.get(name, {})
            submitted = [flags[i] for i in range(start, start + attempts) if i in flags]
            if True not in submitted:
                continue
            wrong = submitted.index(True)
            score += (
                1 if worth is None else max(_LEAST_SHARE * worth, worth - _WRONG_POINTS * wrong)
            )
            penalty += _WRONG_MINUTES * wrong if worth is None else 0
        place_worth = rating_of_place(place_of(score, penalty, contest), contest.ratings)
        found.append(min(place_worth, contest.ratings.max() + _ABOVE_ALL))
    return float(np.mean(found))


def place_of(score: float, penalty: float, contest: Contest) -> int:
    """The place a score would have had: behind everybody who is at least as good."""
    ahead = contest.points > score
    tied = (contest.points == score) & (contest.penalties <= penalty)
    return 1 + int(np.sum(ahead | tied))


def read_contests(folder: Path) -> list[Contest]:
    """Every contest of a folder of standings (see the top of this file).

    Those who took part unrated are left out. PrerequisiteError for a folder without a contest, a
    file that is no answer of the API, and a contest without a rated participant.
    """
    found = sorted(folder.glob("*.standings.json"))
    if not found:
        raise PrerequisiteError(
            f"{folder}: no ID.standings.json there; get standings and ratingChanges of each "
            "contest from Codeforces' API as evals/codeforces_rating.py says"
        )
    return [_read_contest(path) for path in found]


def _read_contest(path: Path) -> Contest:
    contest_id = path.name.removesuffix(".standings.json")
    standings = _answer(path)
    changes = _answer(path.with_name(f"{contest_id}.ratingChanges.json"))
    try:
        before = {change["handle"]: float(change["oldRating"]) for change in changes}
        worth = {
            problem["index"]: float(problem["points"]) if "points" in problem else None
            for problem in standings["problems"]
        }
        rows = [
            (float(row["points"]), float(row["penalty"]), before[handle])
            for row in standings["rows"]
            for handle in [row["party"]["members"][0]["handle"]]
            if handle in before
        ]
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise PrerequisiteError(f"{path}: not what contest.standings answers ({error!r})") from None
    if not rows:
        raise PrerequisiteError(f"{path}: nobody in it is in {contest_id}.ratingChanges.json")
    points, penalties, ratings = np.array(rows, dtype=float).T
    return Contest(contest_id, worth, points, penalties, ratings)


def _answer(path: Path) -> Any:
    """The `result` of one answer of the API."""
    try:
        answer = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise PrerequisiteError(f"{path}: cannot be read as JSON ({error})") from None
    if not isinstance(answer, dict) or answer.get("status") != "OK" or "result" not in answer:
        raise PrerequisiteError(f"{path}: no answer of Codeforces' API with status OK; get it anew")
    return answer["result"]


def _names(contest: Contest) -> Iterator[str]:
    return (f"{contest.contest_id}/{index}" for index in contest.problems)


def _few(names: set[str]) -> str:
    shown = sorted(names)[:5]
    return ", ".join(shown) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
