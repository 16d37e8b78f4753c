/* Copyright 2026 Lead Pipeline contributors
 * License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0) */
import { Component, useState } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { getsLeads, pauseInWords } from "./lead_availability_dialog";

/** Whoever gets no new leads sees so, on every screen. */
export class LeadAvailabilitySystray extends Component {
    static template = "lead_pipeline.LeadAvailabilitySystray";
    static props = {};

    setup() {
        this.availability = useService("lead_availability");
        this.state = useState(this.availability.state);
    }

    get shown() {
        return this.state.member && !getsLeads(this.state);
    }
    get words() {
        return _t("You get no new leads: %(pause)s", { pause: pauseInWords(this.state) });
    }
}

registry
    .category("systray")
    .add(
        "lead_pipeline.availability",
        { Component: LeadAvailabilitySystray },
        { sequence: 30 }
    );
