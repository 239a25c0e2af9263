//! Signing in and out, and what a session is good for.

use std::time::Duration;

use rollback_stores::qdrant_double::Call;
use rollback_types::Role;

use crate::app::App;
use crate::browser::{Browser, PASSWORD, add_user, cookie, post_form, sign_in};
use crate::deployment::{Deployment, Layout};
use crate::event_stream::Stream;

async fn app() -> (Deployment, App) {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    (d, app)
}

#[tokio::test]
async fn the_cookie_is_for_this_host_alone_and_no_script_reads_it() {
    let (_d, app) = app().await;
    add_user(&app.access, "ann", Role::Viewer).await;
    let answer = sign_in(&app, "ann", PASSWORD, &[]).await;
    let set = answer.header("set-cookie");
    let parts: Vec<&str> = set.split(';').map(str::trim).collect();
    assert!(parts[0].starts_with("__Host-stepback=") && parts[0].len() > 30, "{set}");
    for part in ["HttpOnly", "SameSite=Strict", "Secure", "Path=/"] {
        assert!(parts.contains(&part), "{part}: {set}");
    }
    assert_eq!(parts.len(), 5, "no domain, and it goes with the browser: {set}");
    assert_eq!(answer.header("cache-control"), "no-store");
    let me = Browser::sign_in(&app, "ann").await.me().await.json(200);
    assert_eq!((&me["name"], &me["role"], &me["via"]), (&"ann".into(), &"viewer".into(), &"password".into()));
}

#[tokio::test]
async fn a_session_planted_by_another_is_worth_nothing_after_the_sign_in() {
    let (_d, app) = app().await;
    add_user(&app.access, "ann", Role::Viewer).await;
    let planted = Browser::sign_in(&app, "ann").await;
    let origin = format!("http://{}", app.address);
    let headers = [("cookie", planted.cookie.as_str()), ("origin", &origin)];
    let answer = sign_in(&app, "ann", PASSWORD, &headers).await;
    let own = cookie(&answer).expect("a new cookie");
    assert_ne!(own, planted.cookie);
    planted.me().await.problem(401, "sign-in-required");
    app.client.nobody().send("GET", "/api/v1/me", &[("cookie", &own)], "").await.json(200);
    // An id that the server never gave is not taken over.
    let made_up = "__Host-stepback=AAAAAAAAAAAAAAAAAAAAAA";
    let answer = sign_in(&app, "ann", PASSWORD, &[("cookie", made_up), ("origin", &origin)]).await;
    assert_ne!(cookie(&answer).unwrap(), made_up);
}

#[tokio::test]
async fn a_sign_out_ends_one_session_and_everywhere_ends_all() {
    let (_d, app) = app().await;
    add_user(&app.access, "ann", Role::Viewer).await;
    add_user(&app.access, "ben", Role::Viewer).await;
    let (one, two, three) =
        (Browser::sign_in(&app, "ann").await, Browser::sign_in(&app, "ann").await, Browser::sign_in(&app, "ann").await);
    let other = Browser::sign_in(&app, "ben").await;
    let answer = one.post("/session/sign-out", "").await;
    let removed = answer.header("set-cookie").to_ascii_lowercase();
    assert!(removed.contains("max-age=0") && removed.contains("secure"), "{removed}");
    assert_eq!((answer.status, answer.header("location")), (303, "/sign-in"));
    one.me().await.problem(401, "sign-in-required");
    two.me().await.json(200);
    assert_eq!(two.post("/session/sign-out-everywhere", "").await.header("location"), "/sign-in");
    for ended in [&two, &three] {
        ended.me().await.problem(401, "sign-in-required");
        assert_eq!(ended.get("/versions").await.header("location"), "/sign-in?next=%2Fversions");
    }
    // Who comes from a page of ours was signed in when it came.
    let page = format!("http://{}/runs", app.address);
    let answer = app.client.nobody().send("GET", "/versions", &[("referer", &page)], "").await;
    assert_eq!(answer.header("location"), "/sign-in?ended=elsewhere&next=%2Fversions");
    let door = app.client.nobody().get(answer.header("location")).await;
    assert!(door.page(200).contains("Your sign-in has ended."), "{}", door.body);
    other.me().await.json(200);
    // Signing out once more is no error.
    assert_eq!(one.post("/session/sign-out", "").await.header("location"), "/sign-in");
}

