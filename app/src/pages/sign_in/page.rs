//! The page of the door.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use super::count_down::{CountDown, waiting};
use crate::address;
use crate::components::{Callout, FieldKind, Icon, IconName, PageHeader, ShowTyped, TextField, Tone};
use crate::format;
use crate::frame::Deployment;

/// `/sign-in`.
#[component]
pub fn SignInPage() -> impl IntoView {
    let search = use_location().search;
    let asked = search.with_untracked(|s| Asked::read(s));
    let described = asked.failed.is_some().then_some("sign-in-failed");
    let failed = asked.failed.map(|failed| {
        view! {
            <div id="sign-in-failed">
                <Callout tone=Tone::Bad title=failed.title()>
                    {match failed {
                        Failed::Wait(seconds) => view! { <CountDown seconds=seconds /> }.into_any(),
                        other => view! { <p>{other.advice()}</p> }.into_any(),
                    }}
                </Callout>
            </div>
        }
    });
    let provider = use_context::<Deployment>().and_then(|d| d.provider).map(|name| {
        let href = format!("/session/oidc/begin?next={}", format::encode(&asked.next));
        view! {
            // A link: the page's policy holds forms to this server.
            <section class="card" aria-label="Single sign-on">
                <div class="body actions">
                    <a class="btn primary" href=href>
                        <Icon name=IconName::Key />
                        {format!("Sign in with {}", format::visible(&name))}
                    </a>
                </div>
            </section>
        }
    });
    let ended = asked.ended.filter(|_| asked.failed.is_none()).map(|ended| {
        view! {
            <Callout tone=Tone::Idle title=ended.title()>
                {(ended == Ended::Elsewhere)
                    .then(|| {
                        view! { <p>"Somebody signed out in another tab of this browser, or it was ended from elsewhere or by its time."</p> }
                    })}
                <p>"Sign in, and you are led back to where you were."</p>
            </Callout>
        }
    });
    view! {
        <div class="gate">
            <PageHeader tab="Sign in">"Sign in to Stepback"</PageHeader>
            {ended}
            {failed}
            {provider}
            <section class="card" aria-label="Sign in">
                <form class="body" method="post" action="/session/sign-in">
                    <input type="hidden" name="next" value=asked.next />
                    <TextField
                        id="name"
                        name="name"
                        label="Name"
                        kind=FieldKind::Name
                        required=true
                        autofocus=true
                        most=64
                        autocomplete="username"
                        described=described
                    />
                    <TextField
                        id="password"
                        name="password"
                        label="Password"
                        kind=FieldKind::Secret
                        required=true
                        most=256
                        autocomplete="current-password"
                    />
                    <ShowTyped of="password" />
                    <div class="actions">
                        <button class="btn primary" type="submit">
                            "Sign in"
                        </button>
                    </div>
                </form>
                <footer>
                    <p>
                        "No account, or the password is lost? An administrator can help, on the page People or with " <code>"stepback user"</code>
                        " on the server’s own machine. Before there is any account, the link that makes the first one stands in the terminal in which Stepback was started."
                    </p>
                </footer>
            </section>
        </div>
    }
}

/// What the address says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Asked {
    failed: Option<Failed>,
    ended: Option<Ended>,
    next: String,
}

/// What ended the last sign-in; a time-out in minutes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    Idle(u64),
    Time(u64),
    Elsewhere,
}

impl Ended {
    fn title(self) -> String {
        match self {
            Self::Idle(minutes) => {
                format!("You were signed out: nothing was done for {}.", format::minutes_in_words(minutes))
            }
            Self::Time(minutes) => {
                format!("You were signed out: a sign-in lasts {} at most.", format::minutes_in_words(minutes))
            }
            Self::Elsewhere => "Your sign-in has ended.".to_owned(),
        }
    }
}

/// Why the last try failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Failed {
    Refused,
    Wait(u32),
    Unavailable,
    /// The provider gives none of our roles.
    NoRole,
    /// May not sign in here.
    Disabled,
    /// The provider's answer belongs to no sign-in begun here.
    NotBegun,
    /// The provider could not be asked, or proved nothing.
    Provider,
}

/// No wait is longer; whatever an address claims.
const LONGEST_WAIT: u32 = 3_600;

