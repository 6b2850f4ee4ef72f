//! An operator at the API: its keys made as the command line makes them, its answers read.

use crate::support::node::TestNode;
use reqwest::{Method, Response, StatusCode};
use roamwatt::db::{DbError, api_keys};
use roamwatt::security::new_secret;
use serde_json::Value;

/// Somebody with an access token.
pub(crate) struct Operator<'a> {
    node: &'a TestNode,
    pub(crate) token: String,
}

/// A new API key of a role.
pub(super) async fn api_key(node: &TestNode, role: &'static str) -> String {
    let app = node.app();
    let key = new_secret();
    let (hash, now) = (app.keys.hash(&key), app.now());
    let insert = move |conn: &mut _| api_keys::insert(conn, "test", role, &hash, now);
    app.db.write::<_, DbError, _>(insert).await.unwrap();
    key
}

/// What `POST /api/v1/token` answers to a key.
pub(super) async fn exchange(node: &TestNode, key: &str) -> Response {
    node.client.post(node.url("/api/v1/token")).bearer_auth(key).send().await.unwrap()
}

impl<'a> Operator<'a> {
    /// Somebody of a role: `operator`, `finance` or `viewer`.
    pub(crate) async fn of_role(node: &'a TestNode, role: &'static str) -> Self {
        let answer: Value = exchange(node, &api_key(node, role).await).await.json().await.unwrap();
        Self { node, token: answer["access_token"].as_str().unwrap().to_owned() }
    }

    /// Sends a request, with a JSON body where there is one.
    pub(crate) async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Response {
        let url = self.node.url(&format!("/api/v1{path}"));
        let request = self.node.client.request(method, url).bearer_auth(&self.token);
        let request = match body {
            Some(body) => request.header("Content-Type", "application/json").body(body.to_string()),
            None => request,
        };
        request.send().await.unwrap()
    }

    /// What a GET answers, which must be fine.
    pub(crate) async fn get(&self, path: &str) -> Value {
        let response = self.send(Method::GET, path, None).await;
        assert_eq!(response.status(), 200, "GET {path}");
        response.json().await.unwrap()
    }

    /// The status and the document of an answer that must be a problem.
    pub(super) async fn problem(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        problem(self.send(method, path, body).await).await
    }
}

/// The status and the document of an answer that must be a problem.
pub(crate) async fn problem(response: Response) -> (u16, Value) {
    let status: StatusCode = response.status();
    assert_eq!(response.headers()["content-type"], "application/problem+json", "{status}");
    let document: Value = response.json().await.unwrap();
    assert_eq!(document["status"], status.as_u16());
    assert_eq!(document["type"], "about:blank");
    (status.as_u16(), document)
}
