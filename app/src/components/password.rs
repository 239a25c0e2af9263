//! Fields for a new password.

use leptos::prelude::*;

/// The shortest password, in characters. The server checks it again.
const SHORTEST: u32 = 12;
/// The longest.
const LONGEST: u32 = 128;

/// A new password, and the same once more if asked for. The fields are named `password` and `again`.
#[component]
pub fn PasswordFields(
    /// Begins the ids, so that a page may have several.
    #[prop(into)]
    prefix: String,
    /// Ask for it twice.
    again: bool,
) -> impl IntoView {
    let (id, hint, second) =
        (format!("{prefix}-password"), format!("{prefix}-password-hint"), format!("{prefix}-again"));
    let shown = if again { format!("{id} {second}") } else { id.clone() };
    view! {
        <div class="field">
            <label for=id.clone()>"Password"</label>
            <input
                id=id
                name="password"
                type="password"
                required
                minlength=SHORTEST
                maxlength=LONGEST
                autocomplete="new-password"
                aria-describedby=hint.clone()
            />
            <span class="hint" id=hint>
                {format!("At least {SHORTEST} characters. A few words together are good; no signs are asked for.")}
            </span>
        </div>
        {again
            .then(|| {
                view! {
                    <div class="field">
                        <label for=second.clone()>"Password, once more"</label>
                        <input
                            id=second
                            name="again"
                            type="password"
                            required
                            maxlength=LONGEST
                            autocomplete="new-password"
                        />
                    </div>
                }
            })}
        <ShowTyped of=shown />
    }
}

/// Shows what stands in fields for passwords, and hides it again.
#[component]
pub fn ShowTyped(
    /// The ids of the fields.
    #[prop(into)]
    of: String,
) -> impl IntoView {
    view! {
        <label class="check-label small needs-js">
            <input type="checkbox" data-shows=of autocomplete="off" />
            "Show what is typed"
        </label>
    }
}
