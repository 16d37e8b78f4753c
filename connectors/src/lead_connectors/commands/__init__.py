# SPDX-License-Identifier: LGPL-3.0-or-later
"""What the commands do; ``cli`` only reads options and prints."""
