"""One training session on an accelerator, from a packed folder to weights: teacher, then tables.

Everything is timed by the clock, so that it fits a lent machine; what is best is told by held-out
packages and by annotated questions, and everything that may be wanted is written out.
"""

import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from attrs import evolve, frozen

from codeintel_ls.embedding.training.corpus import Corpus, load_corpus
from codeintel_ls.embedding.training.packing import TABLE, TEACHER, load_pieces
from codeintel_ls.embedding.training.pairs import Pairs, held_out, pairs_of, shared_words
from codeintel_ls.embedding.training.pieces import WordPieces, query_texts, record_texts
from codeintel_ls.embedding.training.quantizing import quantized
from codeintel_ls.embedding.training.questions import Question, load_questions
from codeintel_ls.embedding.training.scoring import ndcg, reciprocal_ranks
from codeintel_ls.embedding.training.table import (
    Bags,
    Recipe,
    Table,
    bagged,
    bags_of,
    first_rows,
    query_bags,
    train_table,
)
from codeintel_ls.embedding.training.teacher import (
    Material,
    embed_plain_queries,
    embed_queries,
    embed_records,
    train_teacher,
)
from codeintel_ls.embedding.training.transformer import (
    SentenceEncoder,
    load_published,
    load_weights,
    save_halved,
)

_MOST_HELD_OUT_PAIRS: Final = 12_000


@frozen(kw_only=True)
class Plan:
    """How long and how large.

    `mixes`: shares of the taught weights that are tried, the rest staying as published.
    `taught`: the weights of a teacher to go on from.
    """

    teacher_seconds: float
    table_seconds: float
    teacher_batch: int = 2_048
    table_batch: int = 4_096
    teacher_rate: float = 1e-4
    mixes: Sequence[float] = (1.0, 0.8, 0.6, 0.4)
    taught: Path | None = None
    held_out: int = 80
    seed: int = 20


@frozen(eq=False)
class Benchmark:
    """Repositories to score on, cut for both tokenizers."""

    name: str
    corpus: Corpus
    questions: Sequence[Question]
    teacher: WordPieces
    table: WordPieces


