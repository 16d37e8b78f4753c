/* Copyright 2026 Lead Pipeline contributors
 * License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0) */
import { registry } from "@web/core/registry";
import { ControllerNotFoundError } from "@web/webclient/actions/action_service";

/** Leave the form of a lead that the user has no more, back to where they came from. */
async function leave(env) {
    const { action } = env.services;
    try {
        await action.restore();
    } catch (error) {
        if (!(error instanceof ControllerNotFoundError)) {
            throw error;
        }
        await action.doAction("crm.crm_lead_action_pipeline", { clearBreadcrumbs: true });
    }
}

registry.category("actions").add("lead_pipeline.leave", leave);
