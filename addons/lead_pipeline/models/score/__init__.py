# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
"""Quality and engagement, their models, and what explains them."""

from . import lead_score_model
from . import lead_score_rules
from . import lead_score_activation
from . import lead_score_criterion
from . import lead_score_activity
from . import lead_score_history
from . import lead_score
from . import lead_answer
from . import lead_scoring_rows
from . import lead_scoring
from . import lead_scoring_quality
from . import lead_scoring_engagement
from . import lead_scoring_follow
from . import lead_scoring_batch
from . import crm_lead_score
from . import crm_lead_score_events
from . import lead_score_trial
from . import lead_score_trial_past
from . import crm_lead_trial
from . import crm_lead_score_explain
from . import crm_lead_score_chart
from . import lead_score_model_leads
from . import lead_touchpoint_points
from . import crm_lead_tracking
from . import lead_touchpoint_tracking