#[tokio::test]
async fn what_an_administrator_changes_acts_at_once() {
    let (_d, app) = app().await;
    add_user(&app.access, "ann", Role::Administrator).await;
    add_user(&app.access, "ben", Role::Administrator).await;
    let ben = Browser::sign_in(&app, "ben").await;
    ben.get("/api/v1/users").await.json(200);
    let demoted = app.post("/api/v1/users/ben", &serde_json::json!({ "role": "viewer" })).await.json(200);
    assert_eq!(demoted["role"], "viewer");
    ben.get("/api/v1/users").await.problem(403, "role-required");
    ben.get("/api/v1/versions").await.json(200);
    app.post("/api/v1/users/ben", &serde_json::json!({ "disabled": true })).await.json(200);
    ben.me().await.problem(401, "sign-in-required");
    let answer = sign_in(&app, "ben", PASSWORD, &[]).await;
    assert_eq!(answer.header("location"), "/sign-in?failed=refused");
    // All that is asked for, or nothing.
    let all = serde_json::json!({ "role": "viewer", "disabled": true, "password": "another long walk by the sea" });
    app.post("/api/v1/users/ann", &all).await.problem(409, "conflict");
    let weak = serde_json::json!({ "role": "viewer", "password": "Password1234" });
    app.post("/api/v1/users/ben", &weak).await.problem(400, "invalid-request");
    let ann = Browser::sign_in(&app, "ann").await;
    assert_eq!(ann.me().await.json(200)["role"], "administrator");
    let back = serde_json::json!({ "role": "operator", "disabled": false, "password": "another long walk by the sea" });
    let ben = app.post("/api/v1/users/ben", &back).await.json(200);
    assert_eq!((&ben["role"], &ben["disabled_at"]), (&"operator".into(), &serde_json::Value::Null));
    let answer = sign_in(&app, "ben", "another long walk by the sea", &[]).await;
    assert_eq!(answer.header("location"), "/");
}

#[tokio::test]
async fn ones_own_password_is_changed_by_showing_it_and_ends_other_sign_ins() {
    let (_d, app) = app().await;
    add_user(&app.access, "ann", Role::Viewer).await;
    let (one, other) = (Browser::sign_in(&app, "ann").await, Browser::sign_in(&app, "ann").await);
    let page = one.get("/password").await;
    assert!(page.page(200).contains("action=\"/session/password\""), "{}", page.body);
    assert!(one.get("/versions").await.page(200).contains("href=\"/password\""), "the account's menu leads there");
    let next = "another+long+walk+by+the+sea";
    let form = |current: &str, again: &str| format!("current={current}&password={next}&again={again}");
    for (current, password, again, word) in [
        ("a+wrong+guess", next, next, "refused"),
        ("a+long+walk+by+the+sea", next, "something+else", "again"),
        ("a+long+walk+by+the+sea", "Password1234", "Password1234", "guessable"),
        ("a+long+walk+by+the+sea", "short", "short", "short"),
    ] {
        let form = format!("current={current}&password={password}&again={again}");
        let answer = one.post("/session/password", &form).await;
        assert_eq!(answer.header("location"), format!("/password?failed={word}"));
        assert!(one.get(answer.header("location")).await.page(200).contains("Your password is as it was."), "{word}");
        one.me().await.json(200);
    }
    let answer = one.post("/session/password", &form("a+long+walk+by+the+sea", next)).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/password?done=1"));
    let own = cookie(&answer).expect("a new session");
    app.client.nobody().send("GET", "/api/v1/me", &[("cookie", &own)], "").await.json(200);
    for ended in [&one, &other] {
        ended.me().await.problem(401, "sign-in-required");
    }
    assert_eq!(sign_in(&app, "ann", PASSWORD, &[]).await.header("location"), "/sign-in?failed=refused");
    assert_eq!(sign_in(&app, "ann", "another long walk by the sea", &[]).await.header("location"), "/");
    // A token has none.
    let headers = [("content-type", "application/x-www-form-urlencoded")];
    let answer = app.send("POST", "/session/password", &headers, &form("x", next)).await;
    assert_eq!(answer.header("location"), "/password?failed=none");
}

