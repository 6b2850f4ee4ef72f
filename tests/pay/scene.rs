//! What the tests of pages share: a browser that follows no redirects by itself, and what stands in a page.

use crate::payments::scene::Scene;
use reqwest::header::LOCATION;
use reqwest::redirect::Policy;
use reqwest::{Client, Response, StatusCode};
use roamwatt::payments::code::Code;
use roamwatt::payments::{Begun, view};

/// A browser without scripts.
pub(super) struct Browser<'a> {
    scene: &'a Scene,
    client: Client,
}

impl<'a> Browser<'a> {
    pub(super) fn new(scene: &'a Scene) -> Self {
        Self { scene, client: Client::builder().no_proxy().redirect(Policy::none()).build().unwrap() }
    }

    pub(super) async fn get(&self, path: &str) -> Response {
        self.client.get(self.scene.site.node.url(path)).send().await.unwrap()
    }

    /// As browsers ask, which take compressed answers.
    pub(super) async fn get_packed(&self, path: &str) -> Response {
        let request = self.client.get(self.scene.site.node.url(path)).header("Accept-Encoding", "gzip");
        request.send().await.unwrap()
    }

    pub(super) async fn get_in(&self, path: &str, language: &str) -> Response {
        let request = self.client.get(self.scene.site.node.url(path)).header("Accept-Language", language);
        request.send().await.unwrap()
    }

    pub(super) async fn post(&self, path: &str, form: &[(&str, &str)]) -> Response {
        let body: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = self.client.post(self.scene.site.node.url(path));
        request.header("Content-Type", "application/x-www-form-urlencoded").body(body).send().await.unwrap()
    }

    /// A page that is there.
    pub(super) async fn page(&self, path: &str) -> String {
        let response = self.get(path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.text().await.unwrap()
    }

    /// Sends the form of the page behind a code, and gives the address of the payment.
    pub(super) async fn begin(&self, code: &str, email: &str) -> String {
        let nonce = field(&self.page(code).await, "nonce");
        let begun = self.post(code, &[("nonce", &nonce), ("email", email)]).await;
        assert_eq!(begun.status(), StatusCode::SEE_OTHER);
        to(&begun)
    }
}

/// The payment of a page.
pub(super) async fn begun_of(scene: &Scene, charge: &str) -> Begun {
    let key = charge.rsplit('/').next().unwrap().to_owned();
    let view = view(scene.app(), &key).await.unwrap();
    Begun { key, page: None, view }
}

/// The address behind the code of an EVSE.
pub(super) fn code_of(scene: &Scene, evse: &str) -> String {
    Code { evse: evse.to_owned(), until: None }.path(&scene.app().keys)
}

/// Where a redirect leads.
pub(super) fn to(response: &Response) -> String {
    response.headers()[LOCATION].to_str().unwrap().to_owned()
}

/// The value of a hidden field.
pub(super) fn field(page: &str, name: &str) -> String {
    let from = format!("name=\"{name}\" value=\"");
    let (_, rest) = page.split_once(&from).unwrap_or_else(|| panic!("there is no {name} in {page}"));
    rest.split('"').next().unwrap().to_owned()
}

/// The heading.
pub(super) fn heading(page: &str) -> &str {
    let (_, rest) = page.split_once("<h1").unwrap();
    rest.split_once('>').unwrap().1.split("</h1>").next().unwrap()
}