impl Asked {
    fn read(search: &str) -> Self {
        let value = |name: &str| address::pairs(search).find(|(key, _)| key == name).map(|(_, value)| value);
        let seconds = || value("seconds").and_then(|s| s.parse().ok()).unwrap_or(1).clamp(1, LONGEST_WAIT);
        let failed = match value("failed").as_deref() {
            None => None,
            Some("wait") => Some(Failed::Wait(seconds())),
            Some("unavailable") => Some(Failed::Unavailable),
            Some("role") => Some(Failed::NoRole),
            Some("disabled") => Some(Failed::Disabled),
            Some("begun") => Some(Failed::NotBegun),
            Some("provider") => Some(Failed::Provider),
            Some(_) => Some(Failed::Refused),
        };
        // An address that nobody of ours made says nothing that is longer than a month.
        let minutes = value("minutes").and_then(|m| m.parse().ok()).filter(|m| (1..=30 * 24 * 60).contains(m));
        let ended = match (value("ended").as_deref(), minutes) {
            (Some("idle"), Some(minutes)) => Some(Ended::Idle(minutes)),
            (Some("time"), Some(minutes)) => Some(Ended::Time(minutes)),
            (Some("elsewhere"), _) => Some(Ended::Elsewhere),
            _ => None,
        };
        // The server checks again that it leads nowhere else.
        Self { failed, ended, next: value("next").filter(|next| is_local(next)).unwrap_or_default() }
    }
}

/// A path of this server: it begins with one slash, and with no second one of either kind.
fn is_local(path: &str) -> bool {
    let mut chars = path.chars();
    chars.next() == Some('/') && !matches!(chars.next(), Some('/' | '\\'))
}

impl Failed {
    fn title(self) -> &'static str {
        match self {
            Self::Refused => "Name and password do not fit together.",
            Self::Wait(_) => "Too many tries.",
            Self::Unavailable => "Accounts cannot be read now.",
            Self::NoRole => "Your account has no role in Stepback.",
            Self::Disabled => "This user may not sign in here.",
            Self::NotBegun => "That answer belongs to no sign-in that was begun here.",
            Self::Provider => "The provider did not prove who signs in.",
        }
    }

    /// What to do.
    fn advice(self) -> String {
        match self {
            Self::Refused => "Nobody is signed in. Check both and try again; upper and lower case count.".to_owned(),
            Self::Wait(seconds) => waiting(seconds),
            Self::NoRole => "Nobody is signed in. Ask an administrator for a role at the provider.".to_owned(),
            Self::Disabled => "Nobody is signed in. Ask an administrator of Stepback.".to_owned(),
            Self::NotBegun => "Nobody is signed in. Begin here again, in the same browser, within ten minutes.".to_owned(),
            Self::Provider => {
                "Nobody is signed in. Try again in a moment; if it stays so, see Stepback’s own log on the server. Users \
                 with a password can sign in meanwhile."
                    .to_owned()
            }
            Self::Unavailable => {
                "Nobody is signed in, and nothing was changed. Try again in a moment; if it stays so, see Stepback’s own \
                 log on the server."
                    .to_owned()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_why_it_failed_and_where_to_go() {
        let asked = Asked::read("?failed=wait&seconds=8&next=%2Fruns%2F3%3Fa%3Db");
        assert_eq!(asked, Asked { failed: Some(Failed::Wait(8)), ended: None, next: "/runs/3?a=b".into() });
        let asked = Asked::read("?ended=idle&minutes=60&next=%2Fruns");
        assert_eq!(asked, Asked { failed: None, ended: Some(Ended::Idle(60)), next: "/runs".into() });
        assert_eq!(Ended::Idle(60).title(), "You were signed out: nothing was done for 1 hour.");
        assert_eq!(Asked::read("?ended=elsewhere&next=%2F").ended, Some(Ended::Elsewhere));
        for odd in ["?ended=idle", "?ended=idle&minutes=0", "?ended=x&minutes=60", "?ended=time&minutes=99999999"] {
            assert_eq!(Asked::read(odd).ended, None, "{odd}");
        }
        assert_eq!(Asked::read("?failed=wait&seconds=99999999999").failed, Some(Failed::Wait(1)));
        assert_eq!(Asked::read("?failed=wait&seconds=9999999").failed, Some(Failed::Wait(LONGEST_WAIT)));
        assert_eq!(Asked::read("").failed, None);
    }

    #[test]
    fn nobody_is_led_to_another_place() {
        for elsewhere in ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", ""] {
            let search = format!("?next={}", crate::format::encode(elsewhere));
            assert_eq!(Asked::read(&search).next, "", "{elsewhere}");
        }
    }
}
