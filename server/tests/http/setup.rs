//! `/setup`: who may use it, what it finds, and that no secret is left anywhere.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rollback_stores::qdrant_double::QdrantDouble;
use rollback_types::Role;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::app::{App, token};
use crate::browser::{Browser, add_user};
use crate::client::Answer;
use crate::deployment::{Deployment, Layout};

/// Found nowhere else.
const SECRET: &str = "correct-horse-of-the-setup-77";

async fn administrator(app: &App) -> Browser {
    add_user(&app.access, "ann", Role::Administrator).await;
    Browser::sign_in(app, "ann").await
}

fn form(fields: &[(&str, &str)]) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// What a page shows of its stages: the one that is open.
fn open_stage(page: &str) -> &str {
    let open = page.split("id=\"open\"").nth(1).expect("a stage is open");
    open.split("id=\"stage-").nth(1).and_then(|rest| rest.split('"').next()).expect("it has a name")
}

/// A Bolt server that lets nobody in.
async fn neo4j_that_refuses() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let uri = format!("bolt://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut client, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut offered = [0; 20];
                client.read_exact(&mut offered).await?;
                client.write_all(&[0, 0, 4, 4]).await?;
                loop {
                    let mut message = vec![0; usize::from(client.read_u16().await?)];
                    client.read_exact(&mut message).await?;
                    if message.is_empty() {
                        // The end of a message; what it asks makes no difference.
                        let text = |text: &str| [&[0xD0, u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
                        let failure = [
                            &[0xB1, 0x7F, 0xA2][..],
                            &text("code"),
                            &text("Neo.ClientError.Security.Unauthorized"),
                            &text("message"),
                            &text("The client is unauthorized due to authentication failure."),
                        ]
                        .concat();
                        client.write_u16(u16::try_from(failure.len()).unwrap()).await?;
                        client.write_all(&failure).await?;
                        client.write_u16(0).await?;
                    }
                }
                #[expect(unreachable_code, reason = "names the task's error")]
                Ok::<(), std::io::Error>(())
            });
        }
    });
    uri
}

/// A log that remembers only whether the secret came by.
#[derive(Clone)]
struct Watched(Arc<AtomicBool>);

impl Write for Watched {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        if line.windows(SECRET.len()).any(|part| part == SECRET.as_bytes()) {
            self.0.store(true, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn it_is_for_administrators_alone() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let test = form(&[("act", "test"), ("subject", "sqlite"), ("metadata", "/etc/passwd"), ("local_offset", "utc")]);
    let kind = [("content-type", "application/x-www-form-urlencoded")];
    let nobody = app.client.nobody();
    let answer = nobody.get("/setup").await;
    assert_eq!((answer.status, answer.header("location")), (303, "/sign-in?next=%2Fsetup"));
    nobody.send("POST", "/setup", &kind, &test).await.problem(401, "sign-in-required");
    for role in [Role::Viewer, Role::Operator] {
        let client = app.client.with_token(&token(&app.access, role.as_str(), role).await);
        client.get("/setup").await.problem(403, "role-required");
        client.send("POST", "/setup", &kind, &test).await.problem(403, "role-required");
    }
    let page = app.get("/setup").await;
    assert_eq!(open_stage(page.page(200)), "sqlite");
}

#[tokio::test]
async fn an_administrator_is_led_from_the_registry_to_the_finished_file() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let browser = administrator(&app).await;
    let qdrant = QdrantDouble::start_with_key(SECRET).unwrap();
    let before = d.files();
    let (metadata, backups) = (d.path("metadata.db").display().to_string(), d.path("backups").display().to_string());
    let url = qdrant.grpc_url();
    let mut carried = vec![("deployment", "class 7b <b>"), ("metadata", &metadata), ("local_offset", "+01:00")];
    let step = async |act: &str, subject: &str, carried: &[(&str, &str)], more: &[(&str, &str)]| {
        let fields = [&[("act", act), ("subject", subject)], carried, more].concat();
        browser.post("/setup", &form(&fields)).await
    };

    let wrong = step("test", "sqlite", &[("metadata", "metadata.db"), ("local_offset", "noon")], &[]).await;
    let page = wrong.page(200);
    assert!(page.contains("the whole path") && page.contains("aria-invalid=\"true\""), "{page}");
    assert_eq!(open_stage(page), "sqlite");

    let sqlite = step("test", "sqlite", &carried, &[]).await;
    let page = sqlite.page(200);
    assert!(page.contains("metadata.db rights") && page.contains("readable and writable"), "{page}");
    assert_eq!(open_stage(page), "qdrant");
    assert!(
        page.contains("name=\"sqlite_was\" value=\"good\"") || page.contains("name=\"sqlite_was\" value=\"warned\"")
    );

