# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from odoo import api, models
from odoo.tools import SQL, Query

from .crm_lead_tracking import LONGEST_VIEW, VISIT_GAP

#: where mail.tracking.value keeps what a field was before a change
OLD_VALUES = {
    "boolean": SQL("old_value_integer <> 0"),
    "char": SQL("NULLIF(old_value_char, '')"),
    "date": SQL("old_value_datetime::date"),
    "datetime": SQL("old_value_datetime"),
    "float": SQL("old_value_float"),
    "integer": SQL("old_value_integer"),
    "many2one": SQL("NULLIF(old_value_integer, 0)"),
    "monetary": SQL("old_value_float"),
    "text": SQL("NULLIF(old_value_text, '')"),
}
#: totals of page views without those after the moment
PAST_TOTALS = {
    "visit_count": SQL("lead.visit_count - COALESCE(later.visits, 0)"),
    "page_count": SQL("lead.page_count - COALESCE(later.pages, 0)"),
    "site_seconds": SQL("lead.site_seconds - COALESCE(later.seconds, 0)::int4"),
    "last_seen_at": SQL(
        "CASE WHEN later.pages > 0 THEN later.seen ELSE lead.last_seen_at END"
    ),
}


class LeadScoreTrial(models.AbstractModel):
    """The table of leads as it was, one moment a lead: the old values of tracked
    fields, and the totals of the site without what came later."""

    _inherit = "lead.score.trial"

    @api.model
    def _is_tracked(self, name):
        """Whether Odoo keeps the old values of a field of the leads."""
        field = self.env["crm.lead"]._fields[name]
        return bool(
            getattr(field, "tracking", False)
            and field.store
            and (field.type in OLD_VALUES or field.type == "selection")
        )

    @api.model
    def _is_turned_back(self, name):
        """Whether a trial sees a field as it was."""
        return self._is_tracked(name) or name in PAST_TOTALS

    @api.model
    def _past_query(self, rows, names):
        """A query on the leads as they were, to which conditions on leads apply as to
        the leads of today; with the columns ``trial_at`` and ``trial_won``.

        :param names: of the fields that matter: these are turned back where their
            past is known (``_is_turned_back``), the others are those of today
        """
        names = set(names)
        leads = self.env["crm.lead"]
        tracked = {
            name: self.env["ir.model.fields"]._get("crm.lead", name).id
            for name in sorted(names)
            if self._is_tracked(name)
        }
        totals = names & PAST_TOTALS.keys()
        columns = [
            SQL(
                "%s AS %s",
                PAST_TOTALS[name]
                if name in totals
                else self._past_column(name, tracked),
                SQL.identifier(name),
            )
            for name, field in leads._fields.items()
            if field.store and field.column_type
        ]
        joins = [
            SQL(
                "LEFT JOIN changed AS %(alias)s ON %(alias)s.lead_id = lead.id"
                " AND %(alias)s.field_id = %(field)s",
                alias=SQL.identifier(f"was_{name}"),
                field=field_id,
            )
            for name, field_id in tracked.items()
        ]
        if totals:
            joins.append(SQL("LEFT JOIN later ON later.lead_id = lead.id"))
        table = SQL(
            """
            (WITH outcome AS MATERIALIZED (%(rows)s),
            later AS MATERIALIZED (
                SELECT lead_id,
                       count(*) FILTER (WHERE at > moment) AS pages,
                       sum(seconds) FILTER (WHERE at > moment) AS seconds,
                       count(*) FILTER (
                           WHERE at > moment AND continued IS NOT true) AS visits,
                       max(at) FILTER (WHERE at <= moment) AS seen
                  FROM (
                    SELECT lead_id, touch.at, outcome.at AS moment,
                           LEAST(COALESCE(duration, 0), %(longest)s) AS seconds,
                           touch.at - lag(touch.at) OVER (
                               PARTITION BY lead_id ORDER BY touch.at, touch.id
                           ) <= %(gap)s * interval '1 second' AS continued
                      FROM outcome JOIN lead_touchpoint AS touch USING (lead_id)
                     WHERE kind = 'page_view' AND human
                  ) AS view
                 GROUP BY lead_id
            ),
            changed AS MATERIALIZED (
                SELECT DISTINCT ON (outcome.lead_id, value.field_id)
                       outcome.lead_id, value.*
                  FROM outcome
                  JOIN mail_message AS message
                    ON message.model = 'crm.lead'
                   AND message.res_id = outcome.lead_id
                   AND message.date > outcome.at
                  JOIN mail_tracking_value AS value
                    ON value.mail_message_id = message.id
                 WHERE value.field_id = ANY(%(fields)s)
                 ORDER BY outcome.lead_id, value.field_id, message.date, value.id
            )
            SELECT %(columns)s, outcome.at AS trial_at, outcome.won AS trial_won
              FROM outcome JOIN crm_lead AS lead ON lead.id = outcome.lead_id
              %(joins)s)
            """,
            rows=rows,
            longest=LONGEST_VIEW,
            gap=VISIT_GAP,
            fields=list(tracked.values()),
            columns=SQL(", ").join(columns),
            joins=SQL(" ").join(joins),
        )
        return Query(self.env, "crm_lead", table)

    @api.model
    def _past_column(self, name, tracked):
        """A column as it was: the old value of the first change after the moment."""
        now = SQL.identifier("lead", name)
        if name not in tracked:
            return now
        field = self.env["crm.lead"]._fields[name]
        old = OLD_VALUES.get(field.type) or self._old_selection(field)
        return SQL(
            "CASE WHEN %(alias)s.id IS NULL THEN %(now)s"
            " ELSE (SELECT %(old)s FROM (SELECT %(alias)s.*) AS was) END",
            alias=SQL.identifier(f"was_{name}"),
            now=now,
            old=old,
        )

    @api.model
    def _old_selection(self, field):
        """The value of a selection: what is kept is its label, in the language of
        whoever changed it."""
        labels = {}
        for code, _name in self.env["res.lang"].get_installed():
            env = self.with_context(lang=code).env
            for value, label in field._description_selection(env):
                labels.setdefault(label, value)
        cases = [SQL("WHEN %s THEN %s", *item) for item in labels.items()]
        return SQL("CASE old_value_char %s END", SQL(" ").join(cases))
