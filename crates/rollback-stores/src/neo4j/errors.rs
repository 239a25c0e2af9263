//! What the driver and the server report, in the domain's words.

use neo4rs::Error;
use rollback::store::Fault;

/// The fault and its text. By the server's code, because the driver's own classes are too coarse.
pub(super) fn classify(error: &Error) -> (Fault, String) {
    match error {
        Error::Neo4j(e) => (by_code(e.code()), format!("{} ({})", first_line(e.message()), e.code())),
        Error::AuthenticationError(message) => (Fault::Authentication, first_line(message)),
        Error::ConnectionTimedOut => (Fault::TimedOut, "no answer in time".to_owned()),
        Error::IOError { detail } if detail.kind() == std::io::ErrorKind::TimedOut => {
            (Fault::TimedOut, detail.to_string())
        }
        Error::IOError { detail } => (Fault::Unreachable, detail.to_string()),
        // The driver says so when no connection of its pool came free in time.
        Error::ConnectionError => (Fault::Busy, "every connection to the server is in use".to_owned()),
        Error::IncompleteBoltExchange => (Fault::Unreachable, "the connection broke off in the middle".to_owned()),
        Error::Ignored(_) | Error::RequestIgnoredError | Error::ServerUnavailableError(_) => {
            (Fault::ServerFailed, error.to_string())
        }
        Error::UnsupportedVersion(..) => (Fault::Foreign, format!("{error}; Neo4j 4.4 or later is needed")),
        Error::ProtocolMismatch(_) => {
            (Fault::Foreign, "what answers does not speak Bolt; is this the HTTP port instead of 7687?".to_owned())
        }
        Error::UrlParseError(_) | Error::UnsupportedScheme(_) | Error::InvalidDnsName(_) | Error::InvalidConfig => {
            (Fault::Refused, format!("the configured uri cannot be used ({error}); write it as bolt://host:7687"))
        }
        _ => (Fault::Unexpected, error.to_string()),
    }
}

fn by_code(code: &str) -> Fault {
    match code {
        "Neo.ClientError.Security.Forbidden" => Fault::Refused,
        "Neo.ClientError.Database.DatabaseNotFound" => Fault::Missing,
        "Neo.ClientError.General.ForbiddenOnReadOnlyDatabase"
        | "Neo.ClientError.General.WriteOnReadOnlyAccessDatabase" => Fault::ReadOnly,
        "Neo.ClientError.Transaction.Terminated" | "Neo.ClientError.Transaction.LockClientStopped" => {
            Fault::ServerFailed
        }
        _ if code.starts_with("Neo.ClientError.Security.") => Fault::Authentication,
        _ if code.starts_with("Neo.ClientError.Transaction.TransactionTimedOut") => Fault::TimedOut,
        // Deadlocks and lock time-outs pass; memory and an unavailable database are the server's own trouble.
        _ if code.starts_with("Neo.TransientError.Transaction.") => Fault::Busy,
        _ if code.starts_with("Neo.TransientError.") => Fault::ServerFailed,
        _ if code.starts_with("Neo.DatabaseError.") => Fault::ServerFailed,
        _ if code.starts_with("Neo.ClientError.") => Fault::Refused,
        _ => Fault::Unexpected,
    }
}

/// Syntax errors repeat the whole statement below their first line.
fn first_line(message: &str) -> String {
    const LONGEST: usize = 300;
    let line = message.lines().next().unwrap_or_default();
    if line.chars().count() <= LONGEST { line.to_owned() } else { line.chars().take(LONGEST).chain(['…']).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_tell_the_fault() {
        for (code, fault) in [
            ("Neo.ClientError.Security.Unauthorized", Fault::Authentication),
            ("Neo.ClientError.Security.AuthenticationRateLimit", Fault::Authentication),
            ("Neo.ClientError.Security.Forbidden", Fault::Refused),
            ("Neo.ClientError.Statement.SyntaxError", Fault::Refused),
            ("Neo.TransientError.Transaction.DeadlockDetected", Fault::Busy),
            ("Neo.TransientError.General.MemoryPoolOutOfMemoryError", Fault::ServerFailed),
            ("Neo.TransientError.General.DatabaseUnavailable", Fault::ServerFailed),
            ("Neo.DatabaseError.General.UnknownError", Fault::ServerFailed),
            ("Neo.ClientError.Transaction.TransactionTimedOutClientConfiguration", Fault::TimedOut),
            ("Neo.ClientError.Database.DatabaseNotFound", Fault::Missing),
            ("Neo.ClientError.Schema.ConstraintValidationFailed", Fault::Refused),
            ("something else", Fault::Unexpected),
        ] {
            assert_eq!(by_code(code), fault, "{code}");
        }
    }

    #[test]
    fn a_refused_port_is_unreachable_and_a_hung_one_timed_out() {
        let refused = Error::IOError { detail: std::io::ErrorKind::ConnectionRefused.into() };
        assert_eq!(classify(&refused).0, Fault::Unreachable);
        assert_eq!(classify(&Error::ConnectionTimedOut).0, Fault::TimedOut);
    }
}
