//! The pages as the server renders them: whole without any script.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::Request;
use rollback_types::Role;
use stepback_server::access::client::Peer;
use stepback_server::assets::Site;
use stepback_server::{AppState, router, wire};
use tokio::sync::watch;
use tower::Service as _;

use crate::app::{App, token};
use crate::browser::{Browser, add_user};
use crate::deployment::{Deployment, Layout};

#[tokio::test]
async fn every_page_is_whole_without_a_script() {
    for layout in [Layout::Shared, Layout::PerVersion] {
        let d = Deployment::new(layout).await;
        let app = App::start(&d.config()).await;
        let version = format!("/versions/{}", d.failed);
        let plan = format!("{version}/plan");
        let pages = [("/", "Overview"), ("/versions", "Versions"), ("/runs", "Runs"), ("/backups", "Backups")];
        for (path, title) in pages.into_iter().chain([(version.as_str(), ""), (plan.as_str(), "Plan")]) {
            let answer = app.get(path).await;
            let page = answer.page(200);
            let heading = page.split_once("<h1").and_then(|(_, rest)| rest.split_once("</h1>")).unwrap().0;
            assert_eq!(page.matches("<h1").count(), 1, "{path}");
            let named = page.split_once("<title>").and_then(|(_, rest)| rest.split_once("</title>")).unwrap().0;
            assert!(named.contains(title) && named.ends_with("Stepback"), "{path}: {named}");
            assert!(!heading.is_empty() && page.contains("<html lang=\"en\""), "{path}");
            for link in ["href=\"/versions\"", "href=\"/runs\"", "href=\"/backups\""] {
                assert!(page.contains(link), "{path}: the navigation lacks {link}");
            }
            assert!(!page.contains("Loading"), "{path}: what it shows must not wait for a script");
        }
        // What is staged is told on the version's page and in the plan, in all three stores.
        for path in [&version, &plan] {
            let answer = app.get(path).await;
            assert!(answer.page(200).contains("1,100"), "{path}: nodes that would go");
        }
    }
}

#[tokio::test]
async fn lists_are_filtered_searched_and_paged_by_their_address() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    // The figures of the chart below are those of all versions; what is listed has a link.
    let failed = format!("href=\"/versions/{}\"", d.failed);
    assert!(app.get("/versions").await.page(200).contains(&failed));
    let found = app.get("/versions?q=hotfix").await;
    assert!(found.page(200).contains("hotfix ch. 12 (2nd try)"));
    assert!(!found.page(200).contains(&failed), "a search shows what it finds and nothing else");
    let archived = app.get("/versions?status=archived").await;
    assert!(archived.page(200).contains("archived") && !archived.page(200).contains(&failed));
    let nothing = app.get("/versions?q=there+is+no+such+version").await;
    assert!(!nothing.page(200).contains(&failed));
    app.get("/versions?cursor=garbage").await.page(400);
    app.get("/versions?sort=price&status=nonsense&limit=x").await.page(200);
}

#[tokio::test]
async fn a_plan_that_can_never_be_tells_only_why_and_what_to_do_instead() {
    let d = Deployment::new(Layout::Shared).await;
    d.run("UPDATE chapter_metadata SET content_hash = 'changed' WHERE rowid = 1").await;
    let app = App::start(&d.config()).await;
    let answer = app.get("/versions/v1_baseline/plan").await;
    let page = answer.page(200);
    assert!(page.contains("This version cannot be rolled back") && page.contains("What to do instead"), "{page}");
    for told in ["Restore from latest-copy?", "The eight steps", "way back", "Before you start", "name=\"reason\""] {
        assert!(!page.contains(told), "it tells of {told}");
    }
}

#[tokio::test]
async fn a_day_that_is_none_is_told_with_its_field() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let answer = app.get("/runs?from=yesterday").await;
    let said = "From (UTC): “yesterday” is no day, such as 2026-11-23, so the runs of all days are shown.";
    assert!(answer.page(200).contains(said), "{}", answer.body);
    assert!(!app.get("/runs?from=2026-11-23").await.page(200).contains("is no day"));
}

