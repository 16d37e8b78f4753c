# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo.exceptions import AccessError, ValidationError
from odoo.tests import freeze_time

from .common import NOW, LeadPipelineCase


@freeze_time(NOW)
class TestTouchpoints(LeadPipelineCase):
    """Calls, clicks and visits by external id."""

    def touch(self, external_id="c1", **values):
        return {
            "channel": "t-meta",
            "external_id": external_id,
            "kind": "call_in",
            "at": "2026-11-20T09:30:00Z",
            "contact": {"email": "lena.vogt@example.com"},
            **values,
        }

    def ingest_touchpoints(self, *touchpoints):
        return self.submissions.ingest_touchpoints(list(touchpoints))

    def test_found_by_person_or_by_submission(self):
        result, lead = self.ingest_one()
        rows = self.ingest_touchpoints(
            self.touch("c1", duration=95, title="Asked for the price"),
            self.touch(
                "c2", contact={}, submission="1", kind="page_view", url="/price"
            ),
            self.touch("c3", contact={"email": "nobody@example.com"}),
        )
        self.assertEqual(
            [row["status"] for row in rows], ["created", "created", "unmatched"]
        )
        self.assertEqual(rows[0]["lead_id"], result["lead_id"])
        call = lead.touchpoint_ids.filtered(lambda touch: touch.kind == "call_in")
        self.assertEqual((call.duration, call.title), (95, "Asked for the price"))

    def test_twice_is_once(self):
        self.ingest_one()
        [first] = self.ingest_touchpoints(self.touch())
        again = self.ingest_touchpoints(
            self.touch(), self.touch("c2"), self.touch("c2")
        )
        self.assertEqual(
            [row["status"] for row in again], ["duplicate", "created", "refused"]
        )
        self.assertEqual(again[0]["touchpoint_id"], first["touchpoint_id"])

    def test_an_id_of_a_submission_is_no_id_of_a_call(self):
        self.ingest_one("same")
        [row] = self.ingest_touchpoints(self.touch("same"))
        self.assertEqual(row["status"], "created")

    def test_garbage_is_refused_with_a_reason(self):
        rows = self.ingest_touchpoints(
            None,
            5,
            {},
            self.touch(kind="teleport"),
            self.touch(at="soon"),
            self.touch(channel="none"),
            self.touch("n", duration="long", direction="sideways", human="no"),
        )
        self.assertEqual(
            [row["status"] for row in rows], ["refused"] * 6 + ["unmatched"]
        )
        self.assertTrue(all(row["reason"] for row in rows[:6]))
        with self.assertRaises(ValidationError):
            self.submissions.ingest_touchpoints("x")
        with self.assertRaises(AccessError):
            self.env["lead.submission"].with_user(self.salesman).ingest_touchpoints([])

    def test_first_response_is_of_people_only(self):
        _result, lead = self.ingest_one()
        self.ingest_touchpoints(
            self.touch("a", kind="email_sent", human=False),
            self.touch("b", kind="call_in"),
        )
        self.assertFalse(lead.date_first_response)
        self.ingest_touchpoints(
            self.touch("c", kind="call_out", at="2026-11-20T09:50:00Z"),
            self.touch("d", kind="call_out", at="2026-11-20T09:40:00Z"),
        )
        self.assertEqual(str(lead.date_first_response), "2026-11-20 09:40:00")

    def test_timeline_is_short_and_newest_first(self):
        _result, lead = self.ingest_one()
        self.env["lead.touchpoint"].create(
            [
                {
                    "lead_id": lead.id,
                    "kind": "page_view",
                    "at": f"2026-11-{day:02d} 08:00:00",
                    "title": f"page {number}",
                }
                for day in range(1, 20)
                for number in range(10)
            ]
        )
        lead.invalidate_recordset()
        self.assertEqual(len(lead.timeline_ids), 50)
        self.assertEqual(lead.timeline_ids[0].kind, "form_submit")
        times = lead.timeline_ids.mapped("at")
        self.assertEqual(times, sorted(times, reverse=True))
        self.assertEqual(lead.touchpoint_count, 191)

    def test_a_hundred_touchpoints_cost_as_many_queries_as_ten(self):
        self.ingest(
            *(
                self.item(str(n), contact={"email": f"t{n}@example.com"})
                for n in range(100)
            )
        )

        def queries(start, number):
            touches = [
                self.touch(f"{start}-{n}", contact={"email": f"t{n}@example.com"})
                for n in range(number)
            ]
            self.env.flush_all()
            self.env.invalidate_all()
            before = self.env.cr.sql_log_count
            rows = self.ingest_touchpoints(*touches)
            self.env.flush_all()
            self.assertEqual({row["status"] for row in rows}, {"created"})
            return self.env.cr.sql_log_count - before

        queries("warm", 5)
        self.assertLessEqual(queries("many", 100), queries("few", 10) + 5)
