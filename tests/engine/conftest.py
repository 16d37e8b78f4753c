# SPDX-License-Identifier: LGPL-3.0-or-later
"""The addon's engine is plain Python: import it without Odoo, as package ``engine``."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "addons" / "lead_pipeline"))
