//! Buttons, fields and dialogs.

use leptos::prelude::*;

use crate::components::{
    Card, Chip, Dialog, DialogButton, FieldKind, FilterChips, Icon, IconName, Pagination, PasswordFields, SearchField,
    TextArea, TextField,
};

/// Buttons in every state, and links that look like them.
#[component]
pub(super) fn ButtonsSection() -> impl IntoView {
    let button = |class: &'static str, word: &'static str, disabled: bool| {
        view! {
            <button class=class type="button" disabled=disabled>
                {word}
            </button>
        }
    };
    view! {
        <Card title="Buttons">
            <div class="body">
                <p class="specimens">
                    {button("btn primary", "The way on", false)} {button("btn", "Another way", false)}
                    {button("btn danger", "Roll back v7_minor…231502", false)} {button("btn small", "Small", false)}
                </p>
                <p class="specimens">
                    {button("btn primary", "The way on", true)} {button("btn", "Another way", true)}
                    {button("btn danger", "Roll back", true)} {button("btn small", "Small", true)}
                    <span class="role-note">"Needs the role operator."</span>
                </p>
                <p class="specimens">
                    <a class="btn" href="#card-buttons">
                        <Icon name=IconName::Download />
                        "A link with an icon"
                    </a>
                    <button class="btn" type="button" disabled=true>
                        <Icon name=IconName::Spinner />
                        "At work…"
                    </button>
                    <button class="btn small" type="button" aria-pressed="true">
                        "Pressed"
                    </button>
                    <button class="icon-btn" type="button" aria-label="An icon alone, with a name">
                        <Icon name=IconName::Copy />
                    </button>
                </p>
                <h3>"A decision opens in its place"</h3>
                <details class="decision">
                    <summary class="btn small">"Revoke nightly…"</summary>
                    <div class="decision-body">
                        <p>"It opens nothing from then on."</p>
                        <div class="actions">{button("btn danger", "Revoke nightly", false)}</div>
                    </div>
                </details>
                <h3>"Filters and pages"</h3>
                <FilterChips
                    label="Specimen of filters"
                    chips=vec![
                        Chip { label: "all".into(), href: "#card-buttons".into(), on: false, count: Some(112) },
                        Chip { label: "failed".into(), href: "#card-buttons".into(), on: true, count: Some(3) },
                    ]
                />
                <Pagination
                    label="Specimen of pages"
                    first=Some("#card-buttons".to_owned())
                    next=Some("#card-buttons".to_owned())
                />
            </div>
        </Card>
    }
}

/// Fields in every state.
#[component]
pub(super) fn FieldsSection() -> impl IntoView {
    view! {
        // No form: nothing here is to be sent anywhere.
        <Card title="Fields">
            <div class="body">
                <SearchField name="specimen-search" label="Search ids and notes" value="" />
                <div class="fields">
                    <TextField id="specimen-plain" name="plain" label="Reason" required=true />
                    <TextField id="specimen-optional" name="optional" label="Note" hint="It stands in the run’s report." />
                    <TextField
                        id="specimen-technical"
                        name="technical"
                        label="Address"
                        kind=FieldKind::Technical
                        value="http://127.0.0.1:6334"
                        required=true
                    />
                    <TextField
                        id="specimen-secret"
                        name="secret"
                        label="API key"
                        kind=FieldKind::Secret
                        hint="Never given back by the server."
                    />
                    <TextField
                        id="specimen-wrong"
                        name="wrong"
                        label="Path of metadata.db"
                        kind=FieldKind::Technical
                        value="metadata.db"
                        error=Some("Give the whole path, from the first / on.".to_owned())
                        hint="Such as /srv/hybridflow/metadata.db"
                        required=true
                    />
                    <TextField
                        id="specimen-disabled"
                        name="disabled"
                        label="Type the version id"
                        disabled="Needs the role operator."
                    />
                </div>
                <div class="field">
                    <label for="specimen-select">"Role"</label>
                    <select id="specimen-select" name="select">
                        <option>"viewer"</option>
                        <option selected=true>"operator"</option>
                    </select>
                </div>
                <TextArea id="specimen-area" name="area" label="What happened" hint="Others read it afterwards." />
                <label class="check-label">
                    <input type="checkbox" name="seen" checked=true />
                    "I have seen that relationships cross into production."
                </label>
                <PasswordFields prefix="specimen" again=false />
            </div>
        </Card>
    }
}

/// A dialog, as part of the page and opened above it.
#[component]
pub(super) fn DialogSection() -> impl IntoView {
    view! {
        <Card title="Dialog">
            <div class="body">
                <Dialog id="specimen-dialog-shown" title="Abort run #42?" inline=true close="Go on with the run">
                    <p>"What is through stays so. The version is offered as “take over”."</p>
                </Dialog>
                <p>
                    <DialogButton dialog="specimen-dialog">"Open one above the page"</DialogButton>
                </p>
                <Dialog id="specimen-dialog" title="A dialog above the page">
                    <p>"The browser keeps the focus inside, closes it by Esc, and gives the focus back."</p>
                </Dialog>
            </div>
        </Card>
    }
}
