//! Rendering pages on threads of their own, each page on one of them from beginning to end.
//!
//! Leptos' signals tell each other of changes through lists of who listens. Where a page's tasks run on several threads,
//! a change can fall between the look at a value and the entry in its list, and the page waits for ever
//! (leptos-rs/leptos issues 4673 and 4851). On one thread nothing can come in between.

use std::num::NonZero;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use rollback_types::{Problem, ProblemKind};
use tokio_util::task::{AbortOnDropHandle, LocalPoolHandle};

use crate::problem::ApiProblem;

/// Longer than the slowest look at a store may take. A page that is not whole by then has lost its way.
const LONGEST: Duration = Duration::from_secs(120);
/// No page of ours comes near.
const MAX_PAGE: usize = 64 * 1024 * 1024;

/// The threads. Cheap to clone; they end with the last clone.
#[derive(Clone, Debug)]
pub struct PageRenderer {
    threads: LocalPoolHandle,
    longest: Duration,
}

impl PageRenderer {
    /// As many threads as there are processors, two to eight.
    pub fn new() -> Self {
        let processors = std::thread::available_parallelism().map_or(2, NonZero::get);
        Self { threads: LocalPoolHandle::new(processors.clamp(2, 8)), longest: LONGEST }
    }

    /// The same, giving up a page that is not whole within this time.
    pub fn giving_up_after(self, longest: Duration) -> Self {
        Self { longest, ..self }
    }

    /// Renders a page whole. Given up when the one who asked is gone.
    pub(super) async fn render<F>(&self, page: impl FnOnce() -> F + Send + 'static) -> Response
    where
        F: Future<Output = Response> + 'static,
    {
        let rendering =
            AbortOnDropHandle::new(self.threads.spawn_pinned(move || async move { whole(page().await).await }));
        match tokio::time::timeout(self.longest, rendering).await {
            Ok(Ok(page)) => page,
            Ok(Err(error)) => {
                tracing::error!(%error, "rendering a page failed");
                broken("The page could not be rendered.")
            }
            Err(_) => {
                tracing::error!(seconds = self.longest.as_secs(), "a page was not whole in time and was given up");
                let detail =
                    format!("The page was not whole after {} seconds and was given up.", self.longest.as_secs());
                broken(&detail)
            }
        }
    }
}

/// Its whole body is made on this thread too.
async fn whole(page: Response) -> Response {
    let (mut head, body) = page.into_parts();
    match to_bytes(body, MAX_PAGE).await {
        Ok(bytes) => {
            head.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
            Response::from_parts(head, Body::from(bytes))
        }
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered to its end");
            broken("The page could not be rendered to its end.")
        }
    }
}

fn broken(detail: &str) -> Response {
    let problem = Problem::new(ProblemKind::Internal, detail)
        .safe("Nothing was changed; a run that is under way goes on.")
        .remedy("Load the page again. If that does not help, see Stepback's own log.");
    ApiProblem::from(problem).into_response()
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use futures::future;

    use super::*;

    #[tokio::test]
    async fn a_page_that_never_ends_or_panics_is_told_and_the_next_one_comes() {
        let renderer = PageRenderer::new();
        let impatient = renderer.clone().giving_up_after(Duration::from_millis(1));
        let stuck = impatient.render(future::pending).await;
        assert_eq!(stuck.status(), StatusCode::INTERNAL_SERVER_ERROR);
        let panics = renderer.render(|| async { panic!("a defect in a page") }).await;
        assert_eq!(panics.status(), StatusCode::INTERNAL_SERVER_ERROR);
        for _ in 0..16 {
            let page = renderer.render(|| async { "a page".into_response() }).await;
            assert_eq!((page.status(), page.headers()["content-length"].as_bytes()), (StatusCode::OK, &b"6"[..]));
        }
    }

    #[tokio::test]
    async fn a_page_and_the_tasks_it_starts_stay_on_one_thread() {
        let renderer = PageRenderer::new();
        let page = renderer
            .render(|| async {
                let here = std::thread::current().id();
                let tasks: Vec<_> = (0..32).map(|_| tokio::spawn(async { std::thread::current().id() })).collect();
                let there = future::try_join_all(tasks).await.unwrap();
                there.iter().all(|t| *t == here).to_string().into_response()
            })
            .await;
        assert_eq!(to_bytes(page.into_body(), 100).await.unwrap(), "true");
    }

    #[tokio::test]
    async fn a_page_nobody_waits_for_is_given_up() {
        let renderer = PageRenderer::new();
        let (held, mut gone) = tokio::sync::mpsc::channel::<()>(1);
        let page = renderer.render(move || async move {
            let _held = held;
            future::pending().await
        });
        assert!(tokio::time::timeout(Duration::from_millis(20), page).await.is_err());
        assert_eq!(gone.recv().await, None, "the page's future was dropped");
    }
}
