#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-3.0-or-later
"""Take the pictures of docs/images again, from a running Odoo with our demo data.

    ./scripts/odoo                                   in another terminal
    pip install playwright pillow
    python docs/screenshots.py --url http://127.0.0.1:8069 --database dev

Needs a Chromium (--browser, default /usr/bin/chromium).
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

IMAGES = Path(__file__).parent / "images"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PALETTE = 256  # colours: a screen of text needs no more, and is a third of the size


class Web:
    """One signed-in user of the web client."""

    def __init__(self, browser: Browser, url: str, database: str, login: str) -> None:
        self.url = url.rstrip("/")
        self.context = browser.new_context(
            viewport={"width": 1440, "height": 900}, timezone_id="Europe/Berlin"
        )
        self.page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        # the greeting of OdooBot would lie over everything
        self.page.add_init_script(
            """addEventListener("DOMContentLoaded", () => {
                const style = document.createElement("style");
                style.textContent = ".o-mail-ChatHub { display: none !important; }";
                document.head.append(style);
            })"""
        )
        self.page.goto(f"{self.url}/web/login?db={database}")
        self.page.fill("input[name=login]", login)
        self.page.fill("input[name=password]", login)
        # with a website installed, the first button of the page is its search
        self.page.press("input[name=password]", "Enter")
        self.page.wait_for_selector(".o_web_client .o_main_navbar")

    def open(self, action: str, *, narrow: bool = False, record: int = 0) -> Page:
        """Open an action by XML id, or a record of it, wide or as on a phone."""
        self.page.set_viewport_size(
            {"width": 390, "height": 844} if narrow else {"width": 1440, "height": 900}
        )
        path = f"/odoo/action-lead_pipeline.{action}"
        self.page.goto(f"{self.url}{path}" + (f"/{record}" if record else ""))
        self.settle()
        return self.page

    def call(self, model: str, method: str, *args: object, **kwargs: object) -> object:
        """Call a method of a model as this user."""
        answer = self.page.request.post(
            f"{self.url}/web/dataset/call_kw",
            data={
                "jsonrpc": "2.0",
                "params": {
                    "model": model,
                    "method": method,
                    "args": list(args),
                    "kwargs": kwargs,
                },
            },
        ).json()
        if "error" in answer:
            raise RuntimeError(answer["error"]["data"]["message"])
        return answer["result"]

    def find(self, model: str, domain: list[object]) -> int:
        """The id of the newest record; raises LookupError where there is none."""
        found = self.call(model, "search", domain, limit=1)
        if not isinstance(found, list) or not found:
            raise LookupError(f"no {model} with {domain}: is this our demo data?")
        return int(found[0])

    def settle(self) -> None:
        """Wait until the view is drawn and quiet."""
        self.page.wait_for_selector(".o_view_controller, .modal .o_form_view")
        # the bus never rests, so "network idle" would never come
        self.page.wait_for_timeout(1500)
        self.page.wait_for_selector(".o_loading_indicator", state="detached")

    def save(self, folder: Path, name: str) -> None:
        """Write the window as a small PNG."""
        shot = Image.open(io.BytesIO(self.page.screenshot()))
        small = shot.convert("RGB").quantize(PALETTE, dither=Image.Dither.NONE)
        target = folder / f"{name}.png"
        small.save(target, optimize=True)
        print(f"{target} {target.stat().st_size // 1024} kB")


def channels(web: Web) -> None:
    web.open("lead_channel_action")


def submissions(web: Web) -> None:
    web.open("lead_submission_action")


def submission(web: Web) -> None:
    record = web.find("lead.submission", [("external_id", "=", "demo-google-1")])
    web.open("lead_submission_action", record=record)


def quarantine(web: Web) -> None:
    web.open("lead_submission_action_quarantine")


def quarantine_fix(web: Web) -> None:
    record = web.find(
        "lead.submission",
        [("channel_code", "=", "landing-winter"), ("state", "=", "quarantined")],
    )
    page = web.open("lead_submission_action_quarantine", record=record)
    page.click("button:has-text('Fix and Replay')")
    web.settle()


def lead_timeline(web: Web) -> None:
    record = web.find(
        "crm.lead",
        [("email_normalized", "=", "j.whitfield@whitfield-farms.example")],
    )
    page = web.open("crm_lead_report_action_channel", record=record)
    page.click(".o_notebook a[name=timeline]")
    web.settle()


def phone_lead(web: Web) -> None:
    page = web.open("lead_submission_action")
    page.click("button[data-menu-xmlid='lead_pipeline.lead_pipeline_menu']")
    page.click("a[data-menu-xmlid='lead_pipeline.lead_phone_entry_menu']")
    page.wait_for_selector(".modal .o_field_widget[name=phone] input")
    page.locator(".modal [name=phone] input").press_sequentially("+44 7400 123456")
    page.locator(".modal [name=message] textarea").fill(
        "The roof of the fourth barn is ready\nCall back after 17:00."
    )
    page.wait_for_selector(".modal [name=lead_ids] .o_data_row")
    web.settle()


def leads_by_channel(web: Web) -> None:
    web.open("crm_lead_report_action_channel")


def score_models(web: Web) -> None:
    web.open("lead_score_model_action")


def score_draft(web: Web) -> Page:
    """A draft of the model for businesses, which is in use in our demo data."""
    used = web.find("lead.score.model", [("name", "=", "Businesses (B2B)")])
    draft = web.call("lead.score.model", "action_new_version", [used])
    if not isinstance(draft, dict):
        raise TypeError(draft)
    return web.open("lead_score_model_action", record=draft["res_id"])


def score_criterion(web: Web) -> None:
    page = score_draft(web)
    page.click("[name=criterion_ids] .o_data_row:has-text('Job title')")
    page.wait_for_selector(".modal [name=option_ids] .o_data_row")
    page.mouse.move(5, 300)  # no tooltip in the picture
    web.settle()


def score_grades(web: Web) -> None:
    page = score_draft(web)
    page.click(".o_notebook a[name=grades]")
    page.mouse.move(5, 300)
    web.settle()


def score_leads(web: Web) -> None:
    web.open("lead_score_model_action")
    web.page.goto(f"{web.url}/odoo/action-crm.crm_lead_opportunities")
    web.settle()
    web.page.click(".o_switch_view.o_list")
    web.page.mouse.move(5, 300)
    web.settle()


def score_card(web: Web) -> None:
    record = web.find(
        "crm.lead",
        [("email_normalized", "=", "j.whitfield@whitfield-farms.example")],
    )
    page = web.open("crm_lead_report_action_channel", record=record)
    page.click(".o_notebook a[name=score]")
    page.mouse.move(5, 300)
    web.settle()
    page.locator(".o_notebook").evaluate("element => element.scrollIntoView()")


def segment(web: Web) -> None:
    record = web.find("lead.segment", [("condition_ids.text", "=", "price")])
    web.open("lead_segment_action", record=record)


def give_out(web: Web) -> None:
    """Leads are given out by rules from here on."""
    settings = web.call("res.config.settings", "create", {"lead_distribution": True})
    web.call("res.config.settings", "execute", [settings])
    web.page.goto(f"{web.url}/odoo/action-crm.crm_config_settings_action")
    web.settle()
    web.page.locator("[name=lead_distribution]").scroll_into_view_if_needed()


def rep_pipeline(web: Web) -> None:
    """Leads of a salesperson: some time left, little, none, and one that is done."""
    enquiries = {
        "Bakkerij De Molen": ("Roof of the bakery", 18_500),
        "Haddad Trading": ("Cooling for two warehouses", 64_000),
        "École Lumière": ("Heat pump for a school", 41_000),
        "Nguyen Foods": ("Lights for a production hall", 9_800),
        "Hotel Belvedere": ("Chargers for the car park", 27_300),
        "Ferme du Lac": ("Solar for three barns", 52_000),
    }
    rows = [
        {
            "name": name,
            "type": "opportunity",
            "user_id": False,
            "partner_name": company,
            "expected_revenue": revenue,
        }
        # every second one is a colleague's
        for company, (name, revenue) in enquiries.items()
        for _ in range(2)
    ]
    web.call("crm.lead", "create", rows)
    mine = web.call("crm.lead", "search", [("sla_state", "=", "running")])
    if not isinstance(mine, list):
        raise TypeError(mine)
    now = datetime.now(UTC)
    for lead, minutes in zip(mine, (47, 9, -12, 24 * 60), strict=False):
        due = (now + timedelta(minutes=minutes)).strftime("%Y-%m-%d %H:%M:%S")
        web.call("crm.lead", "write", [lead], {"sla_due_at": due})
    note = {"body": "Nobody picked up", "message_type": "comment"}
    note["subtype_xmlid"] = "mail.mt_note"
    web.call("crm.lead", "message_post", [mine[4]], **note)
    web.open("lead_submission_action")
    web.page.goto(f"{web.url}/odoo/action-crm.crm_lead_action_pipeline")
    web.settle()
    web.page.mouse.move(5, 300)


def rep_pause(web: Web) -> None:
    web.page.goto(f"{web.url}/odoo/action-crm.crm_lead_action_pipeline")
    web.settle()
    web.page.click(".o_user_menu button")
    web.page.click("[data-menu=lead_availability]")
    web.page.wait_for_selector(".modal button:has-text('Pause')")
    web.settle()


def distributed(web: Web) -> None:
    """Leads are given out by the rules of our demo data; some wait; once."""
    if web.call("crm.lead", "search_count", [("contact_name", "=", "Sofia Rossi")]):
        return
    give_out(web)
    people = (
        "Sofia Rossi, Omar Said, 陈伟, Trần Minh, Emma Larsen, يوسف حداد, Pavel Novák, "
        "Inês Costa, Maya Cohen, Liam Byrne, Lucía Ortega, Jan de Vries"
    ).split(", ")
    channel = web.find("lead.channel", [("code", "=", "website-form")])
    for place, name in enumerate(people):
        lead = {
            "name": f"Roof of {name}",
            "type": "lead",
            "contact_name": name,
            "user_id": False,
            "channel_id": channel,
        }
        if place % 4 == 3:
            lead["partner_name"] = f"{name} Ltd"
        web.call("crm.lead", "create", lead)
    members = web.call("lead.pool.member", "search", [("pool_id.name", "=", "Homes")])
    web.call("lead.pool.member", "write", members, {"paused": True})
    for name in ("Mei Lin", "Ahmed Nasser"):
        lead = {"name": f"Roof of {name}", "type": "lead", "user_id": False}
        web.call("crm.lead", "create", lead)
    web.call("lead.pool.member", "write", members, {"paused": False})


def distribution_rules(web: Web) -> None:
    distributed(web)
    web.open("lead_distribution_rule_action")


def distribution_pool(web: Web) -> None:
    record = web.find("lead.pool", [("name", "=", "Homes")])
    web.open("lead_pool_action", record=record)


def distribution_changes(web: Web) -> None:
    """A pool whose weights and limits somebody has changed."""
    record = web.find("lead.pool", [("name", "=", "Businesses")])
    members = web.call("lead.pool.member", "search", [("pool_id", "=", record)])
    assert isinstance(members, list)
    for place, values in (
        *((0, {"weight": 2}), (1, {"per_day": 5, "per_month": 60})),
        *((0, {"paused": True}), (0, {"paused": False}), (1, {"max_open": 25})),
    ):
        web.call("lead.pool.member", "write", members[place], values)
    page = web.open("lead_pool_action", record=record)
    page.click("button:has-text('Changes')")
    web.settle()


def distribution_ledger(web: Web) -> None:
    distributed(web)
    record = web.find("lead.pool", [("name", "=", "Homes")])
    page = web.open("lead_pool_action", record=record)
    page.click(".o_notebook a[name=ledger]")
    web.settle()


def distribution_why(web: Web) -> None:
    distributed(web)
    record = web.find("crm.lead", [("assignment_id.reason", "=", "turn")])
    page = web.open("crm_lead_report_action_channel", record=record)
    page.click(".o_notebook a[name=why]")
    page.mouse.move(5, 300)
    web.settle()
    page.locator(".o_notebook").evaluate("element => element.scrollIntoView()")


def distribution_unassigned(web: Web) -> None:
    distributed(web)
    web.open("crm_lead_unassigned_action")


def distribution_try(web: Web) -> None:
    record = web.find("lead.distribution.rule", [("name", "=", "All the rest")])
    page = web.open("lead_distribution_rule_action", record=record)
    page.click("button:has-text('Try a Lead')")
    lead = page.locator(".modal [name=lead_id] input")
    lead.press_sequentially("Hanna Virtanen")
    page.click(".o-autocomplete--dropdown-item:has-text('Virtanen')")
    page.wait_for_selector(".modal .o_lead_decision")
    web.settle()


def distribution_leaver(web: Web) -> None:
    distributed(web)
    page = web.open("crm_lead_unassigned_action")
    page.click("button[data-menu-xmlid='lead_pipeline.lead_pipeline_menu']")
    page.click("a[data-menu-xmlid='lead_pipeline.lead_reassign_menu']")
    page.locator(".modal [name=user_id] input").press_sequentially("Marc Demo")
    page.click(".o-autocomplete--dropdown-item:has-text('Marc Demo')")
    page.wait_for_selector(".modal [name=preview] table")
    web.settle()


def distribution_what_if(web: Web) -> None:
    distributed(web)
    page = web.open("lead_what_if_action")
    page.click("button[name=action_run]")
    page.wait_for_selector(".o_lead_what_if")
    page.mouse.move(5, 300)
    web.settle()
    page.locator(".o_lead_what_if").evaluate("element => element.scrollIntoView()")


def distribution_speed(web: Web) -> None:
    distributed(web)
    web.open("lead_speed_report_action")


def nurtured(web: Web) -> None:
    """The ready-made tracks run, and some leads are on their way."""
    drafts = web.call("lead.nurture.track", "search", [("state", "=", "draft")])
    if not isinstance(drafts, list) or not drafts:
        return
    for number, track in enumerate(drafts):
        web.call("lead.nurture.track", "action_start", [track])
        leads = web.call(
            "crm.lead",
            "search",
            [("won_status", "=", "pending"), ("email_normalized", "!=", False)],
            offset=9 * number,
            limit=9,
        )
        values = {"track_id": track, "lead_ids": [(6, 0, leads)]}
        wizard = web.call("lead.nurture.enrol", "create", [values])
        web.call("lead.nurture.enrol", "action_enrol", wizard)
        stages = web.call("lead.nurture.stage", "search", [("track_id", "=", track)])
        flying = web.call(
            "lead.nurture.enrolment",
            "search",
            [("track_id", "=", track), ("held_out", "=", False)],
        )
        if isinstance(stages, list) and isinstance(flying, list):
            for place, journey in enumerate(flying):
                stage = {"stage_id": stages[place % len(stages)]}
                web.call("lead.nurture.enrolment", "write", [journey], stage)


def nurture_track(web: Web) -> None:
    nurtured(web)
    used = [("name", "=", "Went silent"), ("state", "=", "running")]
    track = web.find("lead.nurture.track", used)
    web.open("lead_nurture_track_action", record=track)


def nurture_test(web: Web) -> None:
    nurture_track(web)
    web.page.click("button:has-text('Test Run')")
    web.page.wait_for_selector(".modal [name=plan] table")
    web.page.mouse.move(5, 300)
    web.settle()


def nurture_leads(web: Web) -> None:
    nurtured(web)
    web.open("lead_nurture_enrolment_action")


def nurture_stage(web: Web) -> None:
    nurtured(web)
    used = web.find(
        "lead.nurture.track",
        [("name", "=", "Lost on price"), ("state", "=", "running")],
    )
    draft = web.call("lead.nurture.track", "action_new_version", [used])
    if not isinstance(draft, dict):
        raise TypeError(draft)
    page = web.open("lead_nurture_track_action", record=draft["res_id"])
    page.click("[name=stage_ids] .o_data_row:has-text('A smaller start')")
    page.wait_for_selector(".modal [name=channel]")
    page.mouse.move(5, 300)
    web.settle()


def nurture_lead(web: Web) -> None:
    nurtured(web)
    journey = [("held_out", "=", False), ("lead_id.type", "=", "opportunity")]
    record = web.find("crm.lead", [("enrolment_ids", "any", journey)])
    page = web.open("crm_lead_report_action_channel", record=record)
    page.click(".o_notebook a[name=nurture]")
    page.mouse.move(5, 300)
    web.settle()
    page.locator(".o_notebook").first.evaluate("element => element.scrollIntoView()")


def nurture_lost(web: Web) -> None:
    nurtured(web)
    record = web.find("crm.lead", [("type", "=", "opportunity"), ("active", "=", True)])
    page = web.open("crm_lead_report_action_channel", record=record)
    page.click("button:has-text('Lost')")
    page.click(".modal .o_selection_badge:has-text('Too expensive')")
    page.mouse.move(5, 300)
    web.settle()


PICTURES: dict[str, tuple[str, Callable[[Web], None]]] = {
    "channels": ("admin", channels),
    "submissions": ("admin", submissions),
    "submission": ("admin", submission),
    "quarantine": ("admin", quarantine),
    "quarantine-fix": ("admin", quarantine_fix),
    "lead-timeline": ("demo", lead_timeline),
    "phone-lead": ("demo", phone_lead),
    "leads-by-channel": ("admin", leads_by_channel),
    "segment": ("admin", segment),
    "score-models": ("admin", score_models),
    "score-criterion": ("admin", score_criterion),
    "score-grades": ("admin", score_grades),
    "score-leads": ("admin", score_leads),
    "score-card": ("demo", score_card),
    # the first of these switches on what the others show
    "give-out": ("admin", give_out),
    "rep-pipeline": ("amira", rep_pipeline),
    "rep-pause": ("amira", rep_pause),
    "distribution-rules": ("admin", distribution_rules),
    "distribution-pool": ("admin", distribution_pool),
    "distribution-ledger": ("admin", distribution_ledger),
    "distribution-why": ("admin", distribution_why),
    "distribution-unassigned": ("admin", distribution_unassigned),
    "distribution-try": ("admin", distribution_try),
    "distribution-leaver": ("admin", distribution_leaver),
    "distribution-changes": ("admin", distribution_changes),
    "distribution-what-if": ("admin", distribution_what_if),
    "distribution-speed": ("admin", distribution_speed),
    "nurture-track": ("admin", nurture_track),
    "nurture-test": ("admin", nurture_test),
    "nurture-leads": ("admin", nurture_leads),
    "nurture-lead": ("admin", nurture_lead),
    "nurture-lost": ("admin", nurture_lost),
    "nurture-stage": ("admin", nurture_stage),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8069")
    parser.add_argument("--database", default="dev")
    parser.add_argument("--browser", default="/usr/bin/chromium")
    parser.add_argument("--into", type=Path, default=IMAGES)
    parser.add_argument("names", nargs="*", help=", ".join(PICTURES))
    options = parser.parse_args()
    options.into.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=options.browser, args=FLAGS
        )
        webs: dict[str, Web] = {}
        for name in options.names or PICTURES:
            login, show = PICTURES[name]
            if login not in webs:
                # demo users' passwords are their logins
                webs[login] = Web(browser, options.url, options.database, login)
            show(webs[login])
            webs[login].save(options.into, name)
        browser.close()


if __name__ == "__main__":
    main()