class Session:
    """What a session holds while it runs."""

    def __init__(self, folder: Path, out: Path, plan: Plan, device: str) -> None:
        self._folder, self._out, self._plan, self._device = folder, out, plan, device
        self._began = time.monotonic()
        self._scores: dict[str, Mapping[str, float]] = {}
        self.say("reading the corpus")
        self._corpus = load_corpus(folder / "corpus")
        self._teacher_pieces = load_pieces(folder / "corpus", TEACHER)
        self._table_pieces = load_pieces(folder / "corpus", TABLE)
        self._benchmarks = [
            Benchmark(
                path.name,
                load_corpus(path),
                load_questions(path / "questions.json"),
                load_pieces(path, TEACHER),
                load_pieces(path, TABLE),
            )
            for path in sorted(folder.glob("benchmark-*"))
        ]
        every = pairs_of(self._corpus, plan.seed)
        away = held_out(self._corpus, plan.held_out, plan.seed)
        is_away = np.isin(self._corpus.packages[every.answers], away)
        self._pairs = every.of(~is_away)
        chance = np.random.default_rng(plan.seed)
        kept = is_away & (every.queries >= 0)
        kept &= chance.random(len(kept)) < _MOST_HELD_OUT_PAIRS / max(1, int(kept.sum()))
        self._held_out = every.of(kept)
        self._away = away
        self.say(f"{len(self._pairs.answers)} pairs, {len(self._held_out.answers)} held out")

    def say(self, text: str) -> None:
        """Print with the time passed."""
        print(f"[{time.monotonic() - self._began:6.1f}] {text}", flush=True)  # noqa: T201 (for who trains)

    def run(self) -> None:
        """Teach, embed, and train the tables; write weights and scores."""
        device, plan = self._device, self._plan
        encoder = load_published(self._folder / "minilm").to(device)
        encoder.precision = torch.bfloat16 if device == "cuda" else torch.float32
        published = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
        material = Material.of(self._corpus, self._teacher_pieces, device)
        self.say("material is there")
        self._score_teacher("published", encoder, material)
        if plan.taught is not None:
            encoder.load_state_dict(load_weights(plan.taught))
            self._score_teacher("as given", encoder, material)
        if plan.teacher_seconds:
            train_teacher(
                encoder,
                material,
                self._pairs,
                seconds=plan.teacher_seconds,
                size=plan.teacher_batch,
                rate=plan.teacher_rate,
                seed=plan.seed,
                say=self.say,
            )
        taught = {name: tensor.clone() for name, tensor in encoder.state_dict().items()}
        save_halved(encoder, self._out / "teacher.safetensors")
        for mix in plan.mixes:
            encoder.load_state_dict(_mixed(published, taught, mix))
            self._score_teacher(f"taught {mix}", encoder, material)
        best = max(plan.mixes, key=lambda mix: self._worth(f"teacher taught {mix}"))
        encoder.load_state_dict(_mixed(published, taught, best))
        self.say(f"the tables are taught by the mix {best}")
        rows = torch.arange(len(self._corpus.packages), device=device)
        vectors = embed_records(encoder, material.records, rows, with_doc=True)
        asked = embed_queries(encoder, material, self._pairs)
        self.say(f"embedded {len(vectors)} records and {len(asked)} questions")
        self._tables(encoder, asked, vectors)

    def _worth(self, name: str) -> float:
        """What a model is chosen by: the mean over benchmarks and held-out packages."""
        scores = self._scores[name]
        return sum(value for key, value in scores.items() if key.endswith(("all", "held out")))

    def _tables(self, teacher: SentenceEncoder, asked: torch.Tensor, vectors: torch.Tensor) -> None:
        device, plan, corpus = self._device, self._plan, self._corpus
        pieces = self._table_pieces
        bags = bagged(corpus, pieces, device)
        shared = shared_words(corpus, device)
        queries = [
            query_bags(corpus, self._pairs, pieces, device, shared, plan.seed + number)
            for number in range(3)
        ]
        own = (
            query_bags(corpus, self._held_out, pieces, device, None, plan.seed),
            _own_word_bags(corpus, self._held_out, pieces, device, shared),
        )
        own_pieces = json.loads((self._folder / "table-pieces.json").read_text("utf-8"))
        inputs = [[number for number in each if number] for each in own_pieces]
        counts = torch.bincount(bags.documented.pieces.long(), minlength=len(inputs)).float() + 1
        start = first_rows(teacher, inputs, counts)
        self.say("bags are there")
        kept: dict[str, torch.Tensor] = {}
        for name, recipe in self._recipes().items():
            torch.manual_seed(plan.seed)
            table = Table(start, teacher.shape.width).to(device)
            if recipe is not None:
                train_table(
                    table,
                    corpus,
                    self._pairs,
                    bags,
                    queries,
                    asked,
                    vectors,
                    recipe,
                    seed=plan.seed,
                    say=self.say,
                )
            self._score_table(name, table, bags.bare, bags.paths, own)
            kept[name] = table.rows.detach()
        self._stacked(kept, bags.bare, bags.paths, own, teacher.shape.width)
        for name, rows in kept.items():
            levels, scales = quantized(rows.cpu().numpy())
            np.savez(self._out / f"table-{name}.npz", levels=levels, scales=scales)

    def _recipes(self) -> Mapping[str, Recipe | None]:
        """The mixes of losses that are tried; none for the rows that all of them start from."""
        plan = self._plan
        distil = Recipe(
            seconds=plan.table_seconds,
            size=plan.table_batch,
            contrast=0.0,
            ranking=0.5,
            regression=2.0,
        )
        return {
            "start": None,
            "contrast": evolve(distil, contrast=1.0, ranking=0.0, regression=0.0),
            "distil": distil,
            "distil-slow": evolve(distil, rate=1e-3),
            "distil-rank": evolve(distil, ranking=1.0, regression=0.0),
            "distil-near": evolve(distil, ranking=0.0),
            "distil-some": evolve(distil, contrast=0.15),
        }

    def _stacked(
        self,
        kept: dict[str, torch.Tensor],
        texts: Bags,
        paths: Bags,
        own: tuple[Bags, Bags],
        width: int,
    ) -> None:
        """Tables beside each other, brought back to 256 dimensions by their main axes."""
        for name, parts in {
            "distil-start": (("distil", 1.0), ("start", 0.6)),
            "stacked": (
                ("distil-slow", 1.0),
                ("distil-some", 1.0),
                ("distil-rank", 0.5),
                ("start", 0.6),
            ),
        }.items():
            scaled = [share * kept[part] / kept[part].norm(dim=1).mean() for part, share in parts]
            every = torch.cat(scaled, 1)
            _, _, axes = torch.linalg.svd(every, full_matrices=False)
            table = Table(every @ axes[: kept["distil"].shape[1]].T, width).to(self._device)
            self._score_table(name, table, texts, paths, own)
            kept[name] = table.rows.detach()

    @torch.no_grad()
    def _score_teacher(self, name: str, encoder: SentenceEncoder, material: Material) -> None:
        scores: dict[str, float] = {}
        device = self._device
        for bench in self._benchmarks:
            texts = record_texts(bench.corpus, bench.teacher, device)
            every = torch.arange(len(bench.corpus.packages), device=device)
            records = embed_records(encoder, texts, every, with_doc=False)
            asked = embed_plain_queries(encoder, query_texts(bench.corpus, bench.teacher, device))
            scores |= _scores_of(bench, asked, records)
        rows = np.flatnonzero(np.isin(self._corpus.packages, self._away))
        chosen = torch.from_numpy(rows).to(device)
        found = embed_records(encoder, material.records, chosen, with_doc=False)
        records = torch.zeros((len(self._corpus.packages), found.shape[1]), device=device).half()
        records[chosen] = found
        asked = embed_queries(encoder, material, self._held_out)
        scores["held out"] = reciprocal_ranks(asked, records, self._held_out, self._corpus.packages)
        asked = embed_queries(encoder, material, self._held_out, own_words=True)
        scores["own words"] = reciprocal_ranks(
            asked, records, self._held_out, self._corpus.packages
        )
        self._keep(f"teacher {name}", scores)

    @torch.no_grad()
    def _score_table(
        self, name: str, table: Table, texts: Bags, paths: Bags, own: tuple[Bags, Bags]
    ) -> None:
        scores: dict[str, float] = {}
        device = self._device
        for bench in self._benchmarks:
            here = bagged(bench.corpus, bench.table, device)
            every = torch.arange(len(bench.corpus.packages), device=device)
            records = table.documents(here.documented, here.paths, every)
            asked = table.vectors(
                _plain_bags(bench, device), torch.arange(len(bench.questions), device=device)
            )
            scores |= _scores_of(bench, asked, records)
        rows = np.flatnonzero(np.isin(self._corpus.packages, self._away))
        chosen = torch.from_numpy(rows).to(device)
        records = torch.zeros((len(self._corpus.packages), table.rows.shape[1]), device=device)
        records[chosen] = table.documents(texts, paths, chosen)
        every = torch.arange(len(self._held_out.answers), device=device)
        for kind, bags in zip(("held out", "own words"), own, strict=True):
            scores[kind] = reciprocal_ranks(
                table.vectors(bags, every), records, self._held_out, self._corpus.packages
            )
        self._keep(f"table {name}", scores)

    def _keep(self, name: str, scores: Mapping[str, float]) -> None:
        self._scores[name] = scores
        self.say(f"{name}: " + ", ".join(f"{key} {value:.4f}" for key, value in scores.items()))
        self._write_scores()

    def _write_scores(self) -> None:
        (self._out / "scores.json").write_text(json.dumps(self._scores, indent=1), "utf-8")


