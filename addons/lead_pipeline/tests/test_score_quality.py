# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo.exceptions import ValidationError
from odoo.tests import freeze_time

from .common import NOW
from .common_score import LeadScoreCase


@freeze_time(NOW)
class TestScoreQuality(LeadScoreCase):
    def test_a_new_lead_is_scored_at_once(self):
        lead = self.new_lead(function="CEO", country_id=self.env.ref("base.de").id)
        self.assertEqual(lead.score_model_id, self.model)
        self.assertEqual(lead.quality_score, 100)
        self.assertEqual(lead.lead_grade, "A4")
        other = self.new_lead(function="Head of Sales")
        self.assertEqual(other.quality_score, 50)
        self.assertEqual(other.lead_grade, "B4")
        self.assertEqual(self.new_lead().lead_grade, "D4")

    def test_the_first_option_that_holds_counts(self):
        lead = self.new_lead(function="CEO and sales intern")
        self.assertEqual(lead.quality_score, 75)
        # a word, not a part of one
        self.assertEqual(self.new_lead(function="CEOffice sales").quality_score, 50)

    def test_negative_points_stop_at_zero(self):
        lead = self.new_lead(function="Intern")
        self.assertEqual(lead.quality_score, 0)
        explained = self.shown(lead)
        self.assertEqual(explained["quality"]["parts"][0]["shown"], -25)
        self.assertEqual(explained["quality"]["limit"], 25)

    def test_a_write_scores_again(self):
        lead = self.new_lead()
        lead.function = "CEO"
        self.assertEqual(lead.quality_score, 75)
        lead.country_id = self.env.ref("base.vn")
        self.assertEqual(lead.quality_score, 82.5)
        lead.write({"function": False, "country_id": False})
        self.assertEqual(lead.quality_score, 0)

    def test_a_field_that_no_criterion_reads_costs_nothing(self):
        lead = self.new_lead(function="CEO")
        self.env.flush_all()
        lead.description = "<p>Asks for a demo</p>"
        before = self.row_version(lead)
        self.env["lead.scoring"]._rescore(lead)
        self.assertEqual(self.row_version(lead), before, "nothing changed: no write")

    def test_an_owner_costs_nothing_where_no_model_is_of_one_company(self):
        """An owner may change the company of a lead, and nothing else of this."""
        self.assertNotIn("user_id", self.env["crm.lead"]._scored_fields())
        self.new_model(company_id=self.company.id).action_activate()
        self.assertIn("user_id", self.env["crm.lead"]._scored_fields())

    def row_version(self, lead):
        self.end_transaction()
        self.env.cr.execute("SELECT ctid FROM lead_score WHERE lead_id = %s", [lead.id])
        return self.env.cr.fetchone()

    def activate_with(self, *criteria):
        model = self.new_model(criterion_ids=list(criteria), sequence=1)
        model.action_activate()
        return model

    def test_a_computed_field_of_the_lead(self):
        # email_domain_criterion is computed from the address, and stored
        self.activate_with(
            self.new_criterion(
                "email_domain_criterion", ("equals", "@nordlicht.example", 10)
            )
        )
        lead = self.new_lead(email_from="somchai@siam.example")
        self.assertEqual(lead.quality_score, 0)
        lead.email_from = "somchai@nordlicht.example"
        self.assertEqual(lead.quality_score, 100)

    def test_a_field_computed_from_the_customer(self):
        """The lead's own country and city follow its customer's without a write to
        the lead."""
        self.activate_with(self.new_criterion("email_from", ("contains", "gmail", 10)))
        partner = self.env["res.partner"].create(
            {"name": "Fatima Zahra", "email": "fatima@zahra.example"}
        )
        lead = self.new_lead(partner_id=partner.id)
        self.assertEqual(lead.quality_score, 0)
        partner.email = "fatima@gmail.example"
        self.env.cr.flush()
        self.assertEqual(lead.quality_score, 100)

    def test_conditions_on_the_customer(self):
        self.activate_with(
            (
                0,
                0,
                {
                    "name": "Customer's tags",
                    "source": "domain",
                    "option_ids": [
                        (
                            0,
                            0,
                            {
                                "name": "VIP",
                                "domain": "[('partner_id.category_id.name','=','VIP')]",
                            },
                        )
                    ],
                },
            )
        )
        vip = self.env["res.partner.category"].create({"name": "VIP"})
        partner = self.env["res.partner"].create({"name": "Wang Fang"})
        lead = self.new_lead(partner_id=partner.id)
        self.assertEqual(lead.quality_score, 0)
        partner.category_id = vip
        self.assertEqual(lead.quality_score, 100)

    def conditions(self, domain):
        option = {"name": "Holds", "domain": domain}
        return (
            0,
            0,
            {
                "name": "Conditions",
                "source": "domain",
                "option_ids": [(0, 0, option)],
            },
        )

    def test_conditions_on_the_customer_in_one_piece(self):
        self.activate_with(self.conditions("[('partner_id','any',[('ref','=','A')])]"))
        partner = self.env["res.partner"].create({"name": "Wang Fang"})
        lead = self.new_lead(partner_id=partner.id)
        self.assertEqual(lead.quality_score, 0)
        partner.ref = "A"
        self.assertEqual(lead.quality_score, 100)

    def test_conditions_on_the_company_of_the_customer(self):
        self.activate_with(
            self.conditions("[('partner_id.commercial_partner_id.ref', '=', 'A')]")
        )
        company, partner = self.env["res.partner"].create(
            [{"name": "Nordlicht", "is_company": True}, {"name": "Lena Vogt"}]
        )
        partner.parent_id = company
        lead = self.new_lead(partner_id=partner.id)
        self.assertEqual(lead.quality_score, 0)
        company.ref = "A"
        self.assertEqual(lead.quality_score, 100)

    def qualities(self, field, option, *values):
        """The quality of a lead with each of these values, by this option alone."""
        self.env["lead.score.model"]._in_use().write({"state": "archived"})
        self.activate_with(self.new_criterion(field, (*option, 10)))
        return [self.new_lead(**{field: value}).quality_score for value in values]

    def test_whole_numbers_are_not_cut(self):
        self.assertEqual(
            self.qualities("color", ("between", "2.5..4.5"), 2, 3, 4, 5),
            [0, 100, 100, 0],
        )
        self.assertEqual(self.qualities("color", ("in", "2.5, 3"), 2, 3), [0, 100])
        self.assertEqual(self.qualities("color", ("between", "..0"), 0, 1), [100, 0])

    def test_postcodes_are_numbers(self):
        found = self.qualities(
            "zip", ("between", "9000..24999"), "9000", "24999", "100", "x", False, "٣"
        )
        self.assertEqual(found, [100, 100, 0, 0, 0, 0])
        lead = self.new_lead()
        lead.zip = " 24103 "
        self.assertEqual(lead.quality_score, 100)
        domain = self.env["lead.score.model"]._in_use()[0].criterion_ids.option_ids
        self.assertTrue(lead.filtered_domain(domain._lead_domain()))

    def test_words_stand_between_signs_as_well(self):
        held = ("CEO", "Founder/CEO", "ceo, founder", "(CEO)", "Ex-CEO", "x\nCEO")
        found = self.qualities("function", ("word", "ceo"), *held)
        self.assertEqual(found, [100] * len(held))
        others = ("CEOs", "Oceonics", False, "c-e-o", "%ceo2")
        found = self.qualities("function", ("word", "CEO"), *others)
        self.assertEqual(found, [0] * len(others))
        found = self.qualities(
            "function", ("word", "R&D"), "Head of R & D", "R&D", "RD", "R&Direct"
        )
        self.assertEqual(found, [100, 100, 0, 0])
        lead = self.new_lead(function="Leiter, R&D")
        option = self.env["lead.score.model"]._in_use().criterion_ids.option_ids
        self.assertTrue(lead.filtered_domain(option._lead_domain()))

    def test_a_question_as_long_as_a_consent(self):
        question = "May we call you about our offers? " * 20
        criterion = {
            "name": "Consent",
            "source": "answer",
            "answer_key": question,
            "option_ids": self.new_options(("equals", "yes", 10)),
        }
        self.activate_with((0, 0, criterion))
        answers = [{"key": "q7", "label": question, "value": "Yes"}]
        _result, lead = self.ingest_one("1", answers=answers)
        self.assertEqual(lead.quality_score, 100)

    def test_words_of_answers(self):
        criterion = {
            "name": "Aim",
            "source": "answer",
            "answer_key": "aim",
            "option_ids": self.new_options(("word", "Öl", 10)),
        }
        self.activate_with((0, 0, criterion))
        for number, (value, score) in enumerate(
            (("Gas/Öl", 100), ("Kohl", 0), ("OL.", 100), ("Ölig", 0))
        ):
            answers = [{"key": "aim", "label": "Aim", "value": value}]
            email = f"lead{number}@siam.example"
            _result, lead = self.ingest_one(str(number), answers=answers, email=email)
            self.assertEqual(lead.quality_score, score, value)

    def test_selections_by_what_people_see(self):
        for value in ("2, 3", "HIGH, very high", "3, High"):
            found = self.qualities("priority", ("in", value), "0", "1", "2", "3")
            self.assertEqual(found, [0, 0, 100, 100], value)
        found = self.qualities("active", ("equals", "No"), True, False)
        self.assertEqual(found, [0, 100])

    def test_a_wide_percent_sign_is_no_pattern(self):
        self.activate_with(
            (
                0,
                0,
                {
                    "name": "Share",
                    "source": "answer",
                    "answer_key": "share",
                    "option_ids": self.new_options(("contains", "100％", 10)),
                },
            )
        )
        for number, (value, score) in enumerate((("100 or so", 0), ("all 100％", 100))):
            answers = [{"key": "share", "label": "Share", "value": value}]
            email = f"lead{number}@siam.example"
            _result, lead = self.ingest_one(str(number), answers=answers, email=email)
            self.assertEqual(lead.quality_score, score, value)

    def test_names_match_in_every_language(self):
        """Whoever causes the event, in whatever language they work."""
        self.env["res.lang"]._activate_lang("de_DE")
        germany = self.env.ref("base.de")
        germany.with_context(lang="de_DE").name = "Deutschland"
        for name in ("Germany", "deutschland", "DE"):
            self.activate_with(self.new_criterion("country_id", ("equals", name, 10)))
            for lang in ("en_US", "de_DE"):
                lead = self.new_lead(name=name)
                lead.with_context(lang=lang).country_id = germany
                self.assertEqual(lead.quality_score, 100, (name, lang))

    def test_answers_of_forms(self):
        self.activate_with(
            (
                0,
                0,
                {
                    "name": "Company size",
                    "source": "answer",
                    "answer_key": "Größe der Firma",
                    "option_ids": self.new_options(
                        ("between", "50..", 10), ("equals", "Über 1000", 8)
                    ),
                },
            )
        )

        def answered(external_id, value, **vals):
            answers = [{"key": "q1", "label": "Grösse der Firma ", "value": value}]
            answers[0]["label"] = "GRÖßE der  Firma"
            _result, lead = self.ingest_one(external_id, answers=answers, **vals)
            return lead.quality_score

        self.assertEqual(answered("1", "1,200"), 100)
        # the same person, later: the newest answer counts
        self.assertEqual(answered("2", "12"), 0)
        self.assertEqual(answered("3", "über 1000"), 80)

    def test_first_model_that_fits_by_sequence(self):
        partners = self.new_model(
            name="Partners", sequence=5, domain="[('function', 'ilike', 'partner')]"
        )
        french = self.new_model(
            name="France", sequence=1, company_id=self.other_company.id
        )
        (partners | french).mapped(lambda model: model.action_activate())
        self.assertEqual(self.new_lead().score_model_id, self.model)
        lead = self.new_lead(function="Partner manager")
        self.assertEqual(lead.score_model_id, partners)
        lead.company_id = self.other_company
        self.assertEqual(lead.score_model_id, french)
        lead.write({"company_id": self.company.id, "function": False})
        self.assertEqual(lead.score_model_id, self.model)
        partners.sequence = 20
        self.assertEqual(
            self.new_lead(function="Partner manager").score_model_id, self.model
        )

    def test_a_lead_that_fits_no_model(self):
        self.model.action_archive_model()
        self.activate_with(self.new_criterion("function", ("filled", False, 5)))
        self.env["lead.score.model"]._in_use().action_archive_model()
        lead = self.new_lead(function="CEO")
        self.touch(lead)
        self.assertFalse(lead.score_model_id)
        self.assertFalse(lead.lead_grade)
        self.assertEqual((lead.quality_score, lead.engagement_score), (0, 0))
        self.assertFalse(lead.explain_score()["model"])

    def test_a_condition_whose_field_is_gone_loses_no_lead(self):
        """An addon was removed, and a field with it."""
        option = self.model.criterion_ids[0].option_ids[0]
        self.model.criterion_ids[0].flush_recordset()
        self.env.cr.execute(
            "UPDATE lead_score_criterion SET source = 'domain' WHERE id = %s",
            [option.criterion_id.id],
        )
        self.env.cr.execute(
            "UPDATE lead_score_option SET domain = %s WHERE id = %s",
            ["[('x_gone', '=', 1)]", option.id],
        )
        self.env.invalidate_all()
        self.env.registry.clear_cache()
        with self.assertLogs(
            "odoo.addons.lead_pipeline.models.score.lead_scoring_quality", "ERROR"
        ):
            lead = self.new_lead(country_id=self.env.ref("base.de").id)
            self.assertEqual(lead.score_model_id, self.model)


