# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import base64
import re

from odoo import api, fields, models
from odoo.exceptions import UserError
from odoo.tools import SQL

#: first lines of exported files: no codes
HEADINGS = {"code", "codes", "coupon", "coupons", "coupon code", "voucher"}


class LeadNurtureGift(models.Model):
    """A list of coupon codes; each lead gets one of it, once."""

    _name = "lead.nurture.gift"
    _description = "Nurture Gift"
    _order = "name, id"

    name = fields.Char(required=True, translate=True)
    active = fields.Boolean(default=True)
    # codes are money: a salesperson knows those of own leads alone
    coupon_ids = fields.One2many(
        "lead.nurture.coupon",
        "gift_id",
        groups="lead_pipeline.group_lead_pipeline_manager",
    )
    codes = fields.Text("Add Codes", store=False, help="One a line, or from a file.")
    code_file = fields.Binary("File", store=False, attachment=False)
    total_count = fields.Integer("Codes", compute="_compute_counts")
    left_count = fields.Integer("Left", compute="_compute_counts")

    def _compute_counts(self):
        total, given = {}, {}
        # sudo: how many are left is no secret
        coupons = self.env["lead.nurture.coupon"].sudo()
        for gift, lead, count in coupons._read_group(
            [("gift_id", "in", self.ids)], ["gift_id", "given"], ["__count"]
        ):
            total[gift.id] = total.get(gift.id, 0) + count
            given[gift.id] = given.get(gift.id, 0) + (count if lead else 0)
        for gift in self:
            gift.total_count = total.get(gift._origin.id, 0)
            gift.left_count = gift.total_count - given.get(gift._origin.id, 0)

    @api.model_create_multi
    def create(self, vals_list):
        added = [self._pop_codes(vals) for vals in vals_list]
        gifts = super().create(vals_list)
        for gift, codes in zip(gifts, added, strict=True):
            gift._add_codes(codes)
        return gifts

    def write(self, vals):
        codes = self._pop_codes(vals)
        result = super().write(vals)
        for gift in self:
            gift._add_codes(codes)
        return result

    @api.model
    def _pop_codes(self, vals):
        """Take typed codes and those of a file out of values.

        :raises UserError: the file is no text
        """
        text = vals.pop("codes", None) or ""
        content = vals.pop("code_file", None)
        if content:
            try:
                text += "\n" + base64.b64decode(content).decode("utf-8-sig")
            except ValueError as error:
                raise UserError(self._say_no_text()) from error
        if "\0" in text:
            raise UserError(self._say_no_text())
        codes = (re.split(r"[,;\t]", line)[0].strip(' "') for line in text.splitlines())
        found = list(dict.fromkeys(filter(None, codes)))
        if content and not found:
            raise UserError(self.env._("There is no code in this file."))
        return [code for code in found if code.lower() not in HEADINGS]

    @api.model
    def _say_no_text(self):
        return self.env._("Take a text file with one code a line.")

    def _add_codes(self, codes):
        """Add those that are not there yet."""
        self.ensure_one()
        known = set(self.coupon_ids.mapped("code"))
        self.env["lead.nurture.coupon"].create(
            [{"gift_id": self.id, "code": code} for code in codes if code not in known]
        )

    def _hand_out(self, leads):
        """Give each lead its code: the one it has, or the next free one. Two callers at
        the same moment never give the same.

        :return: {lead id: code}; leads for whom none is left are missing
        """
        self.ensure_one()
        self.env["lead.nurture.coupon"].flush_model()
        self.env.cr.execute(
            SQL(
                "SELECT lead_id, code FROM lead_nurture_coupon"
                " WHERE gift_id = %s AND lead_id = ANY(%s)",
                self.id,
                leads.ids,
            )
        )
        given = dict(self.env.cr.fetchall())
        without = [lead_id for lead_id in leads.ids if lead_id not in given]
        rows = self.env.execute_query(
            SQL(
                """
                WITH free AS (
                    SELECT id, row_number() OVER (ORDER BY id) AS place FROM (
                        SELECT id FROM lead_nurture_coupon
                         WHERE gift_id = %(gift)s AND NOT given
                         ORDER BY id LIMIT %(number)s FOR UPDATE SKIP LOCKED
                    ) AS locked
                )
                UPDATE lead_nurture_coupon AS coupon
                   SET lead_id = (%(leads)s::int[])[free.place], given = true,
                       given_at = %(now)s
                  FROM free WHERE coupon.id = free.id
             RETURNING coupon.lead_id, coupon.code
                """,
                gift=self.id,
                number=len(without),
                leads=without,
                now=fields.Datetime.now(),
            )
        )
        self.env["lead.nurture.coupon"].invalidate_model(flush=False)
        return {**given, **dict(rows)}


class LeadNurtureCoupon(models.Model):
    _name = "lead.nurture.coupon"
    _description = "Nurture Coupon"
    _order = "id"
    _rec_name = "code"

    gift_id = fields.Many2one(
        "lead.nurture.gift", required=True, index=True, ondelete="cascade"
    )
    code = fields.Char(required=True)
    # a lead may be erased: its code stays given
    given = fields.Boolean(readonly=True, required=True, default=False)
    lead_id = fields.Many2one(
        "crm.lead", readonly=True, index="btree_not_null", ondelete="set null"
    )
    given_at = fields.Datetime(readonly=True)

    _code_unique = models.UniqueIndex(
        "(gift_id, code)", "This code is in the list already."
    )
    _once_a_lead = models.UniqueIndex("(gift_id, lead_id) WHERE lead_id IS NOT NULL")
