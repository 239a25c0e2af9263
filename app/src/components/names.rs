//! Names that come from elsewhere: any text, long, turned or invisible, and harmless here.

use leptos::prelude::*;
use rollback_types::{RunId, VersionId};

use super::icon::{Icon, IconName};
use crate::format;

/// Characters of an id that a list shows.
const LIST_CHARS: usize = 120;
/// The longest text that is repeated as a tool tip.
const TITLE_CHARS: usize = 200;

fn tool_tip(shown: &str) -> Option<String> {
    (shown.chars().count() < TITLE_CHARS).then(|| shown.to_owned())
}

fn or_empty(shown: String) -> String {
    if shown.is_empty() { "(empty)".to_owned() } else { shown }
}

/// Foreign text of several lines, isolated from the direction of the text around it.
#[component]
pub fn Foreign(
    /// The text as it was read.
    #[prop(into)]
    text: String,
) -> impl IntoView {
    view! { <bdi class="foreign">{format::visible_lines(&text)}</bdi> }
}

/// A version's id, in full as far as ids are sane; it wraps anywhere.
#[component]
pub fn VersionName(
    /// The id.
    id: VersionId,
) -> impl IntoView {
    let shown = or_empty(format::visible(id.as_str()));
    let length = shown.chars().count();
    let rest = (length > TITLE_CHARS)
        .then(|| view! { <span class="muted small">{format!(" {} characters", format::count(length as u64))}</span> });
    view! {
        <bdi class="id">{format::clip(&shown, TITLE_CHARS)}</bdi>
        {rest}
    }
}

/// A link to a version. An id that no address can name stays text.
#[component]
pub fn VersionLink(
    /// The id.
    id: VersionId,
) -> impl IntoView {
    let shown = or_empty(format::visible(id.as_str()));
    let title = tool_tip(&shown);
    let text = format::clip(&shown, LIST_CHARS);
    match format::version_path(id.as_str()) {
        Some(href) => view! {
            <a class="id" href=href title=title>
                <bdi>{text}</bdi>
            </a>
        }
        .into_any(),
        None => view! { <bdi class="id">{text}</bdi> }.into_any(),
    }
}

/// `#42`, leading to the run.
#[component]
pub fn RunLink(
    /// The run.
    id: RunId,
) -> impl IntoView {
    view! { <a class="run-id" href=format!("/runs/{id}")>{format!("#{id}")}</a> }
}

/// A long technical text, cut for the eye, copied in full.
#[component]
pub fn CopyableId(
    /// The full text.
    #[prop(into)]
    text: String,
    /// What is shown in its place; the text itself when absent.
    #[prop(optional, into)]
    shown: Option<String>,
    /// What it is, for assistive software: "SHA-256 of metadata.db".
    #[prop(into)]
    what: String,
) -> impl IntoView {
    let shown = format::visible(&shown.unwrap_or_else(|| text.clone()));
    let title = tool_tip(&format::visible(&text));
    view! {
        <span class="copyable">
            <code title=title>{shown}</code>
            // `alive/copying.rs` answers to it.
            <button class="icon-btn needs-js" type="button" aria-label=format!("Copy {what}") data-copy=text>
                <Icon name=IconName::Copy />
            </button>
            <span class="sr" role="status"></span>
        </span>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_names_are_repeated_as_tool_tips() {
        assert_eq!(tool_tip("v2").as_deref(), Some("v2"));
        assert_eq!(tool_tip(&"x".repeat(10_000)), None);
    }

    #[cfg(feature = "ssr")]
    fn link(id: &str) -> String {
        let id = VersionId::new(id);
        Owner::new().with(|| view! { <VersionLink id=id /> }.to_html())
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn hostile_ids_are_harmless_links() {
        let script = link("<script>alert('1')</script>\"\u{202e}");
        assert!(!script.contains("<script") && !script.contains('\u{202e}'), "{script}");
        // Quotes may not end the attribute the id stands in.
        assert!(
            script.contains(r#"href="/versions/%3Cscript%3Ealert%28%271%27%29%3C%2Fscript%3E%22%E2%80%AE""#),
            "{script}"
        );
        let long = link(&"x".repeat(10_000));
        assert!(!long.contains("title") && long.contains('…'), "{long}");
    }

    #[cfg(feature = "ssr")]
    #[test]
    fn an_id_that_no_address_can_name_is_no_link() {
        for id in ["", ".", ".."] {
            assert!(!link(id).contains("href"), "{id}");
        }
        assert!(link("").contains("(empty)"));
    }
}
