# SPDX-License-Identifier: LGPL-3.0-or-later
"""A model made by *points from history* on half of a real history, tried on the rest.

All through the real thing: the history comes in by ``ingest``, the wizard proposes the
points and is accepted, the backtest wizard measures. Beside it, in the same halves, a
logistic regression of scikit-learn on the same columns. Then the model is activated and
its AUC computed once more, by scikit-learn, from the scores on the leads.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path
from typing import Any

import history
import numpy
from history import Past
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from support import Stopwatch, report

import lab

CRITERIA: list[dict[str, Any]] = [
    {"name": "Origin", "source": "field", "field": "channel_id"},
    {"name": "Source", "source": "field", "field": "source_id"},
    {"name": "Specialization", "source": "answer", "answer_key": "specialization"},
    {"name": "Occupation", "source": "answer", "answer_key": "occupation"},
    {"name": "Visits", "source": "field", "field": "visit_count"},
    {"name": "Pages", "source": "field", "field": "page_count"},
    {"name": "Time on site", "source": "field", "field": "site_seconds"},
]


def reference(train: list[Past], test: list[Past]) -> float:
    """The AUC of a logistic regression on all columns."""

    def table(rows: list[Past]) -> Any:
        words = [[r.origin, r.source, r.specialization, r.occupation] for r in rows]
        numbers = [
            [
                numpy.nan if number is None else number
                for number in (row.visits, row.seconds, row.pages)
            ]
            for row in rows
        ]
        return numpy.hstack(
            [numpy.array(words, dtype=object), numpy.array(numbers, dtype=object)]
        )

    model = make_pipeline(
        make_column_transformer(
            (OneHotEncoder(handle_unknown="ignore"), [0, 1, 2, 3]),
            (
                make_pipeline(
                    SimpleImputer(strategy="median", add_indicator=True),
                    StandardScaler(),
                ),
                [4, 5, 6],
            ),
        ),
        LogisticRegression(max_iter=2000),
    )
    model.fit(table(train), [row.won for row in train])
    chances = model.predict_proba(table(test))[:, 1]
    return float(roc_auc_score([row.won for row in test], chances))


def make_draft(rpc: Any) -> int:
    """A draft of criteria without options: the wizard finds those."""
    fields = rpc.env["ir.model.fields"]
    commands = []
    for criterion in CRITERIA:
        vals = {key: value for key, value in criterion.items() if key != "field"}
        if "field" in criterion:
            [vals["field_id"]] = fields.search(
                [("model", "=", "crm.lead"), ("name", "=", criterion["field"])]
            )
        commands.append((0, 0, vals))
    # no lines of engagement: the history has no dates
    return int(
        rpc.env["lead.score.model"].create(
            {"name": "Courses", "criterion_ids": commands, "ready_engagement": 0}
        )
    )


def run_wizard(rpc: Any, name: str, action: str, **vals: Any) -> Any:
    """Make a wizard and press its button; returns its id."""
    wizard = rpc.env[name].create({"date_basis": "created", **vals})
    rpc.env[name].browse([wizard])
    rpc.execute(name, action, [wizard])
    return wizard


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=history.DATA)
    parser.add_argument("--seed", type=int, default=0, help="which half is which")
    parser.add_argument("--keep", action="store_true", help="leave the database")
    options = parser.parse_args()
    past = history.read(options.data)
    random.Random(options.seed).shuffle(past)
    train, test = past[: len(past) // 2], past[len(past) // 2 :]
    auc_reference = reference(train, test)

    database = "bench_backtest"
    with lab.Lab() as it:
        it.database(database, demo=False)
        try:
            key = history.prepare(it, database, past)
            with it.odoo(database) as odoo:
                with Stopwatch() as watch:
                    history.bring_in(it, odoo, key, past)
                print(f"{len(past)} leads brought in: {watch.seconds:.0f} s")
                rpc = odoo.session("admin")
                figures = measure(it, rpc, database, train, test)
        finally:
            if not options.keep:
                it.drop(database)
    print(f"logistic regression        {auc_reference:.4f}")
    report(
        name="backtest",
        auc=round(figures["auc"], 4),
        auc_reference=round(auc_reference, 4),
        n=figures["n"],
        auc_of_scores=round(figures["auc_of_scores"], 4),
        auc_odoo=figures["auc_odoo"],
        seconds=round(figures["seconds"], 1),
    )


def measure(
    it: lab.Lab, rpc: Any, database: str, train: list[Past], test: list[Past]
) -> dict[str, Any]:
    submissions = rpc.env["lead.submission"].search_read(
        [("lead_id", "!=", False)], ["external_id", "lead_id"]
    )
    lead_of = {row["external_id"]: row["lead_id"][0] for row in submissions}

    def only(half: list[Past]) -> str:
        return repr([("id", "in", [lead_of[one.ident] for one in half])])

    draft = make_draft(rpc)
    with Stopwatch() as watch:
        points = run_wizard(
            rpc,
            "lead.score.points",
            "action_propose",
            model_id=draft,
            domain=only(train),
        )
    print(f"points proposed            {watch.seconds:.1f} s")
    rpc.execute("lead.score.points", "action_accept", [points])
    for line in rpc.env["lead.score.criterion"].search_read(
        [("model_id", "=", draft)], ["name", "weight", "option_ids"]
    ):
        print(
            f"  {line['name']:16} weight {line['weight']:.2f},"
            f" {len(line['option_ids'])} options"
        )
    with Stopwatch() as watch:
        trial = run_wizard(
            rpc, "lead.score.backtest", "action_run", model_id=draft, domain=only(test)
        )
    [row] = rpc.execute("lead.score.backtest", "read", [trial], ["result"])
    scores = {score["key"]: score for score in row["result"]["scores"]}
    for score in scores.values():
        auc = score["auc"]
        print(
            f"{score['label']:40} {auc['value']:.4f} ({auc['low']:.3f} to"
            f" {auc['high']:.3f})"
        )
    # the scores that are shown, once the model is in use
    rpc.execute("lead.score.model", "action_activate", [draft])
    it.shell(database, 'env["lead.score.model"]._cron_rescore()\nenv.cr.commit()')
    leads = rpc.execute(
        "crm.lead", "read", [lead_of[one.ident] for one in test], ["quality_score"]
    )
    shown = {lead["id"]: lead["quality_score"] for lead in leads}
    return {
        "auc": scores["model"]["auc"]["value"],
        "n": scores["model"]["leads"],
        "seconds": watch.seconds,
        "auc_odoo": round(scores["odoo"]["auc"]["value"], 4)
        if "odoo" in scores
        else None,
        "auc_of_scores": float(
            roc_auc_score(
                [one.won for one in test], [shown[lead_of[one.ident]] for one in test]
            )
        ),
    }


if __name__ == "__main__":
    main()
