# SPDX-License-Identifier: LGPL-3.0-or-later
"""From the inbox to Odoo: parse, complete, deliver, poll. One thread each."""
