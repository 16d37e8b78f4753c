/* Copyright 2026 Lead Pipeline contributors
 * License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0) */
import { Component, onWillUnmount, useState } from "@odoo/owl";
import { browser } from "@web/core/browser/browser";
import { deserializeDateTime, toLocaleDateTimeString } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";

const { DateTime } = luxon;
/** How often a clock moves, in milliseconds. */
const TICK = 15000;
/** With so much working time left, the moment says more than a countdown. */
const SOON_MINUTES = 8 * 60;

/** Whole minutes as people say them: 45 min, 2 h 05, 3 d. */
export function formatMinutes(minutes) {
    if (minutes < 60) {
        return _t("%(minutes)s min", { minutes });
    }
    if (minutes < 24 * 60) {
        const rest = String(minutes % 60).padStart(2, "0");
        return _t("%(hours)s h %(minutes)s", {
            hours: Math.floor(minutes / 60),
            minutes: rest,
        });
    }
    return _t("%(days)s d", { days: Math.floor(minutes / (24 * 60)) });
}

/** How long the owner has for the first touch, or whether it came in time. */
export class LeadSlaField extends Component {
    static template = "lead_pipeline.LeadSlaField";
    static props = { ...standardFieldProps, full: { type: Boolean, optional: true } };

    setup() {
        this.clock = useState({ now: DateTime.now() });
        const timer = browser.setInterval(() => {
            if (this.due && !this.touched) {
                this.clock.now = DateTime.now();
            }
        }, TICK);
        onWillUnmount(() => browser.clearInterval(timer));
    }

    get due() {
        return this.props.record.data[this.props.name];
    }
    get touched() {
        return this.props.record.data.sla_touched_at;
    }
    /** @returns {"kept" | "late" | "over" | "soon" | "running"} */
    get state() {
        if (this.touched) {
            return this.props.record.data.sla_state === "missed" ? "late" : "kept";
        }
        const minutes = this.minutesLeft;
        if (minutes < 0) {
            return "over";
        }
        return minutes < 15 && !this.closed ? "soon" : "running";
    }
    /** Of working time, where it is known; below 0: of time since it was due. */
    get minutesLeft() {
        const left = this.due.diff(this.clock.now).as("minutes");
        if (left < 0 || !this.calendar) {
            return Math.floor(left);
        }
        const passed = this.calendar.open ? this.clock.now.diff(this.readAt).as("minutes") : 0;
        return Math.max(0, Math.floor(Math.min(left, this.calendar.left / 60 - passed)));
    }
    /** What the server says of the owner's working time, as of when it was read. */
    get calendar() {
        return this.props.record.data.sla_clock;
    }
    get readAt() {
        if (this.calendar !== this.known) {
            this.known = this.calendar;
            this.knownAt = this.clock.now;
        }
        return this.knownAt;
    }
    /** Nobody works now, or not any more since the page was opened: no clock runs. */
    get closed() {
        const { calendar } = this;
        if (!calendar) {
            return false;
        }
        const changed = calendar.until && deserializeDateTime(calendar.until) <= this.clock.now;
        return !calendar.open || changed;
    }
    /** "09:20", "tomorrow 09:20", "Mon 09:20", "Mon 7 Dec". */
    get dueText() {
        const time = this.due.toLocaleString(DateTime.TIME_SIMPLE);
        const days = this.due.startOf("day").diff(this.clock.now.startOf("day")).as("days");
        if (days < 1) {
            return _t("due %(time)s", { time });
        }
        if (days < 2) {
            return _t("tomorrow %(time)s", { time });
        }
        return days < 7
            ? this.due.toFormat("ccc") + " " + time
            : this.due.toFormat("ccc d LLL");
    }
    get color() {
        return {
            kept: "text-success",
            late: "text-muted",
            over: "text-bg-danger",
            soon: "text-bg-warning",
            running: "text-bg-200",
        }[this.state];
    }
    get text() {
        const { state, minutesLeft } = this;
        if (state === "kept") {
            return _t("in time");
        }
        if (state === "late") {
            return _t("late");
        }
        if (state === "over") {
            return _t("%(time)s over", { time: formatMinutes(-minutesLeft) });
        }
        if (!this.closed && minutesLeft < SOON_MINUTES) {
            return formatMinutes(minutesLeft);
        }
        return this.dueText;
    }
    /** It was late, or nearly, before anybody had it. */
    get waited() {
        const { sla_promised_at: promised, date_captured, date_routed } = this.props.record.data;
        return promised && promised < this.due
            ? _t(
                  "It came %(captured)s and waited until %(routed)s; it should have been touched by %(promised)s.",
                  {
                      captured: toLocaleDateTimeString(date_captured),
                      routed: toLocaleDateTimeString(date_routed),
                      promised: toLocaleDateTimeString(promised),
                  }
              )
            : "";
    }
    get words() {
        const due = toLocaleDateTimeString(this.due);
        const touched = this.touched && toLocaleDateTimeString(this.touched);
        return {
            kept: _t("Touched in time: %(touched)s, due %(due)s", { touched, due }),
            late: _t("Touched late: %(touched)s, due %(due)s", { touched, due }),
            over: _t("The first touch was due %(due)s. Call, write or meet them.", { due }),
            soon: _t("The first touch is due %(due)s. Call, write or meet them.", { due }),
            running: _t("The first touch is due %(due)s. Call, write or meet them.", {
                due,
            }),
        }[this.state];
    }
}

registry.category("fields").add("lead_sla", {
    component: LeadSlaField,
    supportedTypes: ["datetime"],
    extractProps: ({ options }) => ({ full: Boolean(options.full) }),
    fieldDependencies: [
        { name: "sla_touched_at", type: "datetime", readonly: true },
        { name: "sla_state", type: "selection", readonly: true },
        { name: "sla_clock", type: "json", readonly: true },
        { name: "sla_promised_at", type: "datetime", readonly: true },
        { name: "date_captured", type: "datetime", readonly: true },
        { name: "date_routed", type: "datetime", readonly: true },
    ],
});
