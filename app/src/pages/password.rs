//! One's own password, and where one is signed in. Plain forms.

use leptos::prelude::*;
use leptos::server_fn::ServerFn as _;
use leptos_router::hooks::use_location;
use rollback_types::SessionView;

use crate::api::access::{EndSession, own_sessions};
use crate::components::password::broken_rule;
use crate::components::{
    Callout, ErrorPanel, FieldKind, Loading, PageHeader, PasswordFields, Said, TextField, Time, Tone,
};
use crate::{address, notice};

/// `/password`.
#[component]
pub fn PasswordPage() -> impl IntoView {
    let search = use_location().search;
    let value =
        |name: &str| search.with_untracked(|s| address::pairs(s).find(|(key, _)| key == name).map(|(_, value)| value));
    let failed = value("failed");
    let word = failed.clone().unwrap_or_default();
    let said = match (value("done"), failed) {
        (_, Some(word)) => Some((Tone::Bad, failure(&word))),
        (Some(_), None) => {
            let advice = "It holds from now on. Your other sign-ins have ended; this one goes on.";
            Some((Tone::Good, ("Your password is changed.", advice)))
        }
        (None, None) => None,
    };
    let said = said.map(|(tone, (title, advice))| {
        view! {
            <Callout tone=tone title=title>
                <p>{advice}</p>
            </Callout>
        }
    });
    let another = (word == "refused").then(|| "This is not your password.".to_owned());
    let lead = "Changing it ends your sign-ins everywhere but here.";
    view! {
        <div class="gate">
            <PageHeader tab="Password" lead=lead.into_any()>
                "Your password"
            </PageHeader>
            <Said />
            {notice::refused::<EndSession>().map(|problem| view! { <ErrorPanel problem=problem /> })}
            {said}
            <section class="card" aria-label="Change your password">
                <form class="body" method="post" action="/session/password">
                    <TextField
                        id="current"
                        name="current"
                        label="The password of now"
                        kind=FieldKind::Secret
                        required=true
                        most=256
                        autocomplete="current-password"
                        error=another
                    />
                    <PasswordFields prefix="next" again=true refused=word />
                    <div class="actions">
                        <button class="btn primary" type="submit">
                            "Change the password"
                        </button>
                    </div>
                </form>
                <footer>
                    <p>"Lost it? An administrator can set another one, on the page People or on the server’s own machine."</p>
                </footer>
            </section>
            <SignIns />
        </div>
    }
}

#[component]
fn SignIns() -> impl IntoView {
    let sessions = Resource::new_blocking(|| (), |()| own_sessions());
    view! {
        <Transition fallback=Loading>
            {move || Suspend::new(async move {
                match sessions.await {
                    Ok(list) => {
                        let items = list.into_iter().map(|session| view! { <SignIn session=session /> }).collect_view();
                        view! {
                            <section class="card" aria-label="Your sign-ins">
                                <div class="body">
                                    <h2>"Where you are signed in"</h2>
                                    <ul class="plain-list">{items}</ul>
                                </div>
                            </section>
                        }
                            .into_any()
                    }
                    Err(problem) => view! { <ErrorPanel problem=problem retry="/password" /> }.into_any(),
                }
            })}
        </Transition>
    }
}

#[component]
fn SignIn(session: SessionView) -> impl IntoView {
    let SessionView { id, since, last_used_at, is_this_one } = session;
    let end = (!is_this_one).then(|| {
        view! {
            <form method="post" action=EndSession::PATH>
                <input type="hidden" name="id" value=id />
                <button class="btn small" type="submit">
                    "End this one"
                </button>
            </form>
        }
    });
    view! {
        <li>
            <p>
                "Since " <Time at=since /> ", last used " <Time at=last_used_at />
                {if is_this_one { " (this one)" } else { "" }}
            </p>
            {end}
        </li>
    }
}

/// What a failure's word says, and what to do.
fn failure(word: &str) -> (&'static str, &'static str) {
    match word {
        "again" => ("The two new passwords differ.", "Type the new one twice. Your password is as it was."),
        word if broken_rule(word).is_some() => (
            "That new password is not allowed.",
            "Which rule it breaks stands at its field. Your password is as it was.",
        ),
        "wait" => (
            "Too many tries failed.",
            "Wait a while, at most a quarter of an hour, then try again. Your password is as it was.",
        ),
        "none" => {
            ("You have no password here.", "You sign in at a provider: change it there. Your password is as it was.")
        }
        "unavailable" => (
            "The new password could not be written.",
            "Your password is as it was. Try again in a moment; if it stays so, see Stepback’s own log on the server.",
        ),
        _ => ("The password of now is another.", "Type it again. Your password is as it was."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_says_that_nothing_was_changed() {
        for word in ["again", "short", "guessable", "wait", "none", "unavailable", "refused", "<script>"] {
            assert!(failure(word).1.contains("Your password is as it was."), "{word}");
        }
    }
}