#[tokio::test]
async fn people_see_where_they_are_signed_in_and_end_one_of_it() {
    let (_d, app) = app().await;
    for name in ["ann", "ben"] {
        add_user(&app.access, name, Role::Viewer).await;
    }
    let (one, other) = (Browser::sign_in(&app, "ann").await, Browser::sign_in(&app, "ann").await);
    let ben = Browser::sign_in(&app, "ben").await;
    let page = one.get("/password").await;
    let ids: Vec<&str> = page.page(200).split("name=\"id\" value=\"").skip(1).map(|rest| &rest[..16]).collect();
    assert_eq!(ids.len(), 1, "the other one can be ended, this one is left by signing out: {}", page.body);
    ben.post("/rpc/end-session", &format!("id={}", ids[0])).await;
    other.me().await.json(200);
    let answer = one.post("/rpc/end-session", &format!("id={}", ids[0])).await;
    assert!(answer.header("location").contains("/password"), "{:?}", answer.headers);
    other.me().await.problem(401, "sign-in-required");
    one.me().await.json(200);
}

#[tokio::test]
async fn the_unknown_the_disabled_and_the_wrong_are_answered_alike() {
    let (_d, app) = app().await;
    for name in ["ann", "ben"] {
        add_user(&app.access, name, Role::Viewer).await;
    }
    app.access.disable("ben").await.unwrap();
    let mut answers = Vec::new();
    for (name, password) in [("ann", "not the password"), ("ben", PASSWORD), ("nobody", PASSWORD), ("%00%FF", "")] {
        let answer = sign_in(&app, name, password, &[]).await;
        let names: Vec<_> = answer.headers.keys().map(ToString::to_string).collect();
        assert!(cookie(&answer).is_none());
        answers.push((answer.status, answer.header("location").to_owned(), answer.body, names));
    }
    assert_eq!(answers[0].1, "/sign-in?failed=refused");
    assert!(answers.iter().all(|a| *a == answers[0]), "{answers:?}");
}

#[tokio::test]
async fn guessing_gets_slower_and_even_the_right_word_has_to_wait() {
    let (_d, app) = app().await;
    add_user(&app.access, "ann", Role::Viewer).await;
    let mut waited = 0;
    for _ in 0..40 {
        let answer = sign_in(&app, "ann", "a wrong guess", &[]).await;
        let location = answer.header("location");
        match location.strip_prefix("/sign-in?failed=wait&seconds=") {
            Some(seconds) => {
                assert!(seconds.parse::<u64>().unwrap() >= 1, "{location}");
                waited += 1;
            }
            None => assert_eq!(location, "/sign-in?failed=refused"),
        }
        if waited > 0 {
            break;
        }
    }
    assert!(waited > 0, "no wait after 40 guesses");
    // More guesses make the wait longer than this test takes.
    for _ in 0..3 {
        let hold = app.access.sign_in("ann", "a wrong guess", "203.0.113.1".parse().unwrap()).await;
        assert!(hold.is_err());
    }
    let page = app.client.nobody().get("/sign-in?failed=wait&seconds=9").await;
    assert!(page.page(200).contains("9 seconds"), "the page tells how long");
}

