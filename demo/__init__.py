# SPDX-License-Identifier: LGPL-3.0-or-later
"""``./scripts/demo``: the whole way of a lead, with invented people.

A company that sells solar panels and heat pumps. The submissions go through the
connector's real web door, in the shapes that the platforms send.
"""
