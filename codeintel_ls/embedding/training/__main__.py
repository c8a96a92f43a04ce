"""The stages, one command each: `python -m codeintel_ls.embedding.training STAGE --help`."""

import json
from pathlib import Path

import click

from codeintel_ls.embedding.training.corpus import (
    CorpusBuilder,
    load_corpus,
    pruned,
    read_records,
    save_corpus,
)
from codeintel_ls.embedding.training.listing import (
    debian_binaries,
    debian_sources,
    read_index,
    shuffled,
)
from codeintel_ls.embedding.training.refusal import (
    load_refusal,
    read_repositories,
    refusal_of,
    save_refusal,
)

_FOLDER = click.Path(path_type=Path, file_okay=False)
_FILE = click.Path(path_type=Path, dir_okay=False, exists=True)
_SEED = 20


@click.group()
def main() -> None:
    """Train the project's own embedding models."""


# Stages on the machine that mines need no torch, and those on the one that trains no chunker.
@main.command("refuse")
@click.argument("work", type=_FOLDER)
@click.option("--repositories", type=_FILE, required=True, help="owner/name, one a line")
@click.option("--checkouts", type=_FOLDER, required=True, help="a folder of their check-outs")
def refuse(work: Path, repositories: Path, checkouts: Path) -> None:
    """Learn the files that must never be trained on."""
    work.mkdir(parents=True, exist_ok=True)
    texts = (_text(path) for path in sorted(checkouts.rglob("*")) if _is_source(path))
    refusal = refusal_of(read_repositories(repositories), (text for text in texts if text))
    save_refusal(refusal, work / "refusal.npz")
    click.echo(f"{len(refusal.files)} files, {len(refusal.runs)} runs of lines refused")


def _is_source(path: Path) -> bool:
    from codeintel_ls.embedding.training.packages import is_read

    return (
        is_read(path.name)
        and path.is_file()
        and not path.is_symlink()
        and path.stat().st_size < 250_000
    )


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


@main.command("list")
@click.argument("work", type=_FOLDER)
@click.option("--lists", type=_FOLDER, required=True, help="apt's indices, with sources")
@click.option("--pypi", type=_FILE, help="names, one a line")
@click.option("--npm", type=_FILE, help="names, one a line")
@click.option("--seed", default=_SEED)
def list_packages(work: Path, lists: Path, pypi: Path | None, npm: Path | None, seed: int) -> None:
    """Choose the packages."""
    names = {
        "debian": list(debian_binaries(read_index(lists, "_Packages"))),
        "debian-source": list(debian_sources(read_index(lists, "_Sources"))),
        "pypi": pypi.read_text("utf-8").split() if pypi else [],
        "npm": npm.read_text("utf-8").split() if npm else [],
    }
    chosen = shuffled(names, {}, seed)
    (work / "packages.json").write_text(json.dumps(chosen), "utf-8")
    for registry, several in names.items():
        click.echo(f"{registry}: {len(set(several))}")


@main.command("mine")
@click.argument("work", type=_FOLDER)
@click.option("--repositories", type=_FILE, required=True, help="owner/name, one a line")
@click.option("--share", default="0/1", help="i/n: every n-th package from the i-th on")
@click.option("--apt", multiple=True, help="options of apt-get")
@click.option("--seed", default=_SEED)
def mine(work: Path, repositories: Path, share: str, apt: tuple[str, ...], seed: int) -> None:
    """Fetch packages and write their records. Stop and start it as you like."""
    from codeintel_ls.embedding.training.mining import mine as mine_packages

    refusal = load_refusal(read_repositories(repositories), work / "refusal.npz")
    which, of = map(int, share.split("/"))
    chosen = [tuple(each) for each in json.loads((work / "packages.json").read_text("utf-8"))]
    records = 0
    for batch in mine_packages(chosen[which::of], work, f"part{which}", refusal, apt, seed):
        records += sum(each.records for each in batch)
        mined = sum(each.outcome == "mined" for each in batch)
        click.echo(f"{batch[0].registry}: {mined} of {len(batch)} mined, {records} records so far")


@main.command("benchmark")
@click.argument("work", type=_FOLDER)
@click.option("--split", type=_FOLDER, required=True, help="repos.json and annotations/")
@click.option("--checkouts", type=_FOLDER, required=True, help="a folder for each repository")
@click.option("--name", default="split")
def benchmark(work: Path, split: Path, checkouts: Path, name: str) -> None:
    """Read annotated repositories, to score on while training."""
    from codeintel_ls.embedding.training.checkouts import read_benchmark
    from codeintel_ls.embedding.training.questions import save_questions

    corpus, questions = read_benchmark(split, checkouts)
    folder = work / "packed" / f"benchmark-{name}"
    save_corpus(corpus, folder)
    save_questions(questions, folder / "questions.json")
    hit = sum(bool(target) for each in questions for target in each.targets)
    click.echo(f"{len(corpus.packages)} chunks, {len(questions)} questions, {hit} targets found")


