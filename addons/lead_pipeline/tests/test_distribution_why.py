# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from datetime import datetime

from freezegun import freeze_time

from odoo.exceptions import AccessError

from .common import NOW
from .common_distribution import DistributionCase

START = datetime.fromisoformat(NOW)


@freeze_time(NOW)
class TestDistributionWhy(DistributionCase):
    """Why somebody got a lead, in words, for whoever may see the lead."""

    def lead(self, **vals):
        vals = {"name": "Nguyễn Thị Mai", "user_id": False, **vals}
        return self.env["crm.lead"].create({"company_id": self.company.id, **vals})

    def decide(self, lead, user=None, **vals):
        """A decision in favour of a member, as distribution keeps it."""
        candidates = [
            {
                "member": member.id,
                "user": member.user_id.id,
                "reason": "chosen" if member.user_id == user else "away",
                **(
                    {"owed": 0.5, "after": 0.0}
                    if member.user_id == user
                    else {"until": "2026-11-23 07:00:00"}
                ),
            }
            for member in self.pool.member_ids
        ]
        return self.env["lead.assignment"].create(
            {
                "lead_id": lead.id,
                "event": "created",
                "reason": "only" if user else "away",
                "at": START,
                "rule_id": self.rule.id,
                "pool_id": self.pool.id,
                "user_id": user.id if user else False,
                "candidates": candidates,
                **vals,
            }
        )

    def test_every_candidate_has_one_reason_in_words(self):
        lead = self.lead(user_id=self.colleague.id)
        lead.assignment_id = self.decide(lead, self.colleague)
        why = lead.with_user(self.colleague).explain_assignments()
        self.assertFalse(why["waiting"])
        [decision] = why["decisions"]
        self.assertEqual(decision["user"]["name"], self.colleague.name)
        self.assertEqual(decision["reason"], "Nobody else was free")
        self.assertEqual(decision["rule"]["name"], "All the rest")
        self.assertTrue(decision["current"])
        said = [
            (one["name"], one["chosen"], one["text"], one["until"], one["owed"])
            for one in decision["candidates"]
        ]
        self.assertEqual(
            said,
            [
                (self.colleague.name, True, "Gets it", None, 0.5),
                (self.salesman.name, False, "Away", "2026-11-23 07:00:00", None),
            ],
        )

    def test_every_reason_of_the_engine_has_words(self):
        from ..engine import distribution, members

        reasons = {
            members.INACTIVE,
            members.EXCLUDED,
            members.STRANGER,
            members.SKILL,
            members.LANGUAGE,
            members.COUNTRY,
            distribution.CHOSEN,
            *distribution.METHODS,
            *members.CAPS,
            *members.ABSENCES,
        }
        words = self.env["lead.assignment"]._candidate_words()
        self.assertLessEqual(reasons, set(words))
        self.assertEqual(len(set(words.values())), len(words), "each says its own")

    def test_why_it_waits(self):
        lead = self.lead()
        lead.write({"waiting_since": NOW, "waiting_reason": "away"})
        self.decide(lead, until="2026-11-23 07:00:00")
        why = lead.with_user(self.manager).explain_assignments()
        self.assertEqual(why["waiting"]["reason"], "Everybody fit is away")
        [decision] = why["decisions"]
        self.assertFalse(decision["user"])
        self.assertEqual(decision["until"], "2026-11-23 07:00:00")

    def test_newest_first(self):
        lead = self.lead(user_id=self.salesman.id)
        self.decide(lead, self.colleague, rejected_at=NOW, ended_at=NOW)
        last = self.decide(lead, self.salesman, at="2026-11-20 11:00:00")
        decisions = lead.with_user(self.salesman).explain_assignments()["decisions"]
        self.assertEqual(len(decisions), 2)
        self.assertEqual(decisions[0]["id"], last.id)
        self.assertTrue(decisions[1]["rejected_at"])

    def test_not_of_leads_one_may_not_see(self):
        lead = self.lead(user_id=self.colleague.id)
        decision = self.decide(lead, self.colleague)
        with self.assertRaises(AccessError):
            lead.with_user(self.salesman).explain_assignments()
        with self.assertRaises(AccessError):
            decision.with_user(self.salesman).explain()
        with self.assertRaises(AccessError):
            lead.with_user(self.connector).explain_assignments()

    def test_people_who_left(self):
        lead = self.lead(user_id=self.colleague.id)
        decision = self.decide(lead, self.colleague)
        decision.candidates = [{"member": 0, "user": 0, "reason": "away"}]
        [one] = decision.with_user(self.manager).explain()[0]["candidates"]
        self.assertEqual(one["name"], "Deleted user")
