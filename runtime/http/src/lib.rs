//! The HTTP client of all outgoing requests: TLS by rustls with one provider (ring), no proxy, no redirects. The caller
//! decides what is sent and what an answer means.

use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use reqwest::{Client, ClientBuilder, Url, redirect};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use rustls_platform_verifier::Verifier;
use secrecy::{ExposeSecret as _, SecretString};

/// The remedy for an unknown certificate authority where the configuration has no key for one.
pub const TRUST_IT: &str =
    "add its authority's certificate to this machine's, or set SSL_CERT_FILE to a file of all trusted certificates";

/// Why a client could not be built.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The PEM file of certificate authorities cannot be read, or holds no valid certificate.
    #[error("the certificates in {} cannot be used: {detail}; name a file in PEM form", file.display())]
    Authorities {
        /// The path as configured.
        file: PathBuf,
        /// What is wrong with the file.
        detail: String,
    },
    /// The certificate by which servers know us cannot be used with its key.
    #[error("the certificate in {} cannot be used: {detail}; name a certificate and its key, both in PEM form", file.display())]
    Identity {
        /// The path as configured.
        file: PathBuf,
        /// What is wrong with it.
        detail: String,
    },
    /// rustls refused its configuration.
    #[error("setting up TLS: {0}")]
    Tls(#[from] rustls::Error),
    /// reqwest could not build the client.
    #[error("starting the HTTP client: {0}")]
    Client(#[from] reqwest::Error),
}

/// A client builder with TLS set up. The client trusts the certificate authorities of this machine, and those in the
/// PEM file `authorities`.
///
/// No TLS provider has to be installed for the process. On a machine without any authorities the client is built all
/// the same; it then refuses every server with TLS.
///
/// # Errors
/// [`HttpError`], whose message says what to change.
pub fn client(authorities: Option<&Path>) -> Result<ClientBuilder, HttpError> {
    client_with(authorities, None)
}

/// The same as [`client`], for a server that knows its callers by a certificate: `identity` is a PEM file with the
/// certificate, its own first, and the key as the text of a PEM file.
///
/// # Errors
/// [`HttpError`], whose message says what to change and never shows the key.
pub fn client_with(
    authorities: Option<&Path>,
    identity: Option<(&Path, &SecretString)>,
) -> Result<ClientBuilder, HttpError> {
    let own = authorities.map_or_else(|| Ok(Vec::new()), read)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider)).with_safe_default_protocol_versions()?;
    let config = match (Verifier::new_with_extra_roots(own, provider), authorities) {
        (Ok(verifier), _) => config.dangerous().with_custom_certificate_verifier(Arc::new(verifier)),
        (Err(error), Some(file)) => {
            return Err(HttpError::Authorities { file: file.to_owned(), detail: error.to_string() });
        }
        (Err(_no_authorities), None) => config.with_root_certificates(RootCertStore::empty()),
    };
    let tls = match identity {
        None => config.with_no_client_auth(),
        Some((certificate, key)) => {
            let wrong = |detail: String| HttpError::Identity { file: certificate.to_owned(), detail };
            let chain = read(certificate)?;
            let key = PrivateKeyDer::from_pem_slice(key.expose_secret().as_bytes());
            let key = key.map_err(|_no_key| wrong("the key is not a private key in PEM form".to_owned()))?;
            config.with_client_auth_cert(chain, key).map_err(|error| wrong(error.to_string()))?
        }
    };
    #[expect(clippy::disallowed_methods, reason = "this is the place that gives it a provider")]
    let builder = Client::builder();
    Ok(builder.no_proxy().redirect(redirect::Policy::none()).tls_backend_preconfigured(tls))
}

/// The certificates in a PEM file, at least one.
fn read(file: &Path) -> Result<Vec<CertificateDer<'static>>, HttpError> {
    let wrong = |detail: String| HttpError::Authorities { file: file.to_owned(), detail };
    let text = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&text).collect();
    match read {
        Ok(found) if found.is_empty() => Err(wrong("it holds no certificate".to_owned())),
        Ok(found) => Ok(found),
        Err(error) => Err(wrong(error.to_string())),
    }
}

/// Whether requests to this address stay on this machine.
pub fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse();
    host == "localhost" || address.is_ok_and(|address: IpAddr| address.is_loopback())
}

/// Whether others on the network can read requests to this address. Never send a secret to it.
pub fn is_in_the_clear(url: &Url) -> bool {
    url.scheme() != "https" && !is_loopback(url)
}

/// The reason and the remedy if the server's certificate was refused, `None` for any other error. `trust` is the remedy
/// for an unknown authority.
pub fn distrusted(error: &reqwest::Error, trust: &str) -> Option<String> {
    let rustls::Error::InvalidCertificate(why) = tls_error(error)? else { return None };
    let refused = |why: &str, remedy: &str| Some(format!("the server's certificate is not trusted: {why}; {remedy}"));
    match why {
        CertificateError::UnknownIssuer => refused("its authority is not known here", trust),
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            refused(&why.to_string(), "write the address with a name the certificate has")
        }
        other => refused(&other.to_string(), "replace the server's certificate"),
    }
}

/// The TLS error that caused an error. An `io::Error` does not report the error inside it as its source, so it is
/// opened here.
fn tls_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::Error> {
    let mut next = Some(error);
    while let Some(error) = next {
        if let Some(found) = error.downcast_ref() {
            return Some(found);
        }
        let held = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
        next = held.map(|held| held as &(dyn Error + 'static)).or_else(|| error.source());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(url: &str, loopback: bool, in_the_clear: bool) {
        let url = Url::parse(url).unwrap();
        assert_eq!((is_loopback(&url), is_in_the_clear(&url)), (loopback, in_the_clear), "{url}");
    }

    #[test]
    fn what_leaves_the_machine_is_read_by_others_unless_it_is_tls() {
        check("http://localhost:1/v1", true, false);
        check("http://127.0.0.2/", true, false);
        check("http://[::1]/", true, false);
        check("https://localhost/", true, false);
        check("http://model.example/v1", false, true);
        check("http://localhost.example/", false, true);
        check("http://10.0.0.1/", false, true);
        check("https://model.example/v1", false, false);
        check("ftp://model.example/", false, true);
    }

    #[test]
    fn a_file_without_certificates_is_refused_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("ca.pem");
        let refused = || client(Some(&file)).unwrap_err().to_string();
        assert!(refused().contains("ca.pem cannot be used"), "{}", refused());
        for (text, part) in [
            ("", "it holds no certificate"),
            ("-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n", "name a file in PEM form"),
            ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "name a file in PEM form"),
        ] {
            std::fs::write(&file, text).unwrap();
            assert!(refused().contains(part), "{}", refused());
        }
        client(None).unwrap().build().unwrap();
    }
}
