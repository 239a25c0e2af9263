//! Requests that do not come from this machine's own page are refused before anything looks at them.

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::app::App;
use crate::deployment::{Deployment, Layout};

#[tokio::test]
async fn forged_requests_are_refused() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let own = app.address.to_string();
    let body = json!({ "version_id": d.failed }).to_string();
    let json = ("content-type", "application/json");
    let other_port = format!("http://127.0.0.1:{}", app.address.port() ^ 1);
    let forged: [&[(&str, &str)]; 9] = [
        &[json, ("origin", "http://evil.example")],
        &[json, ("origin", "null")],
        &[json, ("origin", &other_port)],
        &[json, ("sec-fetch-site", "cross-site")],
        &[json, ("sec-fetch-site", "same-site")],
        &[json, ("host", "rebound.example:3000")],
        &[json, ("host", &own), ("host", "rebound.example:3000")],
        &[json, ("host", "rebound.example@127.0.0.1")],
        &[json, ("host", "localhost:80:80")],
    ];
    for headers in forged {
        for path in ["/api/v1/plans", "/api/v1/runs", "/api/v1/runs/1/decision", "/rpc/start_run"] {
            let problem = app.send("POST", path, headers, &body).await.problem(403, "forbidden");
            assert_eq!(problem["safe"], "Nothing was changed.");
        }
    }
    for path in ["/", "/versions", "/api/v1/versions", "/api/openapi.json", "/healthz", "/api/v1/nothing"] {
        app.send("GET", path, &[("host", "rebound.example")], "").await.problem(403, "forbidden");
    }
    // The page itself, and a program without a browser's headers.
    let origin = format!("http://{own}");
    for headers in [&[json, ("origin", origin.as_str()), ("sec-fetch-site", "same-origin")][..], &[json]] {
        app.send("POST", "/api/v1/plans", headers, &body).await.json(200);
    }
}

#[tokio::test]
async fn every_answer_carries_the_guards_headers() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    for path in ["/", "/versions", "/api/v1/versions", "/api/v1/nothing", "/nothing", "/healthz"] {
        let answer = app.get(path).await;
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.header(name), value, "{path}");
        }
        assert!(answer.header("permissions-policy").contains("geolocation=()"), "{path}");
        assert!(answer.header("content-security-policy").contains("frame-ancestors 'none'"), "{path}");
        assert_eq!(answer.header("server"), "", "{path}: nobody needs to know what answers");
    }
}

#[tokio::test]
async fn no_request_is_hidden_in_another() {
    let d = Deployment::new(Layout::Shared).await;
    let app = App::start(&d.config()).await;
    let host = format!("host: {}\r\n", app.address);
    let hidden = format!("GET /healthz HTTP/1.1\r\n{host}\r\n");
    let kind = "content-type: application/x-www-form-urlencoded\r\n";
    for lengths in [
        "content-length: 0\r\ncontent-length: 5\r\n\r\n",
        "content-length: 0, 5\r\n\r\n",
        "content-length: +0\r\n\r\n",
        "content-length: 0\r\ntransfer-encoding: xchunked\r\n\r\n",
        "content-length: 0\r\ntransfer-encoding : chunked\r\n\r\n",
        // The chunks count, and nothing is read after them.
        "content-length: 99\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(app.address).await.unwrap();
        let request = format!("POST /session/sign-out HTTP/1.1\r\n{host}{kind}{lengths}{hidden}");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // A connection that is closed with something unread may be reset.
        let _ = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8_lossy(&answer);
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{lengths}: {answer}");
        assert!(answer.contains("HTTP/1.1 400 ") || lengths.contains("99"), "{lengths}: {answer}");
    }
}
