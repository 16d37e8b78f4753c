# SPDX-License-Identifier: LGPL-3.0-or-later
"""Small local servers that stand in for the platforms.

They speak the wire format, keep their state in memory and can be told to fail. Used by
the tests and the demo; never by the service.
"""
