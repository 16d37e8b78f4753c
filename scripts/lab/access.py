# SPDX-License-Identifier: LGPL-3.0-or-later
"""What a connector needs of a database: channels, and a user who may ingest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .lab import Lab

LOGIN = "connector"


def connector_access(
    it: Lab,
    database: str,
    channels: Iterable[Mapping[str, object]],
    *,
    days: int = 30,
    distribute: bool = False,
) -> str:
    """Make channels and the technical user; returns an RPC key of that user.

    :param channels: values of ``lead.channel``; ``user``, if given, is the login of
        the salesperson who gets the leads
    :param distribute: give out the others by the rules of the database
    """
    output = it.shell(
        database,
        f"""
from datetime import datetime, timedelta
for vals in {[dict(channel) for channel in channels]!r}:
    owner = vals.pop("user", None)
    if owner:
        vals["user_id"] = env["res.users"].search([("login", "=", owner)]).id
    known = env["lead.channel"].search([("code", "=", vals["code"])])
    known.write(vals) if known else env["lead.channel"].create(vals)
group = env.ref("lead_pipeline.group_lead_pipeline_connector")
user = env["res.users"].search([("login", "=", {LOGIN!r})]) or env["res.users"].create(
    {{"name": "Lead Connector", "login": {LOGIN!r}, "group_ids": [(6, 0, group.ids)]}}
)
end = datetime.now() + timedelta(days={days})
key = env["res.users.apikeys"].with_user(user)._generate("rpc", "connector", end)
if {distribute}:
    env["ir.config_parameter"].set_param("lead_pipeline.distribution", True)
env.cr.commit()
print("key=" + key)
""",
    )
    return output.partition("key=")[2].strip()
