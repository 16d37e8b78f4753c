# SPDX-License-Identifier: LGPL-3.0-or-later
"""One module a source; ``base`` is the contract."""
