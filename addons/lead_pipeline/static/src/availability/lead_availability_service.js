/* Copyright 2026 Lead Pipeline contributors
 * License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0) */
import { reactive } from "@odoo/owl";
import { serializeDateTime } from "@web/core/l10n/dates";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { session } from "@web/session";
import { getsLeads, LeadAvailabilityDialog } from "./lead_availability_dialog";

/** Whether this user gets new leads, as the server knows it. */
export const leadAvailabilityService = {
    dependencies: ["bus_service", "dialog", "orm"],

    start(env, { bus_service, dialog, orm }) {
        const state = reactive({
            member: false,
            available: true,
            until: false,
            reason: false,
            ...session.lead_availability,
        });
        bus_service.subscribe("lead_pipeline.availability", (news) =>
            Object.assign(state, news)
        );

        return {
            state,
            /**
             * @param {boolean} available
             * @param {luxon.DateTime} [until] the end of a pause; none: until the user
             *      ends it
             */
            async set(available, until) {
                const news = await orm.call("res.users", "set_lead_availability", [
                    available,
                    until ? serializeDateTime(until) : false,
                ]);
                Object.assign(state, news);
            },
            ask() {
                dialog.add(LeadAvailabilityDialog);
            },
        };
    },
};

registry.category("services").add("lead_availability", leadAvailabilityService);

function availabilityItem(env) {
    const service = env.services.lead_availability;
    return {
        type: "item",
        id: "lead_availability",
        hide: !service.state.member,
        description: getsLeads(service.state) ? _t("I get new leads") : _t("I get no new leads"),
        callback: () => service.ask(),
        sequence: 5,
    };
}

registry.category("user_menuitems").add("lead_availability", availabilityItem);
