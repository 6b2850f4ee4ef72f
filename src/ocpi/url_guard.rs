//! To which URLs a request may go (server-side request forgery).
//!
//! A partner names URLs in its credentials, versions, endpoints, commands and `Link` headers. Each must have an
//! origin that an operator approved for that partner. Approving an origin approves its exact scheme, host and
//! port, also http, and a literal private address that it names; a name that resolves to an address of our own
//! network is refused all the same, since its owner can point it anywhere.

use crate::config::RoamingConfig;
use crate::roaming::origin::{Origin, read_url};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use url::{Host, Url};

/// Why no request goes there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlRefused {
    /// It cannot be read, or is of a scheme that is not used.
    #[error("the URL {0}")]
    NoUrl(#[from] crate::roaming::origin::OriginError),
    /// The operator did not approve it for this partner.
    #[error("the origin {origin} is not approved for this partner; approved are: {approved}")]
    NotApproved {
        /// The URL's origin.
        origin: String,
        /// Those that are.
        approved: String,
    },
    /// It leads to no partner.
    #[error("the address {0} is no address of a partner")]
    Address(IpAddr),
}

/// What kind of network an address is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Anywhere on the internet.
    Public,
    /// This machine, or a network that is not the internet: loopback, private, unique local, shared by a
    /// carrier (CGNAT).
    Private,
    /// Never a partner: link-local (where clouds serve their metadata), multicast, unspecified, reserved,
    /// translated (NAT64, 6to4, Teredo).
    Never,
}

/// What kind of network an address is of. An IPv4 address in IPv6 clothes counts as what it is.
#[must_use]
pub fn reach(address: IpAddr) -> Reach {
    match address {
        IpAddr::V4(v4) => reach_v4(v4),
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or_else(|| reach_v6(v6), reach_v4),
    }
}

fn reach_v4(address: Ipv4Addr) -> Reach {
    let [a, b, c, _] = address.octets();
    match (a, b, c) {
        (127 | 10, _, _) | (192, 168, _) | (172, 16..=31, _) => Reach::Private,
        // A cloud's metadata within the range of CGNAT, and one on a public address.
        _ if address == Ipv4Addr::new(100, 100, 100, 200) || address == Ipv4Addr::new(168, 63, 129, 16) => {
            Reach::Never
        }
        (100, 64..=127, _) => Reach::Private,
        (0 | 224..=255, _, _)
        | (169, 254, _)
        | (192, 0, 0 | 2)
        | (192, 88, 99)
        | (198, 18..=19, _)
        | (198, 51, 100)
        | (203, 0, 113) => Reach::Never,
        _ => Reach::Public,
    }
}

fn reach_v6(address: Ipv6Addr) -> Reach {
    let [first, second, ..] = address.segments();
    if address == Ipv6Addr::LOCALHOST {
        return Reach::Private;
    }
    // fd00:ec2::254 is where a cloud serves its metadata.
    if (first, second) == (0xfd00, 0x0ec2) {
        return Reach::Never;
    }
    match (first, second) {
        (0xfc00..=0xfdff, _) => Reach::Private,
        // Protocol assignments (Teredo is one of them), documentation, 6to4.
        (0x2001, 0x0000..=0x01ff | 0x0db8) | (0x2002, _) | (0x3fff, 0x0000..=0x0fff) => Reach::Never,
        (0x2000..=0x3fff, _) => Reach::Public,
        _ => Reach::Never,
    }
}

/// What the configuration allows beyond the rules.
#[derive(Debug, Clone, Copy, Default)]
pub struct Allowances {
    /// An origin approved as https may be reached by http too.
    pub http: bool,
    /// A name may resolve to a private address.
    pub private_addresses: bool,
}

impl From<&RoamingConfig> for Allowances {
    fn from(config: &RoamingConfig) -> Self {
        Self { http: config.allow_http, private_addresses: config.allow_private_addresses }
    }
}

