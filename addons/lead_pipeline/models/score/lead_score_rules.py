# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
import logging
from typing import NamedTuple

from odoo import models
from odoo.exceptions import ValidationError
from odoo.fields import Domain
from odoo.tools import ormcache

from ...engine.scoring import Bands, Criterion, ReadyLine, most_points

_logger = logging.getLogger(__name__)


class Rules(NamedTuple):
    """What scoring needs of a model, without a query.

    ``domain``: of the leads it is for; ``options``: for each criterion its options in
    order, as (id, points, domain of the leads for which it holds); ``most``: points
    possible; ``half_life``: in days; ``thresholds``: of engagement.
    """

    id: int
    origin_id: int
    domain: Domain
    criteria: tuple[Criterion, ...]
    options: tuple[tuple[tuple[int, float, Domain], ...], ...]
    most: float
    half_life: float
    bands: Bands
    ready_line: ReadyLine
    thresholds: tuple[float, ...]


class LeadScoreModel(models.Model):
    _inherit = "lead.score.model"

    def _rules(self):
        """Models in use never change, so theirs are read once."""
        self.ensure_one()
        in_use = self.id in self._active_ids()
        return self._rules_in_use() if in_use else self._read_rules()

    @ormcache("self.id")
    def _rules_in_use(self):
        return self._read_rules()

    def _read_rules(self):
        criteria = tuple(self._criteria())
        return Rules(
            self.id,
            self.origin_id.id,
            readable_domain(self),
            criteria,
            tuple(
                tuple(
                    (option.id, option.points, readable_domain(option))
                    for option in criterion.option_ids
                )
                for criterion in self.criterion_ids
            ),
            most_points(criteria),
            self.half_life,
            self._bands(),
            self._ready_line(),
            tuple(self._thresholds()),
        )


def readable_domain(record):
    """:return: the domain of a model or an option; what can't be understood any more,
    as its field went with an addon, holds for no lead"""
    try:
        return record._lead_domain()
    except ValidationError as error:
        _logger.error("a condition of a score model can't be read: %s", error)
        return Domain.FALSE