#[tokio::test]
async fn after_the_sign_in_the_reader_stays_on_this_server() {
    let (_d, app) = app().await;
    add_user(&app.access, "ann", Role::Viewer).await;
    let asked = |next: &str| format!("name=ann&password={}&next={next}", PASSWORD.replace(' ', "+"));
    for (next, location) in [
        ("%2Fversions%3Fq%3Dx", "/versions?q=x"),
        ("%2F%2Fevil.example", "/"),
        ("%2F%5Cevil.example", "/"),
        ("https%3A%2F%2Fevil.example", "/"),
        ("%2Fa%0D%0Aset-cookie%3A+x%3Dy", "/"),
        ("", "/"),
    ] {
        let answer = post_form(&app, "/session/sign-in", &asked(next), &[]).await;
        assert_eq!((answer.status, answer.header("location")), (303, location), "{next}");
    }
}

#[tokio::test]
async fn the_first_administrator_is_made_once_and_by_the_right_key() {
    let (_d, app) = app().await;
    let key = app.access.first_key().await.unwrap().expect("nobody is here yet");
    let key = key.expose();
    let form = |key: &str, password: &str| format!("key={key}&name=ann&password={}", password.replace(' ', "+"));
    let has_form = |page: &str| page.contains("action=\"/session/welcome\"");
    let nobody = app.client.nobody();
    assert!(has_form(nobody.get(&format!("/welcome?key={key}")).await.page(200)));
    let strange = nobody.get("/welcome?key=wrong").await;
    assert!(
        !has_form(strange.page(200)) && strange.body.contains("This link is not of this start."),
        "{}",
        strange.body
    );
    let wrong = post_form(&app, "/session/welcome", &form("wrong", PASSWORD), &[]).await;
    assert_eq!(wrong.header("location"), "/welcome?failed=key");
    assert!(nobody.get(wrong.header("location")).await.page(200).contains("Nobody was made."));
    let weak = post_form(&app, "/session/welcome", &form(key, "password"), &[]).await;
    assert!(weak.header("location").starts_with("/welcome?failed=short&key="), "{}", weak.header("location"));
    let page = nobody.get(weak.header("location")).await;
    assert!(
        page.page(200).contains("fewer than 12 characters") && page.body.contains("value=\"ann\""),
        "{}",
        page.body
    );
    let made = post_form(&app, "/session/welcome", &form(key, PASSWORD), &[]).await;
    assert_eq!((made.status, made.header("location")), (303, "/"), "a look at the page has not used the key up");
    let own = cookie(&made).expect("signed in at once");
    let me = app.client.nobody().send("GET", "/api/v1/me", &[("cookie", &own)], "").await.json(200);
    assert_eq!((&me["name"], &me["role"]), (&"ann".into(), &"administrator".into()));
    let again = post_form(&app, "/session/welcome", &form(key, PASSWORD), &[]).await;
    assert!(cookie(&again).is_none(), "the key is used up");
    let used = nobody.get(&format!("/welcome?key={key}")).await;
    assert!(!has_form(used.page(200)) && used.body.contains("href=\"/sign-in\""), "{}", used.body);
    assert!(app.access.first_key().await.unwrap().is_none());
}

#[tokio::test]
async fn only_what_a_person_does_keeps_a_sign_in_from_becoming_idle() {
    let (d, app) = app().await;
    add_user(&app.access, "ann", Role::Viewer).await;
    let (by_hand, by_itself) = (Browser::sign_in(&app, "ann").await, Browser::sign_in(&app, "ann").await);
    let looks = |path: &'static str, header: &'static str| {
        let (client, cookie) = (app.client.nobody(), by_itself.cookie.clone());
        async move { client.send("GET", path, &[("cookie", &cookie), (header, "1")], "").await }
    };
    d.age_sessions(Duration::from_secs(25 * 60)).await;
    by_hand.get("/versions").await.page(200);
    looks("/versions", "x-stepback-background").await.page(200);
    looks("/api/v1/me", "X-Stepback-Background").await.json(200);
    looks("/versions?reloaded=1", "accept").await.page(200);
    assert_eq!(looks("/api/v1/changes", "accept").await.status, 200);
    d.age_sessions(Duration::from_secs(10 * 60)).await;
    by_hand.me().await.json(200);
    let answer = by_itself.me().await;
    let ended = answer.problem(401, "sign-in-required");
    assert_eq!(answer.header("set-cookie"), "", "the page that is loaded next is to be told why, too");
    assert_eq!(ended["detail"], "The sign-in has ended, because nothing was done for 30 minutes.");
    let door = by_itself.get("/versions?q=x").await.header("location").to_owned();
    assert_eq!(door, "/sign-in?ended=idle&minutes=30&next=%2Fversions%3Fq%3Dx");
    let page = by_itself.get(&door).await;
    assert_eq!(page.header("set-cookie"), "", "nor does the door take it away");
    assert!(page.page(200).contains("You were signed out: nothing was done for 30 minutes."), "{}", page.body);

    // Twelve hours end a sign-in however much it is used.
    d.age_sessions(Duration::from_secs(12 * 3_600)).await;
    assert_eq!(by_hand.get("/versions").await.header("location"), "/sign-in?ended=time&minutes=720&next=%2Fversions");
}

