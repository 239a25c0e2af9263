//! A reader of server-sent events that does nothing but read.

use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::Value;

use crate::client::Client;

/// One message.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    pub id: Option<u64>,
    /// `message` unless it is named.
    pub name: String,
    pub data: Value,
}

impl Message {
    /// The event's own type: `step_started`, …
    pub fn kind(&self) -> &str {
        self.data["type"].as_str().unwrap_or("")
    }
}

/// An open stream.
pub struct Stream {
    body: Incoming,
    /// What came and is no whole block yet.
    rest: String,
}

impl Stream {
    pub async fn open(client: Client, run: u64, query: &str, headers: &[(&str, &str)]) -> Self {
        Self::try_open(client, run, query, headers).await.unwrap()
    }

    /// The stream, or the status it was refused with.
    pub async fn try_open(client: Client, run: u64, query: &str, headers: &[(&str, &str)]) -> Result<Self, u16> {
        let response = client.open("GET", &format!("/api/v1/runs/{run}/events{query}"), headers, "").await;
        if response.status() != 200 {
            return Err(response.status().as_u16());
        }
        let kind = response.headers()["content-type"].to_str().unwrap().to_owned();
        assert_eq!(kind, "text/event-stream");
        Ok(Self { body: response.into_body(), rest: String::new() })
    }

    /// A stream that is no run's.
    pub async fn at(client: Client, path: &str) -> Self {
        let response = client.open("GET", path, &[], "").await;
        assert_eq!(
            (response.status().as_u16(), &response.headers()["content-type"]),
            (200, &"text/event-stream".parse().unwrap())
        );
        Self { body: response.into_body(), rest: String::new() }
    }

    /// The next message; comments and empty blocks are passed over. `None`: the server closed the stream.
    pub async fn next(&mut self) -> Option<Message> {
        loop {
            while let Some((block, rest)) = self.rest.split_once("\n\n") {
                let message = read(block);
                self.rest = rest.to_owned();
                // A beat only says that the line is alive.
                if message.as_ref().is_some_and(|message| message.name != "beat") {
                    return message;
                }
            }
            let frame = self.body.frame().await?.unwrap();
            if let Some(data) = frame.data_ref() {
                self.rest.push_str(std::str::from_utf8(data).unwrap());
            }
        }
    }

    /// Reads on until an event of this type.
    pub async fn until(&mut self, kind: &str) -> Message {
        loop {
            let message = self.next().await.unwrap_or_else(|| panic!("the stream ended before {kind}"));
            if message.kind() == kind {
                return message;
            }
        }
    }

    /// Numbered events to the end of the stream, and the number that `end` named. Progress is left out: it is only there
    /// while it happens.
    pub async fn read_to_end(&mut self) -> (Vec<Message>, u64) {
        let mut events = Vec::new();
        while let Some(message) = self.next().await {
            match message.name.as_str() {
                "message" => events.push(message),
                "progress" => assert_eq!(message.id, None, "progress has no number"),
                "end" => {
                    assert_eq!(self.next().await, None, "nothing follows the end");
                    return (events, message.data["last_event"].as_u64().unwrap());
                }
                other => panic!("an unknown message: {other}"),
            }
        }
        panic!("the stream broke off without `end` after {:?}", events.last());
    }
}

/// `None` for a block that carries no data.
fn read(block: &str) -> Option<Message> {
    let mut message = Message { id: None, name: "message".to_owned(), data: Value::Null };
    for line in block.lines() {
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => message.id = Some(value.parse().unwrap()),
            "event" => value.clone_into(&mut message.name),
            "data" => message.data = serde_json::from_str(value).unwrap(),
            "retry" | "" => {}
            other => panic!("an unknown field: {other}"),
        }
    }
    (message.data != Value::Null).then_some(message)
}