@main.command("pack")
@click.argument("work", type=_FOLDER)
@click.option("--records", type=_FILE, multiple=True, required=True)
@click.option("--minilm", type=_FOLDER, required=True, help="the teacher as published")
@click.option("--without", type=_FILE, help="registry/name of packages to leave out, one a line")
@click.option("--part", default=56, help="MiB of a part, for carrying it")
def pack(
    work: Path, records: tuple[Path, ...], minilm: Path, without: Path | None, part: int
) -> None:
    """Turn records into arrays, train the tokenizer and write it all in parts."""
    from codeintel_ls.embedding.training import packing
    from codeintel_ls.embedding.training.pairs import OPENINGS

    builder = CorpusBuilder()
    left_out = frozenset(without.read_text("utf-8").split() if without else ())
    for taken in read_records(records, builder, left_out):
        click.echo(f"{taken} records")
    folder = work / "packed"
    corpus = pruned(builder.build(), [word for words in OPENINGS for word in words])
    teacher = packing.load_teacher_tokenizer(minilm)
    table = packing.table_tokenizer(corpus, teacher, folder)
    tokenizers = {packing.TEACHER: teacher, packing.TABLE: table}
    packing.tokenize_corpus(corpus, folder / "corpus", tokenizers)
    for bench in folder.glob("benchmark-*"):
        packing.tokenize_corpus(load_corpus(bench), bench, tokenizers)
    packing.halve_teacher(minilm, folder / "minilm")
    click.echo(
        f"{len(corpus.packages)} records, {len(corpus.answers)} questions,"
        f" {len(corpus.vocabulary)} words, {corpus.words.size} in all"
    )
    for path in packing.write_parts(folder, work / "parts", part * 2**20):
        click.echo(f"{path.name}: {path.stat().st_size / 2**20:.1f} MiB")


@main.command("train")
@click.argument("work", type=_FOLDER)
@click.option("--out", type=_FOLDER, required=True)
@click.option("--parts", type=_FOLDER, help="unpack these first")
@click.option("--teacher-seconds", default=200.0)
@click.option("--table-seconds", default=25.0)
@click.option("--teacher-batch", default=2_048)
@click.option("--table-batch", default=4_096)
@click.option("--teacher-rate", default=1e-4)
@click.option("--taught", type=_FILE, help="a teacher's weights to go on from")
@click.option("--held-out", default=80, help="packages to score on")
def train(
    work: Path,
    out: Path,
    parts: Path | None,
    teacher_seconds: float,
    table_seconds: float,
    teacher_batch: int,
    table_batch: int,
    teacher_rate: float,
    taught: Path | None,
    held_out: int,
) -> None:
    """Train the teacher and the tables, on an accelerator where there is one."""
    import torch

    from codeintel_ls.embedding.training import packing, session

    if parts is not None:
        packing.read_parts(sorted(parts.glob("part*.tar")), work / "packed")
    out.mkdir(parents=True, exist_ok=True)
    plan = session.Plan(
        teacher_seconds=teacher_seconds,
        table_seconds=table_seconds,
        teacher_batch=teacher_batch,
        table_batch=table_batch,
        teacher_rate=teacher_rate,
        taught=taught,
        held_out=held_out,
    )
    device = "cuda" if torch.cuda.is_available() else "cpu"
    session.Session(work / "packed", out, plan, device).run()


@main.command("export")
@click.argument("work", type=_FOLDER)
@click.option("--table", type=_FILE, help="a table's .npz")
@click.option("--teacher", type=_FILE, help="teacher.safetensors")
@click.option("--mix", default=1.0, help="the share of the taught weights; the rest as published")
@click.option("--out", type=_FOLDER, required=True)
@click.option("--name", required=True, help="the version that the folders are named by")
def export(
    work: Path, table: Path | None, teacher: Path | None, mix: float, out: Path, name: str
) -> None:
    """Write what is shipped."""
    import numpy as np

    from codeintel_ls.embedding.training.export import write_onnx, write_static
    from codeintel_ls.embedding.training.transformer import load_mixed

    packed = work / "packed"
    if table is not None:
        with np.load(table) as kept:
            tokenizer = packed / "table-tokenizer.json"
            write_static(kept["levels"], kept["scales"], tokenizer, out / "static", name)
    if teacher is not None:
        encoder = load_mixed(packed / "minilm", teacher, mix)
        write_onnx(encoder, packed / "minilm" / "tokenizer.json", out / "deep", name)


if __name__ == "__main__":
    main()
