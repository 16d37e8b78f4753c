# SPDX-License-Identifier: LGPL-3.0-or-later
"""For tests of the connector and of sources that others write."""
