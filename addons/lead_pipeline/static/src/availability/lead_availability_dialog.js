/* Copyright 2026 Lead Pipeline contributors
 * License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0) */
import { Component, useState } from "@odoo/owl";
import { Dialog } from "@web/core/dialog/dialog";
import { deserializeDateTime, toLocaleDateTimeString } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { useService } from "@web/core/utils/hooks";

const { DateTime } = luxon;

/** A pause ends by itself, and nobody tells. */
export function getsLeads({ available, until }) {
    return available || Boolean(until && deserializeDateTime(until) <= DateTime.now());
}

/** "until 14:30" or why, for a user who gets no leads. */
export function pauseInWords({ until, reason }) {
    if (reason) {
        return reason;
    }
    if (!until) {
        return _t("until you end it");
    }
    const end = deserializeDateTime(until);
    const today = end.hasSame(DateTime.now(), "day");
    const moment = today
        ? end.toLocaleString(DateTime.TIME_SIMPLE)
        : toLocaleDateTimeString(end);
    return _t("until %(moment)s", { moment });
}

/** Pause, or say that one is back. */
export class LeadAvailabilityDialog extends Component {
    static template = "lead_pipeline.LeadAvailabilityDialog";
    static components = { Dialog };
    static props = { close: Function };

    setup() {
        this.availability = useService("lead_availability");
        this.state = useState(this.availability.state);
        this.title = _t("New leads for me");
    }

    get available() {
        return getsLeads(this.state);
    }
    get pause() {
        return pauseInWords(this.state);
    }
    async set(available, until) {
        await this.availability.set(available, until);
        this.props.close();
    }
    forAnHour() {
        return this.set(false, DateTime.now().plus({ hours: 1 }));
    }
    forToday() {
        return this.set(false, DateTime.now().endOf("day").plus({ seconds: 1 }));
    }
    forNow() {
        return this.set(false);
    }
    back() {
        return this.set(true);
    }
}