def _mixed(
    published: Mapping[str, torch.Tensor], taught: Mapping[str, torch.Tensor], share: float
) -> dict[str, torch.Tensor]:
    return {name: share * taught[name] + (1 - share) * old for name, old in published.items()}


def _scores_of(bench: Benchmark, asked: torch.Tensor, records: torch.Tensor) -> dict[str, float]:
    corpus = bench.corpus
    found = ndcg(bench.questions, asked, records, corpus.packages, corpus.package_names)
    short = bench.name.removeprefix("benchmark-")
    return {f"{short} {name}": value for name, value in found.items()}


def _plain_bags(bench: Benchmark, device: str) -> Bags:
    lengths = torch.from_numpy(bench.corpus.query_lengths.astype("int64")).to(device)
    owners = torch.repeat_interleave(torch.arange(len(lengths), device=device), lengths)
    words = torch.from_numpy(bench.corpus.query_words.astype("int64")).to(device)
    return bags_of(owners, words, len(lengths), bench.table)


def _own_word_bags(
    corpus: Corpus, pairs: Pairs, pieces: WordPieces, device: str, shared: torch.Tensor
) -> Bags:
    """The pairs' mined queries without any word that stands in their answer."""
    lengths = torch.from_numpy(corpus.query_lengths.astype("int64")).to(device)
    starts = torch.cumsum(lengths, 0) - lengths
    queries = torch.from_numpy(pairs.queries).to(device)
    size = lengths[queries]
    owner = torch.repeat_interleave(torch.arange(len(queries), device=device), size)
    before = torch.cumsum(size, 0) - size
    place = torch.arange(len(owner), device=device) - before[owner] + starts[queries][owner]
    kept = ~shared[place]
    words = torch.from_numpy(corpus.query_words.astype("int64")).to(device)
    return bags_of(owner[kept], words[place[kept]], len(queries), pieces)