#[tokio::test]
async fn what_is_not_there_is_a_page_with_status_404() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    for path in ["/nothing", "/versions/v99", "/versions/v99/plan", "/runs/1", "/runs/one", "/pkg/nothing.js", "/%FF"] {
        let answer = app.get(path).await;
        let page = answer.page(404);
        assert!(page.contains("href=\"/versions\""), "{path}: there is a way on");
    }
    app.send("GET", "/nothing", &[("accept", "application/json")], "").await.page(404);
}

#[tokio::test]
async fn what_is_refused_before_any_page_is_a_page_for_people_and_json_for_programs() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let browser = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
    let strange = ("host", "stepback.evil.example");
    for (method, path, headers, status) in
        [("GET", "/versions", vec![browser, strange], 403), ("POST", "/versions", vec![browser], 405)]
    {
        let answer = app.send(method, path, &headers, "").await;
        let page = answer.page(status);
        assert!(
            page.contains("<h1>") && page.contains("What happened") && page.contains("What to do"),
            "{method} {path}: {page}"
        );
        assert!(page.contains("href=\"/\"") && !page.contains("<script"), "{method} {path}: {page}");
        let policy = answer.header("content-security-policy");
        assert!(policy.contains("default-src 'none'") && policy.contains("style-src 'self'"), "{policy}");
        let program = app.send(method, path, &headers[1..], "").await;
        assert_eq!((program.status, program.header("content-type")), (status, "application/problem+json"));
    }
    let api = app.send("GET", "/api/v1/runs/999", &[browser], "").await;
    assert_eq!((api.status, api.header("content-type")), (404, "application/problem+json"));
}

#[tokio::test]
async fn who_is_signed_in_is_told_within_the_frame_and_compressed_or_not() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    add_user(&app.access, "vera", Role::Viewer).await;
    let cookie = Browser::sign_in(&app, "vera").await.cookie;
    let own = format!("http://{}", app.address);
    let referer = format!("{own}/runs?state=aborted");
    let headers = [
        ("accept", "text/html,*/*;q=0.8"),
        ("cookie", cookie.as_str()),
        ("origin", own.as_str()),
        ("referer", referer.as_str()),
        ("content-type", "application/x-www-form-urlencoded"),
    ];
    for (method, path) in [("GET", "/setup"), ("POST", "/setup"), ("POST", "/rpc/start")] {
        let answer = app.send(method, path, &headers, "act=test&subject=sqlite").await;
        let page = answer.page(403);
        for part in [
            "Your role does not allow that",
            "What happened",
            "What is safe",
            "What to do",
            "aria-label=\"Main\"",
            "vera",
            "href=\"/runs?state=aborted\"",
        ] {
            assert!(page.contains(part), "{method} {path}: {part}: {page}");
        }
        assert!(answer.header("content-security-policy").contains("nonce-"), "{method} {path}");
    }
    // An own method's refusal keeps what it says in its headers; another site's referer leads nowhere.
    let foreign = [headers[0], headers[1], headers[2], ("referer", "https://evil.example/runs/7")];
    let answer = app.send("POST", "/versions", &foreign, "").await;
    assert!(!answer.page(405).contains("/runs/7") && answer.header("allow") == "GET", "{:?}", answer.headers);

    // What a handler itself answers is read before it is compressed.
    add_user(&app.access, "ada", Role::Administrator).await;
    let cookie = Browser::sign_in(&app, "ada").await.cookie;
    let headers = [headers[0], ("cookie", cookie.as_str()), headers[2], headers[4]];
    let nonsense = "act=test&subject=mongodb";
    assert!(
        app.send("POST", "/setup", &headers, nonsense).await.page(400).contains("sqlite, qdrant, neo4j and backups")
    );
    let packed =
        app.client.open("POST", "/setup", &[&headers[..], &[("accept-encoding", "gzip")]].concat(), nonsense).await;
    let header = |name: &str| packed.headers().get(name).map_or("", |v| v.to_str().unwrap());
    assert_eq!((packed.status().as_u16(), header("content-encoding")), (400, "gzip"));
    assert!(header("content-type").starts_with("text/html"), "{:?}", packed.headers());
}

