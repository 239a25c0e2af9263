//! Another person's word, as it is today: asked over the API, counted by the users' register.

use rollback_types::Role;
use serde_json::{Value, json};

use crate::app::App;
use crate::browser::{Browser, add_user};
use crate::client::Answer;
use crate::deployment::{Deployment, Layout};

impl Browser {
    async fn post_json(&self, app: &App, path: &str, body: &Value) -> Answer {
        let origin = format!("http://{}", app.address);
        let headers = [("cookie", self.cookie.as_str()), ("origin", &origin), ("content-type", "application/json")];
        app.client.nobody().send("POST", path, &headers, &body.to_string()).await
    }
}

#[tokio::test]
async fn a_word_counts_only_while_who_gave_it_may_still_approve() {
    let d = Deployment::new(Layout::Shared).await;
    let mut config = d.config();
    config.approvals_required = 1;
    let app = App::start(&config).await;
    for name in ["ann", "ben"] {
        add_user(&app.access, name, Role::Operator).await;
    }
    let (ann, ben) = (Browser::sign_in(&app, "ann").await, Browser::sign_in(&app, "ben").await);
    let start = App::start_request(&app.plan(&d.failed).await, "agreed by another person");
    let digest = start["plan_digest"].as_str().unwrap();
    let asked = ann.post_json(&app, "/api/v1/approvals", &start).await.json(200);
    assert_eq!(asked["state"], "open");
    // Whoever approves reads what the plan's page shows.
    let request = ben.get(&format!("/approvals/{digest}")).await;
    for part in ["Restore from latest-copy?", "Production against latest-copy, by store", "What speaks for a rollback"]
    {
        assert!(request.page(200).contains(part), "{part}: {}", request.body);
    }
    let waiting = ann.get(&format!("/versions/{}/plan", d.failed)).await;
    assert!(waiting.page(200).contains("needs another person’s approval"), "{}", waiting.body);
    assert!(!waiting.body.contains("can start"), "{}", waiting.body);
    let vote = format!("/api/v1/approvals/{digest}/vote");
    let plan = format!("/versions/{}/plan", d.failed);
    let before = ann.get(&plan).await;
    assert_eq!(ben.post_json(&app, &vote, &json!({ "approves": true })).await.json(200)["state"], "approved");
    // An open page is told of the vote; the plan that is read there is the same.
    let after = ann.get(&plan).await;
    let standing = |page: &str| {
        let (_, from) = page.split_once("id=\"plan-standing\"").unwrap();
        from.split_once("id=\"plan-votes\"").unwrap().0.to_owned()
    };
    assert_eq!(standing(before.page(200)), standing(after.page(200)));
    assert!(before.body.contains("data-votes=\"0\"") && after.body.contains("data-votes=\"1\""), "{}", after.body);

    let seen = async || app.get(&format!("/api/v1/approvals/{digest}")).await.json(200);
    for (taken, given) in [
        (json!({ "role": "viewer" }), json!({ "role": "operator" })),
        (json!({ "disabled": true }), json!({ "disabled": false })),
    ] {
        app.post("/api/v1/users/ben", &taken).await.json(200);
        let refused = ann.post_json(&app, "/api/v1/runs", &start).await.problem(409, "approval-required");
        assert_eq!(refused["safe"], "Nothing was changed.");
        let now = seen().await;
        assert_eq!(
            (&now["state"], &now["votes"], &now["lapsed"][0]["by"]),
            (&json!("open"), &json!([]), &json!("ben"))
        );
        // Whoever waits for it reads why, on the request's page and on the plan's.
        for page in [format!("/approvals/{digest}"), format!("/versions/{}/plan", d.failed)] {
            let page = ann.get(&page).await;
            assert!(page.page(200).contains("The approval of ben lapsed"), "{}", page.body);
        }
        app.post("/api/v1/users/ben", &given).await.json(200);
        assert_eq!(seen().await["state"], "approved", "{taken}");
    }
    let run = ann.post_json(&app, "/api/v1/runs", &start).await.json(201)["id"].as_u64().unwrap();
    let (story, _) = app.events(run).await.read_to_end().await;
    assert_eq!(story[0].data["approved_by"], json!(["ben"]));
}
