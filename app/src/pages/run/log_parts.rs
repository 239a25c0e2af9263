//! The log without JavaScript: the page shows its end, and plain links lead back through it, part by part.
#![allow(missing_docs, reason = "the component macro makes an undocumented props type")]

use leptos::prelude::*;
use rollback_types::{LogPart, Problem, RunId, RunView};

use super::log::line_view;
use super::log_window::Window;
use crate::address;
use crate::components::{Card, ErrorPanel};

/// The parameter of the address that asks for the lines before an event.
const BEFORE: &str = "log_before";

/// The event before which lines of the log are asked for, by the page's address.
pub(super) fn asked(search: &str) -> Option<u64> {
    address::pairs(search).find(|(key, _)| key == BEFORE)?.1.parse().ok()
}

/// The number of the first line that the page's log begins with, where the log has earlier ones.
pub(super) fn begins_with(view: &RunView) -> Option<u64> {
    let window = Window::at_end_of(&view.log);
    window.first().filter(|_| window.has_earlier())
}

/// The way to earlier lines, or those that were asked for, or why they cannot be shown.
#[component]
pub(super) fn EarlierLog(run: RunId, first: Option<u64>, part: Option<Result<LogPart, Problem>>) -> impl IntoView {
    let earlier = move |number: u64| {
        view! {
            <a class="btn small" href=format!("/runs/{run}?{BEFORE}={number}#card-earlier-in-the-log")>
                "Show earlier lines"
            </a>
        }
    };
    let Some(part) = part else {
        return view! { <noscript>{first.map(earlier)}</noscript> }.into_any();
    };
    let part = match part {
        Ok(part) => part,
        Err(problem) => {
            return view! {
                <noscript>
                    <Card title="Earlier in the log">
                        <ErrorPanel problem=problem retry=format!("/runs/{run}") />
                    </Card>
                </noscript>
            }
            .into_any();
        }
    };
    let before = part.lines.first().map(|line| line.number).filter(|_| part.earlier);
    let lines = part.lines.iter().map(|line| line_view(line, None)).collect_view();
    view! {
        <noscript>
            <Card title="Earlier in the log">
                <div class="log wrap">{lines}</div>
                <p class="body">
                    {before.map(earlier)} " "
                    <a class="btn small" href=format!("/runs/{run}#card-log")>
                        "Back to the end"
                    </a>
                </p>
            </Card>
        </noscript>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::asked;

    #[test]
    fn only_a_number_asks_for_a_part() {
        assert_eq!(asked("?log_before=401"), Some(401));
        assert_eq!((asked(""), asked("?log_before=x"), asked("?other=1")), (None, None, None));
    }
}
