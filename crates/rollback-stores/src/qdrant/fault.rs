//! What the client's errors mean in the domain's words.

use std::error::Error as _;

use qdrant_client::QdrantError;
use rollback::store::Fault;
use tonic::{Code, Status};

use super::config::REST_PORT;

/// The fault and a readable detail; never the address or a key. `port` is the one that was asked.
pub(super) fn classify(error: &QdrantError, port: u16) -> (Fault, String) {
    let (fault, mut detail) = of_error(error);
    // Easily configured by mistake.
    if port == REST_PORT && matches!(fault, Fault::Unreachable | Fault::Foreign) {
        detail.push_str("; 6333 is Qdrant's REST port, gRPC is usually 6334");
    }
    (fault, detail)
}

fn of_error(error: &QdrantError) -> (Fault, String) {
    match error {
        QdrantError::ResponseError { status } => of_status(status),
        QdrantError::ResourceExhaustedError { status, retry_after_seconds } => {
            (Fault::Busy, format!("the server asks to wait {retry_after_seconds} s: {}", shorten(status.message())))
        }
        QdrantError::Io(io) => (Fault::Unreachable, shorten(&io.to_string())),
        other => (Fault::Unexpected, shorten(&other.to_string())),
    }
}

fn of_status(status: &Status) -> (Fault, String) {
    let message = status.message();
    // The client's own words for a connection that never came about; they repeat the address, so ours replace them.
    if message.starts_with("Failed to connect to") || message.starts_with("Failed to create TLS") {
        return (Fault::Unreachable, connection_detail(message));
    }
    if message.contains("Timeout expired") {
        return (Fault::TimedOut, "no answer in time".to_owned());
    }
    // An HTTP answer without gRPC's own part. What a proxy says by its status (401, 503) keeps its meaning below.
    if message.starts_with("grpc-status header missing")
        && matches!(status.code(), Code::Unimplemented | Code::Unknown | Code::Internal)
    {
        return (Fault::Foreign, "what answers there does not speak gRPC".to_owned());
    }
    // Only a status made on our side has a source: the connection broke, the server said nothing.
    if let Some(source) = status.source() {
        let mut chain = format!("{source:?}");
        chain.truncate(chain.floor_char_boundary(2_000));
        return (Fault::Unreachable, connection_detail(&chain));
    }
    let fault = match status.code() {
        Code::Unauthenticated | Code::PermissionDenied => Fault::Authentication,
        Code::ResourceExhausted => Fault::Busy,
        Code::Unavailable => Fault::Unreachable,
        Code::DeadlineExceeded | Code::Cancelled => Fault::TimedOut,
        Code::NotFound => Fault::Missing,
        Code::InvalidArgument
        | Code::FailedPrecondition
        | Code::AlreadyExists
        | Code::OutOfRange
        | Code::Unimplemented => Fault::Refused,
        Code::Internal | Code::Unknown | Code::Aborted | Code::DataLoss => Fault::ServerFailed,
        Code::Ok => Fault::Unexpected,
    };
    let detail = if message.is_empty() { format!("{:?}", status.code()) } else { shorten(message) };
    (fault, detail)
}

/// Out of a chain of transport errors, what an operator can use.
pub(super) fn connection_detail(chain: &str) -> String {
    let lower = chain.to_ascii_lowercase();
    let found = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let text = if found(&["connection refused"]) {
        "the connection was refused: nothing listens there"
    } else if found(&["dns error", "failed to lookup", "name or service not known"]) {
        "the host name is not known"
    } else if found(&["timed out", "timedout", "elapsed"]) {
        "no connection in time"
    } else if found(&["certificate", "tls", "invalidcontenttype", "handshake"]) {
        "the encrypted connection could not be made: check http or https and the certificate"
    } else if found(&["no route", "unreachable"]) {
        "there is no route to the host"
    } else if found(&["http2", "h2", "frame", "preface", "http11"]) && found(&["protocol", "frame_size", "preface"]) {
        "what answers there does not speak gRPC"
    } else if found(&["reset", "broken pipe", "closed", "eof", "goaway", "connectionaborted", "canceled"]) {
        "the connection was closed"
    } else {
        "the connection failed"
    };
    text.to_owned()
}

/// One line of at most 300 characters.
pub(super) fn shorten(message: &str) -> String {
    let line: String = message.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(code: Code, message: &str) -> Fault {
        classify(&QdrantError::from(Status::new(code, message)), 6334).0
    }

    #[test]
    fn codes_become_faults() {
        for (code, expected) in [
            (Code::Unauthenticated, Fault::Authentication),
            (Code::PermissionDenied, Fault::Authentication),
            (Code::ResourceExhausted, Fault::Busy),
            (Code::Unavailable, Fault::Unreachable),
            (Code::DeadlineExceeded, Fault::TimedOut),
            (Code::Cancelled, Fault::TimedOut),
            (Code::NotFound, Fault::Missing),
            (Code::InvalidArgument, Fault::Refused),
            (Code::Unimplemented, Fault::Refused),
            (Code::Internal, Fault::ServerFailed),
            (Code::Unknown, Fault::ServerFailed),
        ] {
            assert_eq!(fault(code, "x"), expected, "{code:?}");
        }
        assert_eq!(fault(Code::Internal, "Failed to connect to http://h: Connection refused"), Fault::Unreachable);
        assert_eq!(fault(Code::Cancelled, "Timeout expired"), Fault::TimedOut);
    }

    #[test]
    fn details_stay_short_and_hold_no_address() {
        let long = format!("a\nb{}", "ü".repeat(1_000));
        let (_, detail) = classify(&QdrantError::from(Status::internal(long)), 6334);
        assert!(detail.chars().count() <= 301 && !detail.contains('\n'));
        let refused = QdrantError::from(Status::internal("Failed to connect to http://u:pw@h:1: Connection refused"));
        let (_, detail) = classify(&refused, 6334);
        assert!(!detail.contains("pw") && detail.contains("refused") && !detail.contains("6333"), "{detail}");
        let (_, detail) = classify(&refused, 6333);
        assert!(detail.contains("gRPC is usually 6334"), "{detail}");
    }
}