/// Holds a URL that a partner named against the origins that an operator approved for it.
///
/// # Errors
/// When it is no URL, not approved, or leads to an address where no partner can be.
pub fn approve(url: &str, approved: &[String], allowances: Allowances) -> Result<Url, UrlRefused> {
    let url = read_url(url)?;
    let origin = Origin::of(&url);
    let is_approved = |candidate: &Origin| approved.iter().any(|known| known == candidate.as_str());
    let secure = || {
        let mut secure = url.clone();
        // `http://host` has no port of its own, and gets that of https; a port that is written stays.
        secure.set_scheme("https").ok().map(|()| Origin::of(&secure))
    };
    let http_allowed =
        || allowances.http && url.scheme() == "http" && secure().is_some_and(|secure| is_approved(&secure));
    if !is_approved(&origin) && !http_allowed() {
        let approved = if approved.is_empty() { "none".to_owned() } else { approved.join(", ") };
        return Err(UrlRefused::NotApproved { origin: origin.to_string(), approved });
    }
    let literal = match url.host() {
        Some(Host::Ipv4(address)) => Some(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => Some(IpAddr::V6(address)),
        _ => None,
    };
    match literal {
        Some(address) if reach(address) == Reach::Never => Err(UrlRefused::Address(address)),
        _ => Ok(url),
    }
}

/// Resolves names, and gives a connection only addresses that are checked: so what was checked is what is
/// connected to, whatever the name resolves to a moment later.
#[derive(Debug, Clone, Copy)]
pub struct GuardedResolver {
    /// What the configuration allows.
    pub allowances: Allowances,
}

impl GuardedResolver {
    /// Of the addresses of a name, those that may be connected to.
    ///
    /// # Errors
    /// When there are none.
    pub fn permitted(
        self,
        name: &str,
        addresses: impl IntoIterator<Item = SocketAddr>,
    ) -> Result<Vec<SocketAddr>, UrlRefused> {
        // Who names `localhost` means this machine, and nobody else can answer for the name (RFC 6761, 6.3).
        let private = self.allowances.private_addresses || name.eq_ignore_ascii_case("localhost");
        let mut refused = None;
        let permitted: Vec<SocketAddr> = addresses
            .into_iter()
            .filter(|address| {
                let may = match reach(address.ip()) {
                    Reach::Public => true,
                    Reach::Private => private,
                    Reach::Never => false,
                };
                if !may {
                    refused = Some(address.ip());
                }
                may
            })
            .collect();
        match refused {
            Some(address) if permitted.is_empty() => Err(UrlRefused::Address(address)),
            _ => Ok(permitted),
        }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = *self;
        Box::pin(async move {
            let name = name.as_str();
            let found: Vec<SocketAddr> = if name.eq_ignore_ascii_case("localhost") {
                vec![(Ipv4Addr::LOCALHOST, 0).into(), (Ipv6Addr::LOCALHOST, 0).into()]
            } else {
                tokio::net::lookup_host((name, 0)).await?.collect()
            };
            let permitted: Addrs = Box::new(guard.permitted(name, found)?.into_iter());
            Ok(permitted)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Allowances = Allowances { http: false, private_addresses: false };

    fn approve_one(url: &str, origin: &str) -> Result<Url, UrlRefused> {
        approve(url, &[Origin::parse(origin).unwrap().to_string()], NONE)
    }

    #[test]
    fn addresses_fall_into_their_kinds() {
        for (kind, addresses) in [
            (Reach::Public, &["8.8.8.8", "172.32.0.1", "100.128.0.1", "2a00:1450::1", "::ffff:8.8.8.8"][..]),
            (
                Reach::Private,
                &[
                    "127.0.0.1",
                    "127.255.255.254",
                    "10.0.0.1",
                    "172.31.255.255",
                    "192.168.1.1",
                    "100.64.0.1",
                    "::1",
                    "fd12::1",
                    "::ffff:127.0.0.1",
                    "::ffff:10.1.2.3",
                ],
            ),
            (
                Reach::Never,
                &[
                    "0.0.0.0",
                    "169.254.169.254",
                    "::ffff:169.254.169.254",
                    "100.100.100.200",
                    "168.63.129.16",
                    "192.0.0.192",
                    "192.0.2.1",
                    "198.18.0.1",
                    "198.51.100.7",
                    "203.0.113.9",
                    "224.0.0.1",
                    "255.255.255.255",
                    "::",
                    "fe80::1",
                    "ff02::1",
                    "64:ff9b::7f00:1",
                    "64:ff9b:1::1",
                    "2002:7f00:1::",
                    "2001::1",
                    "2001:db8::1",
                    "fd00:ec2::254",
                    "::7f00:1",
                    "100::1",
                ],
            ),
        ] {
            for address in addresses {
                assert_eq!(reach(address.parse().unwrap()), kind, "{address}");
            }
        }
    }

    #[test]
    fn only_the_exact_origin_is_approved() {
        assert!(approve_one("https://peer.example/ocpi/versions", "https://peer.example").is_ok());
        assert!(approve_one("https://peer.example:443/x", "https://peer.example").is_ok());
        for url in [
            "http://peer.example/x",
            "https://peer.example:8443/x",
            "https://peer.example.evil.example/x",
            "https://evil.example/peer.example",
            "https://peer.example@evil.example/x",
            "https://evil.example#https://peer.example",
            "https://sub.peer.example/x",
            "//peer.example/x",
            "javascript:alert(1)",
            "https://127.0.0.1/x",
            "https://169.254.169.254/latest/meta-data",
        ] {
            assert!(approve_one(url, "https://peer.example").is_err(), "{url}");
        }
    }

    #[test]
    fn a_named_http_or_loopback_origin_is_approved_and_metadata_never() {
        for origin in
            ["http://127.0.0.1:9000", "http://[::1]:9000", "http://peer.example", "https://10.0.0.7"]
        {
            assert!(approve_one(&format!("{origin}/ocpi"), origin).is_ok(), "{origin}");
        }
        // Other spellings of an address are the same address; another port is not.
        assert!(approve_one("http://2130706433:9000/x", "http://127.0.0.1:9000").is_ok());
        assert!(approve_one("http://127.0.0.1:9001/x", "http://127.0.0.1:9000").is_err());
        for origin in
            ["http://169.254.169.254", "http://[fe80::1]", "http://0.0.0.0:80", "http://[::ffff:a9fe:a9fe]"]
        {
            assert!(matches!(approve_one(origin, origin), Err(UrlRefused::Address(_))), "{origin}");
        }
    }

    #[test]
    fn http_is_allowed_for_an_https_origin_only_by_configuration() {
        let approved = ["https://peer.example".to_owned()];
        let lenient = Allowances { http: true, private_addresses: false };
        assert!(approve("http://peer.example/x", &approved, NONE).is_err());
        assert!(approve("http://peer.example/x", &approved, lenient).is_ok());
        assert!(approve("http://other.example/x", &approved, lenient).is_err());
    }

    #[test]
    fn a_name_that_leads_into_our_network_is_refused() {
        let guard = GuardedResolver { allowances: NONE };
        let addresses = |list: &[&str]| -> Vec<SocketAddr> {
            list.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), 0)).collect()
        };
        assert!(guard.permitted("peer.example", addresses(&["127.0.0.1", "fd12::1"])).is_err());
        // A rebinding answer mixes both: only the public one is connected to.
        let mixed = guard.permitted("peer.example", addresses(&["10.0.0.1", "8.8.8.8"])).unwrap();
        assert_eq!(mixed, addresses(&["8.8.8.8"]));
        assert!(guard.permitted("localhost", addresses(&["127.0.0.1"])).is_ok());
        let lenient = GuardedResolver { allowances: Allowances { http: false, private_addresses: true } };
        assert!(lenient.permitted("peer.example", addresses(&["127.0.0.1"])).is_ok());
        assert!(lenient.permitted("peer.example", addresses(&["169.254.169.254"])).is_err());
    }
}
