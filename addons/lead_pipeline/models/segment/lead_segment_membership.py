# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from dataclasses import dataclass, field
from datetime import timedelta

from odoo import api, fields, models
from odoo.tools import SQL

from ...tools import without_jit

#: where the cursor keeps what has changed and was not looked at yet, and who moved
PENDING = "lead_pipeline.segments"
MOVED = "lead_pipeline.segment_moves"
#: leads looked at when a segment is saved; the job does the rest
FIRST_BATCH = 5000
BATCH = 2000
#: how often a segment is looked through that changes without events
DRIFT = timedelta(hours=1)


@dataclass(slots=True)
class Pending:
    """What has changed and was not looked at yet, by ids."""

    segments: set = field(default_factory=set)
    leads: set = field(default_factory=set)
    behaved: set = field(default_factory=set)  # leads with touchpoints that matter


class LeadSegment(models.Model):
    """Keeping membership: events tell which leads changed and what of them; before
    somebody reads membership, or the transaction ends, one statement finds for all
    segments that read it who joins and who leaves. What time alone does is found by
    ``check_at``."""

    _inherit = "lead.segment"

    def _on_join(self, leads):
        """These leads joined this segment, in the transaction that ends now. For
        others to extend."""

    def _on_leave(self, leads):
        """These leads left this segment, in the transaction that ends now. For
        others to extend."""

    # ------------------------------------------------------------
    # EVENTS
    # ------------------------------------------------------------

    @api.model
    def _notice(self, leads, names=None, kinds=frozenset(), touchpoints=None):
        """Leads changed: their segments follow. Costs no query in most cases.

        :param names: fields of the leads; None: whatever there is
        :param kinds: kinds of touchpoints that came, went or changed
        :param touchpoints: where nothing but these new ones came: a segment whose
            conditions none of them meets is not looked at, as that may mean to go
            through all that the lead ever did
        """
        lead_ids = set(filter(None, leads._ids))  # not those of a form's onchange
        watched_by = self._watched() if lead_ids else ()
        if not watched_by:
            return
        met = None
        precommit = self.env.cr.precommit
        if PENDING not in precommit.data:
            precommit.data[PENDING] = Pending()
            precommit.add(self.browse()._settle)
        pending = precommit.data[PENDING]
        for segment in watched_by:
            behaved = segment.kinds & kinds or (kinds and "" in segment.kinds)
            if behaved and touchpoints is not None:
                if met is None:
                    met = self._met_by(touchpoints)
                behaved = segment.id in met
            if names is None or behaved or not segment.reads.isdisjoint(names):
                pending.segments.add(segment.id)
                pending.leads |= lead_ids
            if behaved:
                pending.behaved |= lead_ids
        if pending.leads:
            # what is in the cache is membership of before
            segments = self.browse(pending.segments)
            segments.invalidate_recordset(["member_ids", "member_count"], flush=False)
            leads.sudo().invalidate_recordset(["segment_ids"], flush=False)

    @api.model
    def _settle(self):
        """Bring membership up to date with what has changed. Whoever reads it past
        the field of a lead calls this first."""
        # sudo: everybody's leads are members, whoever changed them
        segments = self.sudo()
        segments.env["lead.scoring"]._settle()
        pending = self.env.cr.precommit.data.pop(PENDING, None)
        if pending is None:
            return
        if pending.behaved:
            # Two contacts of a lead at the same moment: each transaction sees its own
            # alone. Both write to the lead, so that one of them is run again. A lead
            # that was made in this transaction has no other.
            self.env.cr.execute(
                "UPDATE crm_lead SET has_touchpoints = has_touchpoints"
                " WHERE id = ANY(%s)"
                "   AND create_date IS DISTINCT FROM now() AT TIME ZONE 'UTC'",
                [sorted(pending.behaved)],
            )
        there = {segment.id for segment in self._watched()}
        segments.browse(sorted(pending.segments & there))._refresh(pending.leads)

    @api.model
    def _met_by(self, touchpoints):
        """:return: ids of the segments with a condition that one of these meets"""
        touchpoints.flush_recordset(["kind", "url", "title"])
        self.env["lead.segment.condition"].flush_model(["segment_id", "kind", "text"])
        rows = self.env.execute_query(
            SQL(
                """
                SELECT DISTINCT condition.segment_id
                  FROM lead_segment_condition AS condition
                  JOIN lead_touchpoint AS touch
                    ON touch.kind = COALESCE(NULLIF(condition.kind, ''), touch.kind)
                   AND (
                        btrim(COALESCE(condition.text, '')) = ''
                        OR strpos(lower(touch.url), lower(btrim(condition.text))) > 0
                        OR strpos(lower(touch.title), lower(btrim(condition.text))) > 0
                   )
                 WHERE touch.id = ANY(%s)
                """,
                touchpoints.ids,
            )
        )
        return {segment_id for (segment_id,) in rows}

    # ------------------------------------------------------------
    # MEMBERSHIP
    # ------------------------------------------------------------

    def _refresh(self, lead_ids):
        """Who of these leads joins these segments, and who leaves: one statement.

        Hooks run when the transaction ends.

        :param lead_ids: any iterable of ids
        """
        if not self or not lead_ids:
            return
        now = fields.Datetime.now()
        self.env["lead.touchpoint"].flush_model()
        scoring = self.env["lead.scoring"]
        query = scoring._lead_query(list(lead_ids))
        definitions = [segment._definition() for segment in self]
        columns = [
            SQL(
                "CASE WHEN %s THEN %s END AS %s",
                scoring._condition(one.domain, query),
                one.until(now),
                SQL.identifier(f"until_{one.id}"),
            )
            for one in definitions
        ]
        found = query.select(SQL("crm_lead.id AS lead_id"), *columns)
        wishes = SQL(", ").join(
            SQL("(%s, state.%s)", segment.id, SQL.identifier(f"until_{segment.id}"))
            for segment in self
        )
        statement = SQL(
            """
            WITH state AS MATERIALIZED (%(found)s),
            wanted AS (
                SELECT state.lead_id, wish.segment_id, wish.until
                  FROM state CROSS JOIN LATERAL (VALUES %(wishes)s)
                    AS wish(segment_id, until)
            ), joined AS (
                INSERT INTO lead_segment_member
                       (segment_id, lead_id, since, check_at)
                SELECT segment_id, lead_id, %(now)s, NULLIF(until, 'infinity')
                  FROM wanted WHERE until IS NOT NULL
                    ON CONFLICT (segment_id, lead_id) DO NOTHING
             RETURNING segment_id, lead_id
            ), gone AS (
                DELETE FROM lead_segment_member AS member USING wanted
                 WHERE member.segment_id = wanted.segment_id
                   AND member.lead_id = wanted.lead_id AND until IS NULL
             RETURNING member.segment_id, member.lead_id
            ), kept AS (
                -- a later end is written only when it is looked for: one more
                -- touch of a member costs no write
                UPDATE lead_segment_member AS member
                   SET check_at = NULLIF(until, 'infinity')
                  FROM wanted
                 WHERE member.segment_id = wanted.segment_id
                   AND member.lead_id = wanted.lead_id
                   AND (until < COALESCE(check_at, 'infinity')
                     OR until > check_at AND check_at <= %(now)s)
            ), moved AS (
                SELECT *, 1 AS change, 'joined' AS direction FROM joined
                 UNION ALL
                SELECT *, -1, 'left' FROM gone
            ), logged AS (
                INSERT INTO lead_segment_move
                       (segment_id, lead_id, at, change, direction)
                SELECT segment_id, lead_id, %(now)s, change, direction FROM moved
            )
            SELECT segment_id, change, array_agg(lead_id ORDER BY lead_id)
              FROM moved GROUP BY segment_id, change ORDER BY segment_id, change
            """,
            found=found,
            wishes=wishes,
            now=now,
        )
        moved = self.env.execute_query(without_jit(statement))
        if not moved:
            return
        Lead = self.env["crm.lead"]
        self.env["lead.segment.member"].invalidate_model(flush=False)
        self.env["lead.segment.move"].invalidate_model(flush=False)
        self.invalidate_recordset(["member_ids", "member_count"], flush=False)
        Lead.browse({one for *_move, ids in moved for one in ids}).invalidate_recordset(
            ["segment_ids"], flush=False
        )
        data = self.env.cr.precommit.data
        if MOVED not in data:
            data[MOVED] = []
            self.env.cr.precommit.add(self.browse()._tell_moved)
        data[MOVED] += moved

    @api.model
    def _tell_moved(self):
        """Once at the end of a transaction, not while somebody reads membership."""
        for segment_id, change, ids in self.env.cr.precommit.data.pop(MOVED, ()):
            segment = self.browse(segment_id).exists()
            leads = self.env["crm.lead"].browse(ids).exists()
            if segment and leads:
                if change > 0:
                    segment._on_join(leads)
                else:
                    segment._on_leave(leads)
        self.env.flush_all()

    # ------------------------------------------------------------
    # FILLING
    # ------------------------------------------------------------

    def _start_filling(self):
        """Look through all leads, newest first: the definition is another now."""
        self.env.registry.clear_cache()
        if not self:
            return
        newest = self.env["crm.lead"].sudo().with_context(active_test=False)
        newest_id = newest.search([], order="id desc", limit=1).id
        self.write({"to_fill": newest_id, "fill_from": newest_id})
        self.env.ref("lead_pipeline.ir_cron_segments")._trigger()

    def _fill_first(self):
        """What can be had at once, so that whoever saves a segment sees members."""
        for segment in self:
            segment._fill(FIRST_BATCH)

    def _fill(self, batch):
        """Look through the next leads. Stopped or killed, it goes on where it was.

        :return: how many
        """
        self.ensure_one()
        if not self.to_fill:
            return 0
        # sudo: everybody's leads are members, whoever defines the segment
        leads = self.env["crm.lead"].sudo().with_context(active_test=False)
        found = leads.search([("id", "<=", self.to_fill)], limit=batch, order="id desc")
        self.sudo()._refresh(found.ids)
        self.to_fill = found[-1].id - 1 if len(found) == batch else 0
        if not self.to_fill:
            self.filled_at = fields.Datetime.now()
        return len(found)

    @api.model
    def _cron_keep(self, batch=BATCH):
        """What no event does: members whose touchpoints became too old, segments that
        drift, and the rest of those that are being filled."""
        now = fields.Datetime.now()
        progress = self.env["ir.cron"]._commit_progress
        Member = self.env["lead.segment.member"]
        due = [("check_at", "<=", now)]
        drifting = self.search(
            ["|", ("filled_at", "=", False), ("filled_at", "<=", now - DRIFT)]
        ).filtered(lambda segment: segment.drifts and not segment.to_fill)
        if drifting:
            drifting._start_filling()
        filling = self.with_context(active_test=False).search([("to_fill", ">", 0)])
        leads = self.env["crm.lead"].with_context(active_test=False)
        progress(
            remaining=Member.search_count(due)
            + sum(leads.search_count([("id", "<=", one.to_fill)]) for one in filling)
        )
        while members := Member.search(due, limit=batch, order="check_at"):
            number = len(members)
            members.segment_id._refresh(members.lead_id.ids)
            if not progress(number):
                return
        for segment in filling:
            while segment.to_fill:
                if not progress(segment._fill(batch)):
                    return
