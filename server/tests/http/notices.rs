//! What a page says once after a form: to whom it belongs, and to nobody else.

use rollback_stores::qdrant_double::Call;
use rollback_types::Role;

use crate::app::App;
use crate::browser::{Browser, add_user};
use crate::client::Answer;
use crate::deployment::{Deployment, Layout};

/// Where the answer leads, within this server.
fn led_to(answer: &Answer) -> String {
    assert!((300..400).contains(&answer.status), "{} {}", answer.status, answer.body);
    let address = answer.header("location").to_owned();
    assert!(address.starts_with('/') && !address.starts_with("//"), "{address}");
    address
}

#[tokio::test]
async fn a_refused_form_leads_back_and_says_why_once_with_what_was_typed() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    for name in ["ann", "ben"] {
        add_user(&app.access, name, Role::Operator).await;
    }
    let (ann, ben) = (Browser::sign_in(&app, "ann").await, Browser::sign_in(&app, "ben").await);
    let plan = format!("/versions/{}/plan", d.failed);
    let form =
        format!("version_id={}&confirm_version_id=v2&plan_digest=old&reason=why+%3C%2Ftextarea%3E%3Cb%3E%26", d.failed);
    let referer = format!("http://{}{plan}?restore=none", app.address);
    let refused = ann.post_from(&referer, "/rpc/start", &form).await;
    let back = led_to(&refused);
    assert!(back.starts_with(&format!("{plan}?restore=none&notice=")), "{back}");
    assert!(!back.contains("why") && !back.contains("full"), "no text stands in the address: {back}");

    // Somebody else's browser is told nothing, and uses nothing up.
    assert!(!ben.get(&back).await.page(200).contains("start-problem"));
    let told = ann.get(&back).await;
    assert!(
        told.page(200).contains("start-problem") && told.page(200).contains("Type all of it, as the plan shows it.")
    );
    let field = told.page(200).split("name=\"reason\"").nth(1).and_then(|rest| rest.split("</textarea>").next());
    assert!(
        field.is_some_and(|field| field.ends_with("why &lt;/textarea&gt;&lt;b&gt;&amp;")),
        "what was typed stands in its field: {field:?}"
    );
    assert!(!ann.get(&back).await.page(200).contains("start-problem"), "it is said once");
}

#[tokio::test]
async fn a_start_beside_an_active_run_is_refused_in_one_place_and_the_reason_is_kept() {
    let d = Deployment::new(Layout::Shared).await;
    let double = d.qdrant().await;
    let gate = double.hold_next(Call::DeleteCollection);
    let app = App::start(&d.config_with(&double)).await;
    add_user(&app.access, "ann", Role::Operator).await;
    let ann = Browser::sign_in(&app, "ann").await;
    let run = app.begin(&d.failed, "the first").await;
    gate.reached().await;
    let plan = format!("/versions/{}/plan", d.failed);
    let form =
        format!("version_id={id}&confirm_version_id={id}&plan_digest=old&reason=typed+by+the+second", id = d.failed);
    let referer = format!("http://{}{plan}", app.address);
    let back = led_to(&ann.post_from(&referer, "/rpc/start", &form).await);
    let told = ann.get(&back).await;
    let page = told.page(200);
    assert_eq!(page.matches("class=\"callout bad\"").count(), 1, "one box says it: {page}");
    assert!(
        page.contains(&format!("Run #{run} is active")) && page.contains("nothing else starts beside it"),
        "{page}"
    );
    assert!(page.contains("typed by the second"), "what was typed is not lost: {page}");
    // Whoever read an earlier plan may be the one who started the run, by another page of theirs.
    let changed = ann.get(&format!("{plan}?read=old")).await;
    assert!(changed.page(200).contains("What is planned has changed since you read it."), "{}", changed.body);
    assert!(!changed.body.contains("Nothing was started"), "{}", changed.body);
    gate.open();
    app.events(run).await.read_to_end().await;
}

/// The form in which a bad reason would be told is there only while the backup waits for a word.
#[tokio::test]
async fn a_bad_reason_for_trust_is_told_also_where_another_person_was_faster() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    add_user(&app.access, "ann", Role::Operator).await;
    let ann = Browser::sign_in(&app, "ann").await;
    let referer = format!("http://{}/backups", app.address);
    let before = ann.get("/backups").await;
    assert!(!before.page(200).contains("Trust the replaced files"), "nothing waits for a word");
    let back = led_to(&ann.post_from(&referer, "/rpc/trust-backup", "name=latest-copy&seen=x&reason=n").await);
    let told = ann.get(&back).await;
    assert!(told.page(200).contains("The reason has 1 character; 3 to 500 are allowed."), "{}", told.body);
}

#[tokio::test]
async fn an_address_that_somebody_made_up_says_nothing() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    add_user(&app.access, "ann", Role::Operator).await;
    let ann = Browser::sign_in(&app, "ann").await;
    let made_up = "eyJ0eXBlIjoiL3Byb2JsZW1zL2ludGVybmFsIiwidGl0bGUiOiJDYWxsIDEyMyJ9";
    for query in [format!("__path=%2Frpc%2Fdecide&__err={made_up}"), "notice=00000000".to_owned()] {
        for page in ["/", "/runs", "/backups"] {
            let shown = ann.get(&format!("{page}?{query}")).await;
            assert!(!shown.page(200).contains("Call 123") && !shown.page(200).contains("role=\"alert\""), "{page}");
        }
    }
    // What a browser says of where it was leads to no other host.
    for elsewhere in ["http://evil.example//evil.example/x", "https://evil.example/versions", "javascript:alert(1)"] {
        let answer = ann.post_from(elsewhere, "/rpc/validate", "subject=nobody").await;
        let address = answer.header("location");
        assert!(!address.starts_with("//") && !address.contains("notice=") || address.starts_with('/'), "{address}");
    }
}

#[tokio::test]
async fn a_new_token_is_shown_once_and_stands_in_no_address() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    add_user(&app.access, "ann", Role::Administrator).await;
    let ann = Browser::sign_in(&app, "ann").await;
    let made = ann.post("/rpc/make-token", "name=nightly&role=viewer&days=30").await;
    let shown_at = led_to(&made);
    assert!(!made.body.contains("stepback_") && !shown_at.contains("stepback_"));
    let page = ann.get(&shown_at).await;
    let secret = page.page(200).split("stepback_").nth(1).expect("the page shows it");
    assert!(secret.split_once('_').is_some_and(|(_, rest)| rest.starts_with(|c: char| c.is_ascii_alphanumeric())));
    let again = ann.get(&shown_at).await;
    assert!(!again.page(200).contains("The new token"), "it is shown once");
}
