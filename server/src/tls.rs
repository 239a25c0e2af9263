//! The certificate and its key, as rustls wants them.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig};

use crate::config::TlsFiles;

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

/// Reads both files.
///
/// # Errors
/// See [`TlsError`]; nothing of the key is in it.
pub fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, TlsError> {
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
