"""Kills of the server and of its indexing process, at every kind of step and at random times.

    python -m tests.faults.kills [--kills 200] [--seed 1]

Each kill begins with a copy of a cache and ends with the same folder opened again, which has to
be well by itself: like a fresh build of the tree, and with nothing embedded that was there.
"""

import argparse
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import pytest
from attrs import define, field

from tests.faults.driver import SCENARIOS, lower_limits
from tests.faults.steps import Target
from tests.faults.workshop import VICTIMS, Kill, Trace, Workshop

_TIMED: Final = 5
"""Every so many kills one comes at a random time, and not at a step."""


@define
class Tally:
    """What came of all kills; `there` are the kinds of steps that there are, by victim."""

    there: Mapping[str, set[str]]
    kills: Counter[tuple[str, str, bool]] = field(factory=Counter[tuple[str, str, bool]])
    kinds: Counter[tuple[str, str]] = field(factory=Counter[tuple[str, str]])
    failures: dict[str, list[str]] = field(factory=dict[str, list[str]])
    missed: int = 0

    @property
    def total(self) -> int:
        """How many processes were killed."""
        return self.kills.total()

    def note(self, kill: Kill, problems: list[str]) -> None:
        """One process was killed."""
        self.kills[kill.scenario, kill.victim, kill.target is None] += 1
        if kill.target is not None:
            self.kinds[kill.victim, kill.target.kind] += 1
        if problems:
            self.failures[str(kill)] = problems

    def table(self) -> str:
        """For a person."""
        columns = [(victim, timed) for timed in (False, True) for victim in VICTIMS]
        heads = [f"{victim} at a {'time' if timed else 'step'}" for victim, timed in columns]
        rows = [["", *heads]]
        for scenario in SCENARIOS:
            counts = [self.kills[scenario, victim, timed] for victim, timed in columns]
            rows.append([scenario, *map(str, counts)])
        lines = ["  ".join(f"{cell:>17}" for cell in row) for row in rows]
        for victim in VICTIMS:
            kinds = sorted((kind, n) for (who, kind), n in self.kinds.items() if who == victim)
            there = len(self.there[victim])
            lines.append(f"{len(kinds)} of the {there} kinds of steps of the {victim}:")
            lines.append("  " + ", ".join(f"{kind} {n}" for kind, n in kinds))
        for kill, problems in self.failures.items():
            lines += [f"FAILED {kill}", *(f"    {problem}" for problem in problems)]
        lines.append(
            f"{self.total} kills ({self.missed} more came too late), {len(self.failures)} failures"
        )
        return "\n".join(lines)


def planned(traces: Mapping[str, Trace], chance: random.Random) -> Iterator[Kill]:
    """Kills without end: all scenarios and victims in turn, the kinds of steps hit least first.

    Of these, those come first that are steps of few scenarios.
    """
    hit: Counter[tuple[str, str]] = Counter()
    often = Counter(
        (victim, kind)
        for trace in traces.values()
        for victim in VICTIMS
        for kind in trace.steps[victim]
    )
    # A scenario with many steps that no other one has comes more often.
    pairs = [
        (scenario, victim)
        for scenario in traces
        for victim in VICTIMS
        if (steps := traces[scenario].steps[victim])
        for _ in range(1 + sum(often[victim, kind] == 1 for kind in steps) // 8)
    ]
    chance.shuffle(pairs)
    for number, (scenario, victim) in enumerate(cycle(pairs), 1):
        trace = traces[scenario]
        workers = chance.choice((1, 2))
        if number % _TIMED == 0:
            # An indexing process lives for a part of the time alone.
            most = trace.seconds * (0.4 if victim == "worker" else 0.9)
            seconds = chance.uniform(0.0, most)
            yield Kill(scenario=scenario, victim=victim, seconds=seconds, workers=workers)
            continue
        steps = trace.steps[victim]
        kind = min(
            sorted(steps),
            key=lambda kind: (hit[victim, kind], often[victim, kind], chance.random()),
        )
        hit[victim, kind] += 1
        # Two processes share the steps, and the first of them is the victim.
        most = max(1, steps[kind] // workers if victim == "worker" else steps[kind])
        target = Target(kind, chance.randint(1, most))
        yield Kill(scenario=scenario, victim=victim, target=target, workers=workers)


def killed(
    place: Path, kills: int, seed: int, tell: Callable[[str], None] = lambda _: None
) -> Tally:
    """Carry out so many kills."""
    workshop, chance = Workshop(place), random.Random(seed)
    traces = {scenario: workshop.trace(scenario) for scenario in SCENARIOS}
    there = {
        victim: set[str]().union(*(trace.steps[victim] for trace in traces.values()))
        for victim in VICTIMS
    }
    tally = Tally(there)
    for kill in planned(traces, chance):
        if tally.total >= kills or tally.missed > kills:
            return tally
        with pytest.MonkeyPatch.context() as patch:
            # Half of the time, what opens the folder again folds and merges as the killed did.
            if chance.random() < 0.5:
                lower_limits(patch.setattr)
            died, problems = workshop.carry_out(kill)
        if died or problems:
            tally.note(kill, problems)
            tell(f"{tally.total:>4}  {kill}{''.join(f'{chr(10)}      {p}' for p in problems)}")
        else:
            tally.missed += 1
    return tally


def main() -> int:
    """Kill, and say what came of it; 1 where anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10_000))
    given = parser.parse_args()
    print(f"seed {given.seed}", flush=True)
    with TemporaryDirectory() as place:
        tally = killed(Path(place), given.kills, given.seed, lambda line: print(line, flush=True))
    print(tally.table())
    return 1 if tally.failures or tally.total < given.kills else 0


if __name__ == "__main__":
    sys.exit(main())
