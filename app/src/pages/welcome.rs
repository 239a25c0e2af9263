//! The first start: the link that the server printed makes the first administrator. Opening it uses nothing up; only the
//! form does.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::address;
use crate::components::{Callout, FieldKind, PageHeader, PasswordFields, TextField, Tone};

/// `/welcome`.
#[component]
pub fn WelcomePage() -> impl IntoView {
    let search = use_location().search;
    let value =
        |name: &str| search.with_untracked(|s| address::pairs(s).find(|(key, _)| key == name).map(|(_, value)| value));
    let key = value("key").filter(|key| !key.is_empty());
    let failed = value("failed").map(|word| {
        let (title, advice) = said(&word);
        view! {
            <div id="welcome-failed">
                <Callout tone=Tone::Bad title=title>
                    <p>{advice}</p>
                </Callout>
            </div>
        }
    });
    let described = failed.is_some().then_some("welcome-failed");
    let lead = "Stepback has no user yet. The first one is its administrator, and can add the others.";
    view! {
        <div class="gate">
            <PageHeader tab="Welcome" lead=lead.into_any()>
                "Welcome to Stepback"
            </PageHeader>
            {failed}
            {match key {
                None => view! { <NoKey /> }.into_any(),
                Some(key) => view! { <FirstAdministrator key=key described=described /> }.into_any(),
            }}
        </div>
    }
}

#[component]
fn NoKey() -> impl IntoView {
    view! {
        <Callout tone=Tone::Idle title="This page needs the link from the terminal.">
            <p>
                "When Stepback starts without any user it prints a link as its last line. Open that link. Should it be lost, \
                start Stepback again, or make the user on its own machine: "
                <code>"stepback user add NAME --role administrator"</code>
            </p>
            <p>
                "There is a user already? " <a href="/sign-in" rel="external">
                    "Sign in"
                </a>
            </p>
        </Callout>
    }
}

#[component]
fn FirstAdministrator(key: String, described: Option<&'static str>) -> impl IntoView {
    view! {
        <section class="card" aria-label="First administrator">
            <form class="body" method="post" action="/session/welcome">
                <input type="hidden" name="key" value=key />
                <TextField
                    id="name"
                    name="name"
                    label="Your name"
                    kind=FieldKind::Name
                    hint="Letters, digits and . _ - @. It stands in the log of every run you start."
                    required=true
                    autofocus=true
                    most=64
                    pattern=Some("[A-Za-z0-9._@\\-]+")
                    autocomplete="username"
                    described=described
                />
                <PasswordFields prefix="first" again=true />
                <div class="actions">
                    <button class="btn primary" type="submit">
                        "Make the first administrator"
                    </button>
                </div>
            </form>
            <footer>
                <p>"The link works once. Nothing is made before you press the button."</p>
            </footer>
        </section>
    }
}

/// What a failure's word says, and what to do.
fn said(word: &str) -> (&'static str, &'static str) {
    match word {
        "name" => ("That name is not allowed.", "Use 1 to 64 letters, digits and the signs . _ - @. Nobody was made."),
        "password" => (
            "That password is not allowed.",
            "Use at least 12 characters, not your name, and none of the passwords that everybody tries first. Nobody was \
             made.",
        ),
        "again" => ("The two passwords differ.", "Type the same password twice. Nobody was made."),
        "unavailable" => (
            "The account could not be written.",
            "Nobody was made. Try again in a moment; if it stays so, see Stepback’s own log on the server.",
        ),
        _ => (
            "The link is used up, or not of this start.",
            "Nobody was made. Sign in if there is a user already. Else start Stepback again and open the link that it \
             prints then.",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_says_that_nobody_was_made() {
        for word in ["name", "password", "again", "unavailable", "key", "<script>"] {
            assert!(said(word).1.contains("Nobody was"), "{word}");
        }
    }
}
