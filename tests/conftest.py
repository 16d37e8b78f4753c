# SPDX-License-Identifier: LGPL-3.0-or-later
"""One real Odoo for all end-to-end tests: a fresh database with our addons."""

from collections.abc import Iterator

import pytest

from lab import Lab, Odoo


@pytest.fixture(scope="session")
def the_lab() -> Iterator[Lab]:
    """PostgreSQL, and databases from templates; it runs for the whole session."""
    with Lab() as it:
        yield it


@pytest.fixture(scope="session")
def database(the_lab: Lab) -> Iterator[str]:
    """A fresh database with our addons and demo data, shared by the session."""
    with the_lab.temporary("e2e") as name:
        yield name


@pytest.fixture(scope="session")
def odoo(the_lab: Lab, database: str) -> Iterator[Odoo]:
    """A running server on that database; its ``url`` is where to call it."""
    with the_lab.odoo(database) as server:
        yield server


@pytest.fixture(scope="session")
def admin_key(the_lab: Lab, database: str) -> str:
    """An RPC key of the administrator."""
    return the_lab.api_key(database, "admin")
