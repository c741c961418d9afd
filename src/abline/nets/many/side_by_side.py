"""Many trainings in lock-step, one batched product for all of them; made for GPUs."""

from __future__ import annotations

import time
from itertools import groupby
from typing import TYPE_CHECKING

import torch

from abline.errors import DivergedError
from abline.linear.threads import one_blas_thread
from abline.nets.devices import cpu_threads, pick_device
from abline.nets.many.jobs import Job, Outcome, finish
from abline.nets.many.member import Member, SolvedInStack, StackedNetwork
from abline.nets.many.shuffles import ShuffleBook
from abline.nets.many.stack import Stack
from abline.nets.mlp.epoch_parts import epoch_judge, first_progress
from abline.nets.warned import gathered_warnings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor

    from abline.nets.mlp.epochs import EpochJudge
    from abline.nets.warned import Said

#: bytes for the trainings of a stack on a CPU, and the share of what a GPU has left
CPU_ROOM, GPU_SHARE = 2**30, 0.6


def train_side_by_side(jobs: Sequence[Job]) -> Iterator[Outcome]:
    """Train in stacks of one architecture and number of steps, as many at once as there is room.

    A training that its own rule stops leaves the stack. Its draws, rates and rules are those of
    a training alone, and its numbers differ by rounding errors.

    Parameters
    ----------
    jobs : sequence of Job
        Of one table, by `Adam` or `SGD`.

    Yields
    ------
    Outcome
        As they end.
    """
    device = pick_device(jobs[0].parameters["device"])
    with one_blas_thread(), cpu_threads(None):
        X = torch.from_numpy(jobs[0].part.table.X).to(device)
        # members draw weights and set rows apart, so they are made when their stack's turn comes
        for stacked in _stacks(jobs, _room(device)):
            yield from _train(stacked, X)


def _room(device: torch.device) -> float:
    if device.type != "cuda":
        return CPU_ROOM
    return GPU_SHARE * torch.cuda.mem_get_info(device)[0]


def _stacks(jobs: Sequence[Job], room: float) -> Iterator[list[tuple[Member, Said]]]:
    """Group trainings that can stand in one stack; largest first."""

    def sizes(job: Job) -> tuple[float, tuple[int, ...]]:
        return -job.cost / len(job.part), job.hidden

    for _, alike in groupby(sorted(jobs, key=sizes), key=sizes):
        book = ShuffleBook()
        waiting: dict[tuple[int, ...], list[tuple[Member, Said]]] = {}
        used: dict[tuple[int, ...], float] = {}
        for job in alike:
            with gathered_warnings() as said:
                member = Member.of(job, book)
            shape, size = member.shape, member.numbers * member.problem.dtype.itemsize
            if waiting.get(shape) and used[shape] + size > room:
                yield waiting.pop(shape)
                used[shape] = 0.0
            waiting.setdefault(shape, []).append((member, said))
            used[shape] = used.get(shape, 0.0) + size
        yield from waiting.values()


def _train(stacked: list[tuple[Member, Said]], X: Tensor) -> Iterator[Outcome]:
    start = time.perf_counter()
    batch_size = max(member.batch_size for member, _ in stacked)
    stack = Stack([member for member, _ in stacked], X, batch_size)
    active = [_Active(member, said, stack, place) for place, (member, said) in enumerate(stacked)]
    orders = [each.judge.draw() for each in active]
    while active:
        on_device = stack.train_epoch(orders, [each.judge.progress.rate for each in active])
        orders = [each.judge.draw() for each in active]  # while a GPU is at work
        for each, loss in zip(active, on_device.tolist(), strict=True):
            each.judge_epoch(loss)
        stay = [place for place, each in enumerate(active) if each.judge.goes_on]
        if len(stay) == len(active):
            continue
        left = [each for each in active if not each.judge.goes_on]
        for each in left:
            each.network.leave()
        active, orders = [active[place] for place in stay], [orders[place] for place in stay]
        if active:
            stack.keep(stay)
        for place, each in enumerate(active):
            each.network.stand(place)
        for each in left:
            yield each.outcome((time.perf_counter() - start) / len(stacked))


class _Active:
    """A training in a stack."""

    def __init__(self, member: Member, said: Said, stack: Stack, place: int) -> None:
        self._member = member
        self._said = said
        self.network = StackedNetwork(member, stack, place)
        progress = first_progress(member.problem, one_epoch=False)
        self.judge: EpochJudge = epoch_judge(
            member.problem, self.network, member.batch_size, progress
        )

    def judge_epoch(self, loss: float) -> None:
        """Note an epoch's loss."""
        with gathered_warnings() as said:
            self.judge.judge(loss)
        self._said.extend(said)

    def outcome(self, seconds: float) -> Outcome:
        """Give what became of it; all trainings of a stack share its time."""
        member, error = self._member, None
        with gathered_warnings() as said:
            self.judge.close()
            try:
                finish(
                    member.job, member.model, member.problem, SolvedInStack(self.judge, member.rule)
                )
            except DivergedError as found:
                error = found
        model = member.model if error is None else None
        return Outcome(member.job, model, seconds, [*self._said, *said], error)
