//! The pages as the server renders them: whole without any script.

use crate::app::App;
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
    let found = app.get("/versions?q=hotfix").await;
    assert!(found.page(200).contains("hotfix ch. 12 (2nd try)"));
    assert!(!found.page(200).contains(&d.failed), "a search shows what it finds and nothing else");
    let archived = app.get("/versions?status=archived").await;
    assert!(archived.page(200).contains("archived") && !archived.page(200).contains(&d.failed));
    let nothing = app.get("/versions?q=there+is+no+such+version").await;
    assert!(!nothing.page(200).contains(&d.failed));
    app.get("/versions?cursor=garbage").await.page(400);
    app.get("/versions?sort=price&status=nonsense&limit=x").await.page(200);
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
            page.contains("<h1>") && (page.contains("What to do:") || page.contains("Safe:")),
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
