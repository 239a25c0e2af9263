//! Fields for a new password.

use leptos::prelude::*;

use super::field::{FieldKind, TextField};

/// The shortest password, in characters. The server checks it again.
const SHORTEST: usize = 12;
/// The longest.
const LONGEST: usize = 128;

/// A new password, and the same once more if asked for. The fields are named `password` and `again`.
#[component]
pub fn PasswordFields(
    /// Begins the ids, so that a page may have several.
    #[prop(into)]
    prefix: String,
    /// Ask for it twice.
    again: bool,
    /// The word of a form that was refused: what it says about the passwords stands at their fields.
    #[prop(optional, into)]
    refused: String,
) -> impl IntoView {
    let (id, second) = (format!("{prefix}-password"), format!("{prefix}-again"));
    let shown = if again { format!("{id} {second}") } else { id.clone() };
    let differs = (refused == "again").then(|| "It is not the same as the one above.".to_owned());
    view! {
        <div class="new-password">
        <TextField
            id=id
            name="password"
            label="Password"
            kind=FieldKind::Secret
            error=broken_rule(&refused).map(str::to_owned)
            hint=format!(
                "{SHORTEST} to {LONGEST} characters of any kind. A few words that do not belong together are good; one that is easily guessed is refused.",
            )
            required=true
            least=Some(SHORTEST)
            most=LONGEST
            autocomplete="new-password"
        />
        {again
            .then(|| {
                view! {
                    <TextField
                        id=second
                        name="again"
                        label="Password, once more"
                        kind=FieldKind::Secret
                        error=differs
                        required=true
                        most=LONGEST
                        autocomplete="new-password"
                    />
                }
            })}
        <ShowTyped of=shown />
        </div>
    }
}

/// Which rule a password broke, by the word that the server's answer carries. Nothing where the word is about something
/// else.
pub fn broken_rule(word: &str) -> Option<&'static str> {
    match word {
        "short" => Some("It has fewer than 12 characters; several spaces in a row count as one."),
        "long" => Some("It has more than 128 characters."),
        "guessable" => {
            Some("It is easily guessed: it is little but common words, names (your own too), dates or rows of keys.")
        }
        _ => None,
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

#[cfg(all(test, feature = "ssr"))]
mod tests {
    use super::*;

    #[test]
    fn a_refused_password_is_told_which_rule_it_broke_at_its_field() {
        let html = |refused: &'static str| {
            Owner::new().with(|| view! { <PasswordFields prefix="own" again=true refused=refused /> }.to_html())
        };
        let short = html("short");
        assert!(short.contains("aria-describedby=\"own-password-error own-password-hint\""), "{short}");
        assert!(short.contains("fewer than 12 characters") && short.contains("minlength=\"12\""), "{short}");
        let differs = html("again");
        assert!(differs.contains("id=\"own-again-error\"") && !differs.contains("own-password-error"), "{differs}");
        assert!(!html("").contains("aria-invalid"));
    }
}
