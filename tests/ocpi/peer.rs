//! Partners as the tests play them: an HTTP client with a token, registered with a node of ours.

use crate::support::node::TestNode;
use reqwest::Method;
use reqwest::header::HeaderMap;
use roamwatt::db::{DbError, parties, partners};
use roamwatt::domain::partner::{DeliveryPolicy, Partner, PartnerRole, PartnerStatus, TokenEncoding};
use roamwatt::domain::party::{Party, PartyId, Role};
use serde_json::{Value, json};

/// Our own party in these tests: a CPO and an eMSP.
pub(crate) const OURS: &str = "DE*OUR";
/// The CPO whose objects the fixtures are.
pub(crate) const ABC: &str = "DE*ABC";
/// The eMSP whose tokens the fixtures are.
pub(crate) const XYZ: &str = "NL*XYZ";

pub(crate) fn party(text: &str) -> PartyId {
    text.parse().unwrap()
}

/// A node of ours that speaks for [`OURS`].
pub(crate) async fn node(database_url: &str) -> TestNode {
    let node = TestNode::start(database_url).await;
    add_party(&node, OURS, &[Role::Cpo, Role::Emsp]).await;
    node
}

pub(crate) async fn add_party(node: &TestNode, id: &str, roles: &[Role]) {
    let ours = Party { id: party(id), name: "Our platform".to_owned(), website: None, roles: roles.to_vec() };
    let now = node.app().now();
    node.app().db.write(move |conn| parties::insert(conn, &ours, now)).await.unwrap();
}

/// What a request was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) http: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    /// The OCPI status code; 0 where the body is no envelope.
    pub(crate) fn code(&self) -> u64 {
        self.body["status_code"].as_u64().unwrap_or_default()
    }

    /// HTTP status and OCPI status code.
    pub(crate) fn codes(&self) -> (u16, u64) {
        (self.http, self.code())
    }

    pub(crate) fn message(&self) -> &str {
        self.body["status_message"].as_str().unwrap_or_default()
    }

    pub(crate) fn data(&self) -> &Value {
        &self.body["data"]
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// A partner of a node.
#[derive(Clone)]
pub(crate) struct Peer<'n> {
    pub(crate) node: &'n TestNode,
    pub(crate) partner: Partner,
    pub(crate) token: String,
}

impl<'n> Peer<'n> {
    /// A partner that is registered and speaks for these parties.
    pub(crate) async fn join(node: &'n TestNode, roles: &[(&str, Role)]) -> Self {
        let app = node.app();
        let token = format!("token-of-{}", uuid::Uuid::new_v4());
        let name = roles.iter().map(|(id, role)| format!("{id} {role}")).collect::<Vec<_>>().join(", ");
        let roles = roles.iter().map(|(id, role)| PartnerRole {
            role: role.clone(),
            party: party(id),
            name: (*id).to_owned(),
            website: None,
            logo: None,
        });
        let now = app.now();
        let partner = Partner {
            id: 0,
            name,
            status: PartnerStatus::Registered,
            versions_url: Some("http://127.0.0.1:1/ocpi/versions".to_owned()),
            version: Some("2.2.1".to_owned()),
            endpoints: Vec::new(),
            roles: roles.collect(),
            allowed_origins: vec!["http://127.0.0.1:1".to_owned()],
            delivery: DeliveryPolicy::PullOnly,
            token_encoding: TokenEncoding::Base64,
            created: now,
            last_updated: now,
        };
        let hash = app.keys.hash(&token);
        let partner = app
            .db
            .write::<_, DbError, _>(move |conn| {
                let mut partner = partner.clone();
                partner.id = partners::insert(conn, &partner)?;
                partners::update(conn, &partner)?;
                partners::set_tokens_in(conn, partner.id, Some(&hash), None)?;
                Ok(partner)
            })
            .await
            .unwrap();
        Self { node, partner, token }
    }

    /// The CPO of the fixtures.
    pub(crate) async fn abc(node: &'n TestNode) -> Self {
        Self::join(node, &[(ABC, Role::Cpo)]).await
    }

    /// The eMSP of the fixtures.
    pub(crate) async fn xyz(node: &'n TestNode) -> Self {
        Self::join(node, &[(XYZ, Role::Emsp)]).await
    }

    /// A request to a path below `/ocpi/2.2.1`, or to a URL that we gave.
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<Vec<u8>>,
    ) -> Answer {
        use base64::Engine;
        let encoded = base64::engine::general_purpose::STANDARD.encode(&self.token);
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            self.node.url(&format!("/ocpi/2.2.1{path}"))
        };
        let mut request =
            self.node.client.request(method, url).header("Authorization", format!("Token {encoded}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.header("Content-Type", "application/json").body(body);
        }
        let response = request.send().await.unwrap();
        let (http, headers) = (response.status().as_u16(), response.headers().clone());
        let text = response.bytes().await.unwrap();
        let body = serde_json::from_slice(&text).unwrap_or_else(|_| json!(String::from_utf8_lossy(&text)));
        Answer { http, headers, body }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], None).await
    }
    pub(crate) async fn put(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PUT, path, &[], Some(body.to_string().into_bytes())).await
    }
    pub(crate) async fn patch(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::PATCH, path, &[], Some(body.to_string().into_bytes())).await
    }
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, &[], Some(body.to_string().into_bytes())).await
    }
    pub(crate) async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], None).await
    }
}

/// An object of our fixtures.
pub(crate) fn fixture(name: &str) -> Value {
    serde_json::from_slice(&super::fields::own(name)).unwrap()
}

/// The same object with some fields changed.
pub(crate) fn with(mut object: Value, changes: Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            object.as_object_mut().unwrap().remove(name);
        } else {
            object[name] = value.clone();
        }
    }
    object
}
