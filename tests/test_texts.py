# SPDX-License-Identifier: LGPL-3.0-or-later
"""What translators start from is what the addons say."""

from lab import Lab
from lab.commands.texts import outdated


def test_texts_are_exported(the_lab: Lab) -> None:
    files = [file.name for file in outdated(the_lab)]
    assert not files, "run ./scripts/texts"
