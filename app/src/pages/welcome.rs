//! The first start: the link that the server printed makes the first administrator. Opening it uses nothing up; only the
//! form does.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::components::password::broken_rule;
use crate::components::{Callout, FieldKind, PageHeader, PasswordFields, TextField, Tone};
use crate::{address, format};

/// What is known of the link that led here. The server gives it as a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WelcomeLink {
    /// It makes the first administrator.
    Good,
    /// There are users already: it was used, or they were made in another way.
    Used,
    /// Nobody is here, and it is not the one that this start printed.
    Unknown,
}

/// `/welcome`.
#[component]
pub fn WelcomePage() -> impl IntoView {
    let search = use_location().search;
    let value =
        |name: &str| search.with_untracked(|s| address::pairs(s).find(|(key, _)| key == name).map(|(_, value)| value));
    let key = value("key").filter(|key| !key.is_empty());
    let word = value("failed").unwrap_or_default();
    let name = value("name").map(|name| format::clip(&name, LONGEST_NAME)).unwrap_or_default();
    let link = use_context::<WelcomeLink>().unwrap_or(WelcomeLink::Unknown);
    let content = match (key, link) {
        (_, WelcomeLink::Used) => view! { <Used /> }.into_any(),
        (Some(key), WelcomeLink::Good) => view! { <FirstAdministrator key=key name=name word=word /> }.into_any(),
        // Where a form was refused for its key the address carries none any more.
        (key, WelcomeLink::Unknown) if key.is_some() || word == "key" => {
            view! {
                <Callout tone=Tone::Bad title="This link is not of this start.">
                    <p>"Nobody was made. Each start of Stepback without a user prints a new link, and only the last one works."</p>
                </Callout>
                <NoKey />
            }
                .into_any()
        }
        (_, WelcomeLink::Good | WelcomeLink::Unknown) => view! { <NoKey /> }.into_any(),
    };
    let lead = match link {
        WelcomeLink::Used => "Stepback has a user already.",
        _ => "Stepback has no user yet. The first one is its administrator, and can add the others.",
    };
    view! {
        <div class="gate">
            <PageHeader tab="Welcome" lead=lead.into_any()>
                "Welcome to Stepback"
            </PageHeader>
            {content}
        </div>
    }
}

/// A user's name is no longer.
const LONGEST_NAME: usize = 64;

/// There is nothing left to do by the link.
#[component]
fn Used() -> impl IntoView {
    view! {
        <Callout tone=Tone::Idle title="This link works no more: there is a user already.">
            <p>"It was used, or somebody was made in another way. Sign in; who has no account yet asks an administrator for one."</p>
            <p>
                <a class="btn primary" href="/sign-in" rel="external">
                    "Sign in"
                </a>
            </p>
        </Callout>
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
        </Callout>
    }
}

#[component]
fn FirstAdministrator(
    key: String,
    /// What was typed, where the form was refused.
    name: String,
    /// Why it was refused; empty where it was not.
    word: String,
) -> impl IntoView {
    let failed = (!word.is_empty()).then(|| {
        let (title, advice) = said(&word);
        view! {
            <Callout tone=Tone::Bad title=title>
                <p>{advice}</p>
            </Callout>
        }
    });
    let wrong_name = (word == "name").then(|| "Use 1 to 64 letters, digits and the signs . _ - @.".to_owned());
    view! {
        {failed}
        <section class="card" aria-label="First administrator">
            <form class="body" method="post" action="/session/welcome">
                <input type="hidden" name="key" value=key />
                <TextField
                    id="name"
                    name="name"
                    label="Your name"
                    kind=FieldKind::Name
                    value=name
                    error=wrong_name
                    hint="Letters, digits and . _ - @. It stands in the log of every run you start."
                    required=true
                    autofocus=true
                    most=LONGEST_NAME
                    pattern=Some("[A-Za-z0-9._@\\-]+")
                    autocomplete="username"
                />
                <PasswordFields prefix="first" again=true refused=word />
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
        "name" => ("That name is not allowed.", "Nobody was made. What is wrong stands at its field."),
        "again" => ("The two passwords differ.", "Nobody was made. Type the same password twice."),
        "unavailable" => (
            "The account could not be written.",
            "Nobody was made. Try again in a moment; if it stays so, see Stepback’s own log on the server.",
        ),
        word if broken_rule(word).is_some() => {
            ("That password is not allowed.", "Nobody was made. Which rule it breaks stands at its field.")
        }
        _ => ("The form was refused.", "Nobody was made. Fill it in again."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_says_that_nobody_was_made() {
        for word in ["name", "short", "long", "guessable", "again", "unavailable", "key", "<script>"] {
            assert!(said(word).1.contains("Nobody was made"), "{word}");
        }
    }
}
