# SPDX-License-Identifier: LGPL-3.0-or-later
"""The commands of scripts/, one module each."""
