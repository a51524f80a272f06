//! From whose page a request came, as browsers say.

use axum::http::{HeaderMap, header};

/// From whose page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A page of this server.
    Own,
    /// Another page.
    Foreign,
    /// The request does not say: it comes from no browser, or it is a plain visit.
    Unsaid,
}

/// From whose page a request came: the one it went to by `Host`, and by https where a proxy says that it came so.
pub(crate) fn origin(headers: &HeaderMap) -> Origin {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    if !headers.contains_key(header::ORIGIN) {
        return Origin::Unsaid;
    }
    let parts = text(header::ORIGIN).and_then(|origin| origin.split_once("://"));
    let own = parts.is_some_and(|(scheme, host)| {
        let same_host = text(header::HOST).is_some_and(|own| own.eq_ignore_ascii_case(host));
        same_host && (scheme == "https" || !is_https(headers))
    });
    if own { Origin::Own } else { Origin::Foreign }
}

/// Whether a proxy in front says that the browser came by https: then the cookie goes no other way.
pub(crate) fn is_https(headers: &HeaderMap) -> bool {
    headers.get("x-forwarded-proto").is_some_and(|scheme| scheme == "https")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_page_of_the_same_host_and_scheme_is_our_own() {
        let of = |pairs: &[(&'static str, &str)]| {
            origin(&pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect())
        };
        let host = ("host", "a:1");
        assert_eq!(of(&[host]), Origin::Unsaid);
        assert_eq!(of(&[host, ("origin", "http://a:1")]), Origin::Own);
        for foreign in ["http://b:1", "http://a:2", "null", "a:1", "http://a:1.b"] {
            assert_eq!(of(&[host, ("origin", foreign)]), Origin::Foreign, "{foreign}");
        }
        assert_eq!(of(&[("origin", "http://a:1")]), Origin::Foreign);
        let https = ("x-forwarded-proto", "https");
        assert_eq!(of(&[host, https, ("origin", "http://a:1")]), Origin::Foreign);
        assert_eq!(of(&[host, https, ("origin", "https://a:1")]), Origin::Own);
    }
}