@freeze_time(NOW)
class TestScoreRules(LeadScoreCase):
    """What a person may type into the editor of rules."""

    def refused(self, message, **vals):
        draft = self.model._new_version()
        with (
            self.assertRaisesRegex(ValidationError, message, msg=vals),
            self.cr.savepoint(),
        ):
            draft.write(vals)
            self.env.flush_all()

    def option(self, field, operator, value):
        return {"criterion_ids": [self.new_criterion(field, (operator, value, 5))]}

    def test_domains(self):
        for domain in (
            "no list",
            "[('no_such_field', '=', 1)]",
            "[('name', 'resembles', 'x')]",
            "[('name', '=')]",
            "__import__('os').system('id')",
            "[('name', '=', open('/etc/passwd').read())]",
            "[" * 500,
            "7",
            "\x00",
        ):
            self.refused("can't be used", domain=domain)
        self.refused("can't depend on a score", domain="[('sales_ready', '=', True)]")
        self.refused(
            "can't depend on a score",
            domain="[('partner_id.opportunity_ids.lead_grade', '=', 'A1')]",
        )
        self.refused(
            "can't depend on a score",
            domain="[('partner_id', 'any', [('opportunity_ids.lead_grade', '!=', 1)])]",
        )
        # nobody scores a lead again when it joins or leaves
        self.refused("can't depend on a segment", domain="[('segment_ids', '=', 1)]")
        self.refused(
            "can't depend on a segment", **self.option("segment_ids", "equals", "Hot")
        )
        for domain in ("x", "[('lead_id', 'oops', 1)]"):
            activity = {"name": "x", "kind": "sms", "domain": domain}
            self.refused("can't be used", activity_ids=[(0, 0, activity)])

    def test_values(self):
        for value in ("", False, " , ,", "10-50", "..", "a..b", "10..b", "1...5"):
            self.refused("no range", **self.option("color", "between", value))
        self.refused("nothing to compare", **self.option("function", "equals", " "))
        self.refused("nothing to compare", **self.option("function", "word", "/"))
        self.refused("no number", **self.option("color", "equals", "green"))
        self.refused("no number that", **self.option("country_id", "between", "1..9"))
        self.refused("no value of", **self.option("priority", "in", "High, Urgent"))
        self.refused("no value of", **self.option("active", "equals", "perhaps"))
        missing = {"name": "x", "source": "answer", "answer_key": " "}
        self.refused("looks at", criterion_ids=[(0, 0, missing)])

    def test_numbers(self):
        for name, value in (
            ("half_life", 0),
            ("half_life", -3),
            ("half_life", float("nan")),
            ("half_life", 1e300),
        ):
            self.refused("half-life", **{name: value})
        for name, value in (
            ("quality_a", 10),
            ("quality_a", float("inf")),
            ("engagement_3", -1),
            ("ready_engagement", -1),
            ("ready_quality", float("nan")),
        ):
            self.refused("grades", **{name: value})
        for number in (float("nan"), float("inf"), 1e308):
            criterion = self.new_criterion("city", ("filled", False, number))
            self.refused("million points", criterion_ids=[criterion])
            criterion = self.new_criterion("city", weight=number)
            self.refused("weight of", criterion_ids=[criterion])
        for vals in (
            {"points": float("nan")},
            {"points": -1e9},
            {"capped": True, "cap": -1},
            {"window_days": 0},
            {"window_days": 1e300},
        ):
            activity = {"name": "Chat", "kind": "chat", **vals}
            self.refused("Chat", activity_ids=[(0, 0, activity)])

    def test_odd_values_that_are_fine(self):
        """They hold for those leads that say so, and harm nothing."""
        odd = (
            "'; DROP TABLE crm_lead; --",
            "100%_\\",
            "Giám đốc 总经理 مدير",
            "%s %(x)s {0}",
            "a" * 5000,
        )
        for value in odd:
            model = self.new_model(
                sequence=0,
                criterion_ids=[self.new_criterion("function", ("contains", value, 5))],
            )
            model.action_activate()
            self.assertEqual(self.new_lead(function=f"x {value} y").quality_score, 100)
            self.assertEqual(self.new_lead(function="x y").quality_score, 0, value)
            model.sudo().write({"state": "archived"})
        huge = ", ".join(str(number) for number in range(5000))
        self.model._new_version().write(self.option("color", "in", huge))
        self.model._new_version().write(self.option("color", "in", "1e300"))
