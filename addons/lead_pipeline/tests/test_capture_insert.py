# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from unittest.mock import patch

from odoo.tests import freeze_time

from ..models.capture.lead_capture_insert import LeadCaptureInsert
from .common import NOW, LeadPipelineCase

PEOPLE = [
    {"email": "lena.vogt@example.com", "phone": "0151 23456789", "country": "DE"},
    {"email": "amélie@exämple.com", "phone": "+33 6 12 34 56 78", "country": "FR"},
    {"email": "minh.khai@gmail.com", "phone": "+84 912 345 678", "lang": "vi"},
    {"email": "", "phone": "+20 10 0123 4567", "name": "ليلى حسن", "country": "EG"},
    {"email": "no address at all", "phone": "0151 23456788", "country": "DE"},
    {"email": "ines@example.pt", "phone": "12", "country": "PT"},
    {"email": "joe@example.com", "state": "California", "country": "US"},
    {"email": "known@partner.example", "phone": ""},
    {"email": "wei@example.cn", "phone": "call me: 555-twelve", "country": "CN"},
    {"email": "two@example.com, three@example.com", "phone": "0151 23456787"},
]


@freeze_time(NOW)
class TestCaptureInsert(LeadPipelineCase):
    """What is computed once for many is what core computes for each."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.env["res.partner"].create(
            {"name": "Known", "email": "known@partner.example", "street2": "2nd floor"}
        )
        team = cls.env["crm.team"].create({"name": "Web", "company_id": False})
        cls.form.write({"team_id": team.id, "user_id": cls.salesman.id})
        stage = cls.env["crm.lead"]._stage_find(team_id=team.id).id
        email_states = [("correct", 30, 5), ("incorrect", 2, 40)]
        cls.env["crm.lead.scoring.frequency"].create(
            [
                {
                    "variable": variable,
                    "value": value,
                    "won_count": won,
                    "lost_count": lost,
                    "team_id": team_id,
                }
                for variable, value, won, lost in [
                    ("stage_id", str(stage), 50, 60),
                    *(("email_state", *row) for row in email_states),
                    ("country_id", str(cls.env.ref("base.de").id), 20, 3),
                ]
                for team_id in (False, team.id)
            ]
        )

    def ingest_people(self, times=8):
        """Eight times as many people as above, by two channels.

        :return: (their leads, the values core was given of each)
        """
        given = []
        insert = LeadCaptureInsert._insert

        def spy(this, vals_list):
            given.extend(dict(vals) for vals in vals_list)
            return insert(this, vals_list)

        items = []
        for number in range(times * len(PEOPLE)):
            contact = {"name": f"Person {number}", **PEOPLE[number % len(PEOPLE)]}
            email, phone = contact["email"], contact.get("phone", "")
            if phone[-3:].isdigit():
                contact["phone"] = f"{phone[:-3]}{number:03}"
            contact["email"] = email.replace("@", f".{number}@")
            channel = ("t-meta", "t-form")[number // len(PEOPLE) % 2]
            items.append(self.item(str(number), channel, contact=contact))
        with patch.object(LeadCaptureInsert, "_insert", spy):
            results = self.ingest(*items)
        self.assertEqual({result["status"] for result in results}, {"created"})
        ids = [result["lead_id"] for result in results]
        return self.env["crm.lead"].browse(ids), given

    def test_the_same_as_core_computes(self):
        leads, given = self.ingest_people()
        names = {
            name
            for name, field in leads._fields.items()
            if field.store and field.compute and field.column_type
        }
        shortcuts = {"phone_sanitized", "phone_state", "email_state"}
        shortcuts |= {"email_normalized", "email_domain_criterion"}
        for vals in given:
            for name in shortcuts:
                vals.pop(name, None)
        twins = self.env["lead.capture.leads"]._quiet().create(given)
        self.env.flush_all()
        self.env.invalidate_all()
        for lead, twin in zip(leads, twins, strict=True):
            for name in sorted(names):
                with self.subTest(field=name, email=lead.email_from, phone=lead.phone):
                    self.assertEqual(lead[name], twin[name])
        self.assertGreater(len(set(leads.mapped("probability"))), 2)
        self.assertEqual(
            set(leads.mapped("phone_state")), {"correct", "incorrect", False}
        )

    def test_a_lead_is_written_once(self):
        statements = []
        execute = type(self.env.cr).execute

        def spy(this, query, *args, **kwargs):
            statements.append(getattr(query, "code", query))
            return execute(this, query, *args, **kwargs)

        people = [PEOPLE[0], PEOPLE[2], PEOPLE[3]]
        with (
            patch(f"{__name__}.PEOPLE", people),
            patch.object(type(self.env.cr), "execute", spy),
        ):
            self.ingest_people(times=20)
        written = [s for s in statements if s.startswith('UPDATE "crm_lead"')]
        self.assertFalse(written)

    def test_a_field_of_another_addon_is_computed_for_each(self):
        """One that reads what differs from person to person."""
        Lead = self.env.registry["crm.lead"]
        field = Lead._fields["won_status"]
        depends = self.env.registry.field_depends
        calls = []
        compute = Lead._compute_won_status

        def by_name(leads):
            calls.append(len(leads))
            return compute(leads)

        before = depends[field]
        self.addCleanup(depends.__setitem__, field, before)
        depends[field] = (*before, "contact_name")
        with patch.object(Lead, "_compute_won_status", by_name):
            self.ingest_people(times=2)
        self.assertEqual(max(calls), 2 * len(PEOPLE))
