/* Copyright 2026 Lead Pipeline contributors
 * License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0) */
import { Component, useState } from "@odoo/owl";
import { registry } from "@web/core/registry";
import { useService } from "@web/core/utils/hooks";
import { useRecordObserver } from "@web/model/relational_model/utils";
import { formatFloat } from "@web/views/fields/formatters";
import { standardWidgetProps } from "@web/views/widgets/standard_widget_props";
import { formatMoment } from "../score/lead_grade_field";
import { formatOwed } from "./lead_decision";

/** Whose turn it is in a pool: everybody's share, what they got, what they are owed. */
export class LeadPoolLedger extends Component {
    static template = "lead_pipeline.LeadPoolLedger";
    static props = { ...standardWidgetProps };

    setup() {
        this.orm = useService("orm");
        this.formatMoment = formatMoment;
        this.formatOwed = formatOwed;
        this.state = useState({ ledger: null });
        useRecordObserver(({ resId }) => this.load(resId));
    }

    async load(resId = this.props.record.resId) {
        this.state.ledger = resId
            ? await this.orm.call("lead.pool", "ledger", [resId])
            : null;
    }

    get ledger() {
        return this.state.ledger;
    }

    percent(share) {
        return share === null ? "" : `${formatFloat(100 * share, { digits: [16, 1] })} %`;
    }

    number(value) {
        return formatFloat(value, { digits: [16, 2] });
    }
}

registry.category("view_widgets").add("lead_pool_ledger", { component: LeadPoolLedger });
