//! TLS in front of a server on loopback, with a certificate made for the occasion.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::CertifiedKey;
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// What it speaks for; its certificate has no other name.
const HOST: &str = "127.0.0.1";

/// The running front; it ends when dropped.
#[derive(Debug)]
pub struct Front {
    /// Its address, `https`, without a slash at its end.
    pub url: String,
    folder: TempDir,
    _task: JoinSet<()>,
}

impl Front {
    /// Starts a front that hands everything on to the server at `host_port`.
    pub async fn before(host_port: &str) -> Self {
        Self::started(host_port, None).await
    }

    /// A front that lets in only who has this certificate.
    pub async fn for_holder_of(certificate: CertificateDer<'static>, host_port: &str) -> Self {
        Self::started(host_port, Some(certificate)).await
    }

    async fn started(host_port: &str, of_client: Option<CertificateDer<'static>>) -> Self {
        let CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed([HOST.to_owned()]).unwrap();
        let folder = TempDir::new().unwrap();
        std::fs::write(folder.path().join("ca.pem"), cert.pem()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let config = ServerConfig::builder_with_provider(Arc::clone(&provider));
        let config = config.with_safe_default_protocol_versions().unwrap();
        let config = match of_client {
            None => config.with_no_client_auth(),
            Some(certificate) => {
                let mut roots = RootCertStore::empty();
                roots.add(certificate).unwrap();
                let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build().unwrap();
                config.with_client_cert_verifier(verifier)
            }
        };
        let config = config
            .with_single_cert(vec![cert.der().clone()], PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap())
            .unwrap();
        let listener = TcpListener::bind((HOST, 0)).await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        let mut task = JoinSet::new();
        task.spawn(serve(listener, TlsAcceptor::from(Arc::new(config)), host_port.to_owned()));
        Self { url, folder, _task: task }
    }

    /// The certificate as a file, for those who are to trust it.
    pub fn ca_file(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, to: String) {
    let mut open = JoinSet::new();
    loop {
        let (outer, _) = listener.accept().await.unwrap();
        let (acceptor, to) = (acceptor.clone(), to.clone());
        open.spawn(async move {
            // Who does not trust the certificate goes away here, and who is done, below.
            let Ok(mut outer) = acceptor.accept(outer).await else { return };
            let mut inner = TcpStream::connect(to).await.unwrap();
            drop(copy_bidirectional(&mut outer, &mut inner).await);
        });
    }
}