#[tokio::test]
async fn a_stream_whose_sign_in_runs_out_says_so_last() {
    let d = Deployment::new(Layout::Shared).await;
    let double = d.qdrant().await;
    let gate = double.hold_next(Call::DeleteCollection);
    let app = App::start(&d.config_with(&double)).await;
    add_user(&app.access, "ann", Role::Viewer).await;
    let run = app.begin(&d.failed, "watched for longer than a sign-in lasts").await;
    gate.reached().await;
    for (age, last) in [
        (31 * 60, serde_json::json!({ "reason": "idle", "minutes": 30 })),
        (12 * 3_600, serde_json::json!({ "reason": "time", "minutes": 720 })),
    ] {
        let browser = Browser::sign_in(&app, "ann").await;
        let cookie = [("cookie", browser.cookie.as_str())];
        let mut stream = Stream::open(app.client.nobody(), run, "", &cookie).await;
        stream.next().await.expect("it is alive");
        d.age_sessions(Duration::from_secs(age)).await;
        let mut said = None;
        while let Some(message) = stream.next().await {
            assert!(said.is_none(), "nothing follows");
            if message.name == "signed_out" {
                said = Some(message.data);
            }
        }
        assert_eq!(said, Some(last));
    }
    let browser = Browser::sign_in(&app, "ann").await;
    let cookie = [("cookie", browser.cookie.as_str())];
    // Without JavaScript the page loads itself again, and says so by its address.
    let page = browser.get(&format!("/runs/{run}")).await;
    assert!(page.page(200).contains(&format!("content=\"4; url=/runs/{run}?reloaded=1\"")), "{}", page.body);
    let mut stream = Stream::open(app.client.nobody(), run, "", &cookie).await;
    browser.post("/session/sign-out", "").await;
    let mut last = None;
    while let Some(message) = stream.next().await {
        last = Some((message.name, message.data));
    }
    assert_eq!(last, Some(("signed_out".to_owned(), serde_json::json!({ "reason": "ended" }))));
    gate.open();
}

#[tokio::test]
async fn a_form_of_a_page_whose_sign_in_ended_leads_to_the_door_and_back() {
    let (_d, app) = app().await;
    add_user(&app.access, "ann", Role::Operator).await;
    let browser = Browser::sign_in(&app, "ann").await;
    app.access.sign_out_everywhere("ann").await.unwrap();
    let from = |page: &str| format!("http://{}{page}", app.address);
    let answer = browser.post_from(&from("/runs/7"), "/rpc/abandon", "run=7&reason=typed").await;
    let page = answer.page(401);
    assert!(
        page.contains("href=\"/sign-in?next=%2Fruns%2F7\"")
            && page.contains("has kept the reasons and notes you typed"),
        "{page}"
    );
    // The door itself is no place to come back to.
    let answer = browser.post_from(&from("/sign-in?next=%2Fruns"), "/rpc/abandon", "run=7").await;
    assert!(answer.page(401).contains("href=\"/sign-in\""), "{}", answer.body);
    let asked = format!("name=ann&password={}&next=%2Fsign-in", PASSWORD.replace(' ', "+"));
    let answer = post_form(&app, "/session/sign-in", &asked, &[]).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/"));
}
