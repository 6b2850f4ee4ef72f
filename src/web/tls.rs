//! https and wss: a certificate from files, taken up again when they change, so that a renewed certificate
//! needs no restart.

use crate::config::TlsFiles;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use std::path::PathBuf;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};
use tokio_util::sync::CancellationToken;

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file cannot be read, or holds no PEM of its kind.
    #[error("cannot read {what} from {}: {why}", file.display())]
    File {
        /// `the certificate chain` or `the private key`.
        what: &'static str,
        /// The file.
        file: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// The two do not belong together, or the key is of a kind that is not supported.
    #[error("the certificate {} cannot be used with the key {}", certificate.display(), key.display())]
    Unusable {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong.
        #[source]
        source: rustls::Error,
    },
    /// The library refuses its own defaults.
    #[error("TLS cannot be set up")]
    Setup(#[from] rustls::Error),
}

/// The certificate in use.
#[derive(Debug)]
pub struct Certificate {
    files: TlsFiles,
    provider: Arc<CryptoProvider>,
    in_use: RwLock<Arc<CertifiedKey>>,
}

impl Certificate {
    /// Reads the files.
    ///
    /// # Errors
    /// When they cannot be used.
    pub fn load(files: &TlsFiles) -> Result<Arc<Self>, TlsError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let first = read(files, &provider)?;
        Ok(Arc::new(Self { files: files.clone(), provider, in_use: RwLock::new(Arc::new(first)) }))
    }

    /// The server's side of TLS with this certificate.
    ///
    /// # Errors
    /// Never, unless the library refuses its own defaults.
    pub fn server_config(self: &Arc<Self>) -> Result<rustls::ServerConfig, TlsError> {
        let resolver: Arc<dyn ResolvesServerCert> = Arc::<Self>::clone(self);
        let builder = rustls::ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_safe_default_protocol_versions()?;
        Ok(builder.with_no_client_auth().with_cert_resolver(resolver))
    }

    /// Looks at the files now and then, and takes them up when they changed. What cannot be used is logged and
    /// the certificate before it stays: a file may be seen half written.
    pub async fn watch(self: Arc<Self>, interval: Duration, stop: CancellationToken) {
        let mut seen = self.changed_at().await;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(interval) => (),
            }
            let now = self.changed_at().await;
            if now == seen {
                continue;
            }
            match read(&self.files, &self.provider) {
                Ok(key) => {
                    *self.in_use.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(key);
                    seen = now;
                    tracing::info!(file = %self.files.certificate.display(), "the certificate was renewed");
                }
                Err(error) => {
                    tracing::error!(
                        error = crate::http::with_causes(&error),
                        "the certificate changed and cannot be used; the one before it stays"
                    );
                }
            }
        }
    }

    async fn changed_at(&self) -> [Option<(SystemTime, u64)>; 2] {
        let of = async |file: &PathBuf| {
            let data = tokio::fs::metadata(file).await.ok()?;
            Some((data.modified().ok()?, data.len()))
        };
        [of(&self.files.certificate).await, of(&self.files.key).await]
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.in_use.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn read(files: &TlsFiles, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_file_iter(&files.certificate)
            .and_then(Iterator::collect)
            .map_err(|why| why.to_string())
            .and_then(|chain: Vec<_>| {
                if chain.is_empty() { Err("it holds no PEM certificate".to_owned()) } else { Ok(chain) }
            })
            .map_err(|why| TlsError::File {
                what: "the certificate chain",
                file: files.certificate.clone(),
                why,
            })?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|why| TlsError::File {
        what: "the private key",
        file: files.key.clone(),
        why: why.to_string(),
    })?;
    CertifiedKey::from_der(chain, key, provider).map_err(|source| TlsError::Unusable {
        certificate: files.certificate.clone(),
        key: files.key.clone(),
        source,
    })
}
