# Copyright 2026 Lead Pipeline contributors
# License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0)
from . import test_attribution
from . import test_channel
from . import test_ingest
from . import test_mail_door
from . import test_matching
from . import test_privacy
from . import test_quarantine
from . import test_security
from . import test_touch_sources
from . import test_touchpoints
from . import test_ui_tours
from . import test_ui_views
from . import test_wizard_connector_key
from . import test_wizard_phone_entry
from . import test_wizard_quarantine
from . import test_score_quality
