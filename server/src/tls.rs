//! The certificate and its key, as rustls wants them; another pair is taken up when the files change, so that a renewal
//! needs no restart, which would interrupt a run.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

use crate::config::TlsFiles;

/// Between two looks at the files.
const PAUSE: Duration = Duration::from_secs(1);

/// HTTPS cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// One of the two files.
    #[error("{setting} names {file}, which cannot be used: {detail}")]
    File {
        /// The setting.
        setting: &'static str,
        /// The file.
        file: String,
        /// Why not.
        detail: String,
    },
    /// They do not go together, or rustls takes neither.
    #[error("the certificate of server.tls_cert and the key of server.tls_key cannot be used together: {0}")]
    Unfit(#[from] rustls::Error),
}

/// Certificate and key as they are in the files.
#[derive(Debug)]
pub struct Certificate {
    files: TlsFiles,
    in_use: Mutex<InUse>,
}

struct InUse {
    acceptor: TlsAcceptor,
    /// Of the files that were read last, fit or not.
    stamps: Stamps,
    looked_at: Instant,
}

impl std::fmt::Debug for InUse {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("InUse").field("stamps", &self.stamps).finish_non_exhaustive()
    }
}

/// What tells that a file is another one: time, inode and length. Absent: it cannot be looked at.
type Stamps = [Option<(i64, i64, i64, i64, u64, u64)>; 2];

impl Certificate {
    /// Reads both files.
    ///
    /// # Errors
    /// See [`TlsError`]; nothing of the key is in it.
    pub fn open(files: TlsFiles) -> Result<Self, TlsError> {
        // Before they are read: what is written meanwhile is read again.
        let stamps = stamps(&files);
        let in_use = InUse { acceptor: acceptor(&files)?, stamps, looked_at: Instant::now() };
        Ok(Self { files, in_use: Mutex::new(in_use) })
    }

    /// For the next connection. Files that do not go together, or cannot be read, leave the pair of before in use.
    pub fn acceptor(&self) -> TlsAcceptor {
        let mut in_use = self.in_use();
        if in_use.looked_at.elapsed() >= PAUSE {
            in_use.looked_at = Instant::now();
            let found = stamps(&self.files);
            if found != in_use.stamps {
                in_use.stamps = found;
                match acceptor(&self.files) {
                    Ok(acceptor) => {
                        in_use.acceptor = acceptor;
                        tracing::info!("the certificate was renewed; new connections have it");
                    }
                    Err(error) => tracing::error!(%error, "a new certificate is not used, and the one of before is"),
                }
            }
        }
        in_use.acceptor.clone()
    }

    fn in_use(&self) -> MutexGuard<'_, InUse> {
        // What a panic left there is a whole pair all the same.
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn stamps(files: &TlsFiles) -> Stamps {
    // When it was changed, too: a file that became readable is written no other time.
    let stamp = |about: Metadata| {
        (about.mtime(), about.mtime_nsec(), about.ctime(), about.ctime_nsec(), about.ino(), about.len())
    };
    [&files.certificate, &files.key].map(|file| std::fs::metadata(file).ok().map(stamp))
}

fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, TlsError> {
    let refuse =
        |setting, file: &Path, detail: String| TlsError::File { setting, file: file.display().to_string(), detail };
    let chain = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| refuse("server.tls_cert", &files.certificate, error.to_string()))?;
    if chain.is_empty() {
        return Err(refuse("server.tls_cert", &files.certificate, "it holds no certificate".to_owned()));
    }
    let key = PrivateKeyDer::from_pem_file(&files.key)
        .map_err(|error| refuse("server.tls_key", &files.key, error.to_string()))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rcgen::{CertifiedKey, generate_simple_self_signed};

    use super::*;

    fn pair() -> (String, String) {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        (cert.pem(), signing_key.serialize_pem())
    }

    #[test]
    fn what_cannot_be_served_is_refused_by_the_setting_and_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let files = TlsFiles { certificate: dir.path().join("cert.pem"), key: dir.path().join("key.pem") };
        let ((cert, key), (_, other_key)) = (pair(), pair());
        let refusal = |cert: Option<&str>, key: Option<&str>| {
            for (file, text) in [(&files.certificate, cert), (&files.key, key)] {
                let _ = fs::remove_file(file);
                if let Some(text) = text {
                    fs::write(file, text).unwrap();
                }
            }
            Certificate::open(files.clone()).map(|_| ()).map_err(|error| error.to_string())
        };
        assert_eq!(refusal(Some(&cert), Some(&key)), Ok(()));
        let half = &cert[..cert.len() / 2];
        let twice = format!("{cert}{cert}");
        assert_eq!(refusal(Some(&twice), Some(&format!("{cert}{key}"))), Ok(()), "files may hold more");
        for (cert, key, setting) in [
            (None, Some(key.as_str()), "server.tls_cert"),
            (Some(cert.as_str()), None, "server.tls_key"),
            (Some(""), Some(&key), "server.tls_cert"),
            (Some(half), Some(&key), "server.tls_cert"),
            (Some(&key), Some(&cert), "server.tls_cert"),
            (Some(&cert), Some(""), "server.tls_key"),
            (Some(&cert), Some("no key at all"), "server.tls_key"),
            (Some(&cert), Some(&cert), "server.tls_key"),
            (Some(&cert), Some(&other_key), "cannot be used together"),
        ] {
            let said = refusal(cert, key).unwrap_err();
            assert!(said.contains(setting), "{setting}: {said}");
            let secret = other_key.lines().nth(1).unwrap();
            assert!(!said.contains(secret), "{said}");
        }
    }

    #[test]
    fn a_renewal_is_taken_up_once_it_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let files = TlsFiles { certificate: dir.path().join("cert.pem"), key: dir.path().join("key.pem") };
        let ((cert, key), (next_cert, next_key)) = (pair(), pair());
        fs::write(&files.certificate, cert).unwrap();
        fs::write(&files.key, key).unwrap();
        let certificate = Certificate::open(files.clone()).unwrap();
        let shown = || {
            let mut in_use = certificate.in_use();
            in_use.looked_at = in_use.looked_at.checked_sub(PAUSE).unwrap();
            drop(in_use);
            Arc::clone(certificate.acceptor().config())
        };
        let first = shown();
        fs::write(&files.key, next_key).unwrap();
        assert!(Arc::ptr_eq(&first, &shown()), "half a renewal");
        fs::write(&files.certificate, next_cert).unwrap();
        let second = shown();
        assert!(!Arc::ptr_eq(&first, &second), "a whole one");
        assert!(Arc::ptr_eq(&second, &shown()), "nothing has changed since");
        fs::remove_file(&files.certificate).unwrap();
        assert!(Arc::ptr_eq(&second, &shown()), "a certificate that is gone");
    }
}