#[tokio::test]
async fn a_store_that_is_away_is_told_on_its_pages_with_what_to_do() {
    let d = Deployment::new(Layout::Shared).await;
    std::fs::rename(d.path("metadata.db"), d.path("elsewhere.db")).unwrap();
    let app = App::start(&d.config()).await;
    let version = format!("/versions/{}", d.failed);
    for path in ["/versions", version.as_str(), "/restore/latest-copy"] {
        let answer = app.get(path).await;
        let page = answer.page(503);
        for part in ["A store is not available", "Nothing was changed.", "What to do:", "aria-label=\"Main\""] {
            assert!(page.contains(part), "{path}: {part}: {page}");
        }
    }
    assert!(app.get("/").await.page(200).contains("You cannot roll back now"));
}

#[tokio::test]
async fn a_page_that_cannot_be_made_is_a_page_all_the_same_with_status_500() {
    let d = Deployment::new(Layout::Shared).await;
    let config = d.config();
    let wired = wire(&config).await.unwrap();
    let (_stop, stopping) = watch::channel(false);
    let state = AppState::new(&wired, &config, Arc::new(Site::without_files()), stopping);
    // No page is whole at once, nor is the frame for the one that tells so.
    let renderer = state.renderer.clone().giving_up_after(Duration::ZERO);
    let mut server = router(AppState { renderer, ..state });
    let secret = token(&wired.access, "looker", Role::Viewer).await;
    for (accept, kind) in [("text/html,*/*;q=0.8", "text/html"), ("application/json", "application/problem+json")] {
        let request = Request::get("/versions")
            .extension(Peer { address: [127, 0, 0, 1].into(), tls: false })
            .header("host", "127.0.0.1")
            .header("authorization", format!("Bearer {secret}"))
            .header("accept", accept);
        let answer = server.call(request.body(Body::empty()).unwrap()).await.unwrap();
        let status = answer.status().as_u16();
        let said = answer.headers()["content-type"].to_str().unwrap().to_owned();
        let page = String::from_utf8(to_bytes(answer.into_body(), 100_000).await.unwrap().to_vec()).unwrap();
        assert!(status == 500 && said.starts_with(kind), "{status} {said}: {page}");
        let whole = ["Nothing was changed; a run that is under way goes on.", "Load the page again.", "given up"];
        let for_people = ["What happened", "What is safe", "What to do", "href=\"/\"", "<html lang=\"en\">"];
        for part in whole.into_iter().chain(for_people.into_iter().filter(|_| kind == "text/html")) {
            assert!(page.contains(part), "{part}: {page}");
        }
    }
}

#[tokio::test]
async fn a_journal_that_cannot_be_written_is_told_before_anybody_starts_anything() {
    let d = Deployment::new(Layout::Shared).await;
    let config = d.config();
    let app = App::start(&config).await;
    let mut journal = crate::deployment::open(&config.journal()).await;
    let full = "CREATE TRIGGER full BEFORE UPDATE ON probe BEGIN SELECT RAISE(ABORT, 'no space at all'); END";
    sqlx::raw_sql(full).execute(&mut journal).await.unwrap();
    let answer = app.get("/").await;
    let page = answer.page(200);
    for part in
        ["No run can start: the journal cannot be written.", "no space at all", "no store is changed", "What to do:"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    let plan = app.get(&format!("/versions/{}/plan", d.failed)).await;
    assert!(plan.page(200).contains("Nothing is started that cannot be journalled."), "{}", plan.body);
}

#[tokio::test]
async fn the_style_guide_shows_everything_to_whoever_is_signed_in() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let viewer = app.client.with_token(&token(&app.access, "looker", Role::Viewer).await);
    let answer = viewer.get("/styleguide").await;
    let page = answer.page(200);
    for part in
        ["--accent-wash", "--s7", "quarantined", "already gone", "needs a decision", "latest-copy: SQLite proven"]
            .into_iter()
            .chain(["Reconnecting", "Stale since", "Paused while hidden", "At rest", "This list has changed."])
            .chain(["Timeline of run #42", "Sizes of the backups", "over the versions", "Log of the run"])
    {
        assert!(page.contains(part), "{part}");
    }
    // Its policy takes no style of an element, and ids are given once.
    assert!(!page.contains(" style=\""));
    let mut ids: Vec<&str> = page.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all);
    assert_eq!(app.client.nobody().get("/styleguide").await.status, 303);
}
