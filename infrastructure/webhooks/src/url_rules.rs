//! Which URLs are sent to, by their text alone.

use std::net::IpAddr;

use application::ports::{WebhookUrl, WebhookUrlPolicy, WebhookUrlRefused};
use url::{Host, Url};

use crate::addresses::AddressRules;
use crate::config::Config;

/// Holds URLs against the configuration, when they are set and before each attempt.
#[derive(Clone, Debug)]
pub struct UrlRules {
    allow_http: bool,
    addresses: AddressRules,
}

/// A URL that may be sent to, in parts.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    pub(crate) is_https: bool,
    pub(crate) host: Host<String>,
    pub(crate) port: u16,
    /// What the header `host` says: the port is left out where it is the scheme's.
    pub(crate) authority: String,
    pub(crate) path_and_query: String,
    url: String,
}

impl UrlRules {
    /// The rules of a configuration.
    #[must_use]
    pub fn new(config: &Config) -> Self {
        Self {
            allow_http: config.allow_http,
            addresses: AddressRules::new(&config.allowed_networks),
        }
    }

    pub(crate) fn addresses(&self) -> &AddressRules {
        &self.addresses
    }

    pub(crate) fn target(&self, text: &str) -> Result<Target, WebhookUrlRefused> {
        if text.len() > WebhookUrl::MAX_BYTES {
            let max = WebhookUrl::MAX_BYTES;
            return Err(refused(&format!("expected a URL of at most {max} bytes")));
        }
        let expected = "expected an absolute URL, such as `https://shop.example/webhooks`";
        let url = Url::parse(text).map_err(|_| refused(expected))?;
        let is_https = match url.scheme() {
            "https" => true,
            "http" if self.allow_http => false,
            _ => return Err(refused("expected a URL that begins with `https://`")),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused("expected a URL without user and password"));
        }
        if url.fragment().is_some() {
            return Err(refused("expected a URL without a fragment (`#…`)"));
        }
        let port = url.port_or_known_default().unwrap_or(443);
        if !matches!(port, 80 | 443 | 1024..) {
            return Err(refused("expected port 443, 80, or one above 1023"));
        }
        let host = url.host().ok_or_else(|| refused(expected))?.to_owned();
        let address = match &host {
            Host::Ipv4(address) => Some(IpAddr::V4(*address)),
            Host::Ipv6(address) => Some(IpAddr::V6(*address)),
            Host::Domain(_) => None,
        };
        if address.is_some_and(|address| !self.addresses.allow(address)) {
            return Err(refused("expected a name, or an address that is public"));
        }
        let authority = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_string(),
        };
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        let url_text = url.as_str();
        if url_text.len() > WebhookUrl::MAX_BYTES {
            return Err(refused(
                "expected a URL that is shorter when it is percent-encoded",
            ));
        }
        Ok(Target {
            is_https,
            port,
            authority,
            path_and_query: format!("{}{query}", url.path()),
            url: url_text.to_owned(),
            host,
        })
    }
}

impl WebhookUrlPolicy for UrlRules {
    fn check(&self, text: &str) -> Result<WebhookUrl, WebhookUrlRefused> {
        self.target(text).map(|target| WebhookUrl::allowed(&target.url))
    }
}

fn refused(expected: &str) -> WebhookUrlRefused {
    WebhookUrlRefused {
        expected: expected.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules() -> UrlRules {
        UrlRules::new(&Config::default())
    }

    #[test]
    fn a_url_is_kept_in_the_spelling_of_the_standard() {
        let kept = rules()
            .check("HTTPS://Shop.Example:443/webhooks/../in?a=ü")
            .unwrap();
        assert_eq!(kept.as_str(), "https://shop.example/in?a=%C3%BC");
        assert!(rules().check("https://8.8.8.8:8443/").is_ok());
    }

    #[test]
    fn a_url_that_leads_inside_or_nowhere_is_refused() {
        let long = format!("https://shop.example/{}", "x".repeat(2_048));
        for url in [
            "",
            "shop.example",
            "/webhooks",
            "http://shop.example/",
            "ftp://shop.example/",
            "file:///etc/passwd",
            "https://user@shop.example/",
            "https://u:p@shop.example/",
            "https://shop.example:22/",
            "https://shop.example/#a",
            "https://127.0.0.1/",
            "https://2130706433/",
            "https://0x7f.1/",
            "https://0177.0.0.1/",
            "https://[::1]/",
            "https://[::ffff:127.0.0.1]/",
            "https://169.254.169.254/",
            "https://10.0.0.1:8443/",
            &long,
        ] {
            assert!(rules().check(url).is_err(), "{url}");
        }
    }
}
