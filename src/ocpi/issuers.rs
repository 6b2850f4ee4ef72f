//! The way to issuers of id tokens, under the same guard as the way to partners.

use super::link::OcpiLink;
use crate::driver::oidc::IssuerLink;
use async_trait::async_trait;
use serde_json::Value;

#[async_trait]
impl IssuerLink for OcpiLink {
    async fn read_json(&self, url: &str, origins: &[String]) -> Result<Value, String> {
        let body = self.client().read(url, origins).await.map_err(|error| error.to_string())?;
        serde_json::from_slice(&body).map_err(|error| format!("it answered no JSON: {error}"))
    }
}
