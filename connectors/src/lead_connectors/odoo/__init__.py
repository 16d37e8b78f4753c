# SPDX-License-Identifier: LGPL-3.0-or-later
"""Odoo behind one interface: odoorpc, JSON-2, or in memory for tests."""
