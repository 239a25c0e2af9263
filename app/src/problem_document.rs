//! A problem as a page of its own, for whoever opened an address that the server refuses before any page is rendered.
//! Without scripts, and without the navigation: nobody may be signed in, and nothing may work.

use leptos::prelude::*;
use rollback_types::Problem;

use crate::format;

/// The whole document; `css` is the address of the style sheet.
pub fn problem_document(problem: &Problem, css: &str) -> String {
    let line = |term: &'static str, text: &Option<String>| {
        text.as_ref()
            .map(|text| view! { <p><b>{term}</b>" "<span class="foreign">{format::visible_lines(text)}</span></p> })
    };
    // A title holds only text, so the renderer's own marks between pieces would be read there.
    let title = crate::tab_title(problem.title.clone());
    let run = problem
        .active_run
        .map(|id| view! { <a class="btn" href=format!("/runs/{id}")>{format!("Open run #{id}")}</a> });
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
                            <section class="card">
                                <div class="body">
                                    <p class="foreign">{format::visible_lines(&problem.detail)}</p>
                                    {line("Safe:", &problem.safe)}
                                    {line("What to do:", &problem.remedy)}
                                    <div class="actions">
                                        {run}
                                        <a class="btn primary" href="/">
                                            "To the overview"
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
    use rollback_types::ProblemKind;

    use super::*;

    #[test]
    fn it_says_all_three_and_runs_nothing_it_was_given() {
        let problem = Problem::new(ProblemKind::TooManyRequests, "<script>alert(1)</script> \u{202e}too many")
            .safe("Nothing was changed.")
            .remedy("Wait a minute.");
        let page = problem_document(&problem, "/pkg/stepback.css");
        for part in [
            "<!DOCTYPE html>",
            "<title>Too many requests · Stepback</title>",
            "Nothing was changed.",
            "Wait a minute.",
            "429",
        ] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains("<script") && !page.contains('\u{202e}'), "{page}");
    }
}
