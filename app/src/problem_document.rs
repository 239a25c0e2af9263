//! A problem as a page of its own, for whoever opened an address that the server refuses before any page is rendered, and
//! is not signed in or cannot be shown more. Without scripts, and without the navigation: nothing may work.

use leptos::prelude::*;
use rollback_types::{Problem, ProblemKind};

use crate::components::ProblemFacts;
use crate::format;

/// The whole document; `css` is the address of the style sheet, `came_from` the page of ours that led here.
pub fn problem_document(problem: &Problem, css: &str, came_from: Option<&str>) -> String {
    // A title holds only text, so the renderer's own marks between pieces would be read there.
    let title = crate::tab_title(problem.title.clone());
    let run = problem
        .active_run
        .map(|id| view! { <a class="btn" href=format!("/runs/{id}")>{format!("Open run #{id}")}</a> });
    let (way_on, words) = match problem.kind {
        ProblemKind::SignInRequired => {
            (format!("/sign-in{}", format::query([("next", came_from.unwrap_or_default())])), "Sign in")
        }
        _ => ("/".to_owned(), "To the overview"),
    };
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <meta name="robots" content="noindex" />
                <title inner_html=title></title>
                <link rel="stylesheet" href=css.to_owned() />
                <link rel="icon" href="/favicon.svg" type="image/svg+xml" />
            </head>
            <body>
                <div class="app alone">
                    <main id="main">
                        <div class="gate">
                            <div class="head">
                                <div>
                                    <div class="tag">{format!("Stepback · {}", problem.status)}</div>
                                    <h1>{problem.title.clone()}</h1>
                                </div>
                            </div>
                            <section class="card problem-page" aria-label="What happened, and what to do">
                                <div class="body">
                                    <ProblemFacts problem=problem.clone() />
                                    <div class="actions">
                                        {run}
                                        <a class="btn primary" href=way_on>
                                            {words}
                                        </a>
                                    </div>
                                </div>
                            </section>
                        </div>
                    </main>
                </div>
            </body>
        </html>
    }
    .to_html()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_all_three_and_runs_nothing_it_was_given() {
        let problem = Problem::new(ProblemKind::TooManyRequests, "<script>alert(1)</script> \u{202e}too many")
            .safe("Nothing was changed.")
            .remedy("Wait a minute.");
        let page = problem_document(&problem, "/pkg/stepback.css", None);
        for part in [
            "<!DOCTYPE html>",
            "<title>Too many requests · Stepback</title>",
            "What happened",
            "Nothing was changed.",
            "Wait a minute.",
            "429",
            "href=\"/\"",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains("<script") && !page.contains('\u{202e}'), "{page}");
    }

    #[test]
    fn who_must_sign_in_first_is_led_there_and_back() {
        let problem = Problem::new(ProblemKind::SignInRequired, "Nobody is signed in.");
        let page = problem_document(&problem, "/pkg/stepback.css", Some("/versions/v2/plan?restore=none"));
        assert!(page.contains("href=\"/sign-in?next=%2Fversions%2Fv2%2Fplan%3Frestore%3Dnone\""), "{page}");
        assert!(problem_document(&problem, "", None).contains("href=\"/sign-in\""));
    }
}
