//! An app and its drivers, as the tests play them.

use crate::support::node::TestNode;
use reqwest::header::HeaderMap;
use reqwest::{Method, Response};
use roamwatt::db::driver_apps::Oidc;
use roamwatt::db::{DbError, parties};
use roamwatt::domain::party::{Party, Role};
use roamwatt::driver::apps::{NewApp, add, new_app_secret};
use serde_json::Value;

/// The eMSP of the apps.
pub(crate) const EMSP: &str = "DE*EMP";
/// The type of a subject token that is the app's own id of a user.
pub(crate) const USER_ID: &str = "urn:roamwatt:params:oauth:token-type:user-id";
pub(crate) const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";

/// An app with its secret.
pub(crate) struct AppOf<'a> {
    pub(crate) node: &'a TestNode,
    pub(crate) id: String,
    pub(crate) secret: String,
}

impl<'a> AppOf<'a> {
    /// A new app of [`EMSP`], which is made an eMSP of ours.
    pub(crate) async fn new(node: &'a TestNode, id: &str) -> Self {
        Self::with(node, id, None).await
    }

    pub(crate) async fn with(node: &'a TestNode, id: &str, oidc: Option<Oidc>) -> Self {
        let app = node.app();
        let emsp =
            Party { id: EMSP.parse().unwrap(), name: "Emp".into(), website: None, roles: vec![Role::Emsp] };
        let new = NewApp { id: id.to_owned(), name: "Charge now".to_owned(), party: emsp.id.clone(), oidc };
        let (secret, hash) = new_app_secret(&app.keys);
        let now = app.now();
        let write = move |conn: &mut _| {
            if parties::find(conn, &emsp.id)?.is_none() {
                parties::insert(conn, &emsp, now)?;
            }
            Ok::<_, DbError>(add(conn, &new, &hash, now).unwrap())
        };
        app.db.write(write).await.unwrap();
        Self { node, id: id.to_owned(), secret }
    }

    /// What the token endpoint answers.
    pub(crate) async fn ask(&self, parameters: &[(&str, &str)]) -> Response {
        self.post("/driver/v1/token", parameters).await
    }

    pub(crate) async fn post(&self, path: &str, parameters: &[(&str, &str)]) -> Response {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        let request = self.node.client.post(self.node.url(path)).basic_auth(&self.id, Some(&self.secret));
        let request = request.header("Content-Type", "application/x-www-form-urlencoded").body(body);
        request.send().await.unwrap()
    }

    /// Tokens that must be given.
    pub(crate) async fn tokens(&self, parameters: &[(&str, &str)]) -> Value {
        let response = self.ask(parameters).await;
        let (status, body) = (response.status(), response.json::<Value>().await.unwrap());
        assert_eq!(status, 200, "{body}");
        body
    }

    /// One of its users, with a phone.
    pub(crate) async fn driver(&self, user: &str) -> Phone<'a> {
        let tokens = self.exchange(user).await;
        Phone {
            node: self.node,
            token: tokens["access_token"].as_str().unwrap().to_owned(),
            driver_id: tokens["driver_id"].as_str().unwrap().to_owned(),
        }
    }

    pub(crate) async fn exchange(&self, user: &str) -> Value {
        self.tokens(&[("grant_type", EXCHANGE), ("subject_token", user), ("subject_token_type", USER_ID)])
            .await
    }
}

/// OAuth's error word of an answer that must be an error.
pub(crate) async fn refusal(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    assert!(body["error_description"].as_str().is_some_and(|text| !text.is_empty()), "{body}");
    (status, body["error"].as_str().unwrap().to_owned())
}

/// Somebody with an access token.
pub(crate) struct Phone<'a> {
    pub(crate) node: &'a TestNode,
    pub(crate) token: String,
    pub(crate) driver_id: String,
}

impl Phone<'_> {
    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: Option<Value>,
    ) -> Response {
        let url = self.node.url(&format!("/driver/v1{path}"));
        let request = self.node.client.request(method, url).bearer_auth(&self.token).headers(headers);
        let request = match body {
            Some(body) => request.header("Content-Type", "application/json").body(body.to_string()),
            None => request,
        };
        request.send().await.unwrap()
    }

    /// The status and the document of an answer.
    pub(crate) async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let response = self.send(method, path, HeaderMap::new(), body).await;
        let status = response.status().as_u16();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    /// What a GET answers, which must be fine.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(Method::GET, path, None).await;
        assert_eq!(status, 200, "GET {path}: {body}");
        body
    }

    /// The status of a GET.
    pub(crate) async fn status(&self, path: &str) -> u16 {
        self.ask(Method::GET, path, None).await.0
    }
}
