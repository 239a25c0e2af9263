//! A problem told in full, for pages that show nothing else: what happened, what is safe, what to do.

use leptos::prelude::*;
use rollback_types::Problem;

use crate::format;

/// Errors are written to stand within a sentence; here each is one. A first word that may be a name stays as it is.
fn sentence(text: &str) -> String {
    let word = text.split(' ').next().unwrap_or_default();
    let plain = !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
    let mut out = match text.get(..1).filter(|_| plain) {
        Some(first) => first.to_ascii_uppercase() + &text[1..],
        None => text.to_owned(),
    };
    if text.ends_with(|c: char| c.is_alphanumeric()) {
        out.push('.');
    }
    out
}

/// The three things that every error says, as far as it says them.
#[component]
pub fn ProblemFacts(
    /// The problem.
    problem: Problem,
) -> impl IntoView {
    let fact = |term: &'static str, text: Option<String>| {
        text.map(|text| {
            view! {
                <div>
                    <dt>{term}</dt>
                    <dd class="foreign">{format::visible_lines(&text)}</dd>
                </div>
            }
        })
    };
    let refusals = problem
        .refusals
        .iter()
        .map(|r| view! { <li class="foreign">{format::visible_lines(&r.message)}</li> })
        .collect_view();
    view! {
        <dl class="problem-facts">
            {fact("What happened", Some(sentence(&problem.detail)))}
            {fact("What is safe", problem.safe)}
            {fact("What to do", problem.remedy)}
        </dl>
        {(!problem.refusals.is_empty()).then(|| view! { <ul>{refusals}</ul> })}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_becomes_a_sentence_and_a_name_stays_as_it_is() {
        assert_eq!(sentence("the disk of the journal is full"), "The disk of the journal is full.");
        assert_eq!(sentence("v2_minor is no candidate."), "v2_minor is no candidate.");
        assert_eq!(sentence("restore: \"x\" is no store"), "restore: \"x\" is no store.");
        assert_eq!(sentence(""), "");
    }
}
