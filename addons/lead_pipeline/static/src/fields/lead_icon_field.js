/* Copyright 2026 Lead Pipeline contributors
 * License LGPL-3.0-or-later (https://www.gnu.org/licenses/lgpl-3.0) */
import { registry } from "@web/core/registry";
import { SelectionField, selectionField } from "@web/views/fields/selection/selection_field";

const CHANNEL_ICONS = {
    ad: "fa-bullhorn",
    form: "fa-list-alt",
    website: "fa-globe",
    email: "fa-envelope",
    phone: "fa-phone",
    chat: "fa-comments",
    event: "fa-ticket",
    referral: "fa-handshake-o",
    import: "fa-upload",
};
const TOUCHPOINT_ICONS = {
    page_view: "fa-eye",
    form_submit: "fa-list-alt",
    email_sent: "fa-paper-plane",
    email_open: "fa-envelope-open-o",
    email_click: "fa-mouse-pointer",
    email_reply: "fa-envelope",
    call_in: "fa-phone",
    call_out: "fa-phone",
    sms: "fa-mobile",
    chat: "fa-comments",
    meeting: "fa-calendar",
    ad_click: "fa-bullhorn",
    event: "fa-ticket",
    note: "fa-sticky-note-o",
};

/** A selection, read only, with an icon for each of its values. */
class LeadIconField extends SelectionField {
    static template = "lead_pipeline.LeadIconField";
    static icons = {};
    static hasLabel = true;

    get icon() {
        return this.constructor.icons[this.value] || "fa-circle-o";
    }
    get hasLabel() {
        return this.constructor.hasLabel;
    }
    get tooltip() {
        return this.string;
    }
}

export class LeadChannelTypeField extends LeadIconField {
    static icons = CHANNEL_ICONS;
    static hasLabel = false;
}

export class LeadTouchpointKindField extends LeadIconField {
    static icons = TOUCHPOINT_ICONS;

    /** Why it was no person, where a rule says so. */
    get tooltip() {
        const { data, fields } = this.props.record;
        const reasons = (data.robot && fields.robot?.selection) || [];
        const [, reason] = reasons.find(([value]) => value === data.robot) || [];
        return reason ? `${this.string}: ${reason}` : this.string;
    }
}

registry.category("fields").add("lead_channel_type", {
    ...selectionField,
    component: LeadChannelTypeField,
    supportedTypes: ["selection"],
});
registry.category("fields").add("lead_touchpoint_kind", {
    ...selectionField,
    component: LeadTouchpointKindField,
    supportedTypes: ["selection"],
});
