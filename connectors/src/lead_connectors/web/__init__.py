# SPDX-License-Identifier: LGPL-3.0-or-later
"""The web door: hooks, limits, health and metrics."""