    // A key that is wrong is told as such; then the right one.
    carried.extend([("sqlite_was", "good"), ("qdrant_url", &url)]);
    let refused = step("test", "qdrant", &carried, &[("qdrant_key", "another key")]).await;
    let page = refused.page(200);
    assert!(page.contains("does not work") && page.contains("What to do"), "{page}");
    assert_eq!(open_stage(page), "qdrant");
    let accepted = step("test", "qdrant", &carried, &[("qdrant_key", SECRET)]).await;
    let page = accepted.page(200);
    assert_eq!(open_stage(page), "neo4j", "{page}");
    assert!(page.contains("name=\"qdrant_with_key\" value=\"yes\"") && !page.contains(SECRET), "{page}");

    // Neo4j is not there yet: one may go on all the same.
    carried.extend([("qdrant_was", "good"), ("qdrant_with_key", "yes")]);
    carried.extend([("neo4j_uri", "bolt://127.0.0.1:1"), ("neo4j_user", "neo4j")]);
    let down = step("test", "neo4j", &carried, &[("neo4j_password", SECRET)]).await;
    let page = down.page(200);
    assert_eq!(open_stage(page), "neo4j");
    assert!(page.contains("Go on all the same") && !page.contains(SECRET), "{page}");
    carried.extend([("neo4j_was", "failed"), ("neo4j_with_password", "yes")]);
    let on = step("on", "neo4j", &carried, &[]).await;
    assert_eq!(open_stage(on.page(200)), "backups");
    assert!(on.body.contains("name=\"neo4j_was\" value=\"not proven\""), "{}", on.body);

    carried.push(("backups", &backups));
    let last = step("test", "backups", &carried, &[]).await;
    let page = last.page(200);
    assert_eq!(open_stage(page), "file");
    for part in ["stepback.toml", &metadata, &backups, "api_key_file", "password_file", "+01:00", "class 7b &lt;b&gt;"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(page.contains("Not everything is proven to work: Neo4j."), "{page}");
    assert_eq!(open_stage(step("change", "sqlite", &carried, &[]).await.page(200)), "sqlite");
    assert_eq!(d.files(), before, "nothing was written");
}

#[tokio::test]
async fn a_wrong_password_is_told_and_no_secret_is_left_anywhere() {
    let watched = Watched(Arc::default());
    let log = watched.clone();
    // The other tests of this program share the log; whoever set one first has set this one.
    let filter = "info,stepback_server=trace,rollback_stores=trace,rollback=trace,access=trace,app=trace,neo4rs=debug";
    let subscriber =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(move || log.clone()).with_ansi(false).try_init();
    assert!(subscriber.is_ok(), "no other test of this program sets a log");
    let d = Deployment::new(Layout::Shared).await;
    let config = d.config();
    let app = App::start(&config).await;
    let browser = administrator(&app).await;
    let qdrant = QdrantDouble::start_with_key("another").unwrap();
    let (uri, url) = (neo4j_that_refuses().await, qdrant.grpc_url());
    let secret_in_address = format!("bolt://neo4j:{SECRET}@127.0.0.1:7687");
    let tests: [(&str, &[(&str, &str)]); 3] = [
        ("neo4j", &[("neo4j_uri", &uri), ("neo4j_user", "neo4j"), ("neo4j_password", SECRET)]),
        ("qdrant", &[("qdrant_url", &url), ("qdrant_key", SECRET)]),
        ("neo4j", &[("neo4j_uri", &secret_in_address), ("neo4j_user", "neo4j"), ("neo4j_password", SECRET)]),
    ];
    let mut answers: Vec<Answer> = Vec::new();
    for (subject, fields) in tests {
        let fields = [&[("act", "test"), ("subject", subject)], fields].concat();
        answers.push(browser.post("/setup", &form(&fields)).await);
    }
    let page = answers[0].page(200);
    assert!(page.contains("unauthorized") && page.contains("password"), "{page}");
    assert!(answers[2].page(200).contains("fields of their own"), "{}", answers[2].body);
    for answer in &answers {
        assert!(!answer.body.contains(SECRET) && !format!("{:?}", answer.headers).contains(SECRET), "{}", answer.body);
    }

    let audit = app.get("/api/v1/audit?action=POST%20%2Fsetup").await.json(200);
    let rows = audit["items"].as_array().unwrap();
    assert_eq!(rows.len(), 3, "{audit}");
    let row = &rows[2];
    assert_eq!(
        (&row["actor"], &row["subject"], &row["outcome"]),
        (&Value::from("ann"), &Value::from("neo4j"), &Value::from("done"))
    );
    assert_eq!(row["detail"], "tested, failed", "{row}");
    assert!(!audit.to_string().contains(SECRET));
    let mut folders = vec![config.data_dir.clone()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = std::fs::read(&path) {
                let left = bytes.windows(SECRET.len()).any(|part| part == SECRET.as_bytes());
                assert!(!left, "{}", path.display());
            }
        }
    }
    assert!(!watched.0.load(Ordering::Relaxed), "the log has it");
}
