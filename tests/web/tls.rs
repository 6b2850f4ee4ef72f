//! https and wss: a certificate from files, renewed without a restart.

use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use roamwatt::clock::Clock;
use roamwatt::config::TlsFiles;
use std::path::Path;
use std::time::Duration;

/// Writes a new self-signed certificate and its key, and gives the certificate.
fn renew(files: &TlsFiles) -> reqwest::Certificate {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    // The key first: what is seen half written must not be taken up.
    std::fs::write(&files.key, made.signing_key.serialize_pem()).unwrap();
    std::fs::write(&files.certificate, made.cert.pem()).unwrap();
    reqwest::Certificate::from_pem(made.cert.pem().as_bytes()).unwrap()
}

/// What `/livez` answers over TLS to a client that trusts only this certificate.
async fn ask(node: &TestNode, trusted: &reqwest::Certificate) -> Result<u16, reqwest::Error> {
    let client = reqwest::Client::builder().no_proxy().tls_certs_only([trusted.clone()]).build().unwrap();
    let url = node.url("/livez").replace("http://127.0.0.1", "https://localhost");
    Ok(client.get(url).send().await?.status().as_u16())
}

on_each_engine! {
    async fn a_renewed_certificate_is_used_without_a_restart(db: TestDb) {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str| Path::new(folder.path()).join(name);
        let files = TlsFiles { certificate: file("cert.pem"), key: file("key.pem") };
        let first = renew(&files);
        let node = TestNode::start_with(db.url(), Clock::System, |config| {
            config.server.tls = Some(files.clone());
            config.server.tls_reload_interval = Duration::from_millis(20);
        })
        .await;
        assert!(node.app().public_url.starts_with("https://"));
        assert_eq!(ask(&node, &first).await.unwrap(), 200);
        assert!(node.client.get(node.url("/livez")).send().await.is_err(), "plain http is not spoken");

        // Rubbish changes nothing.
        std::fs::write(&files.certificate, "half a certifi").unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert_eq!(ask(&node, &first).await.unwrap(), 200);

        let second = renew(&files);
        let mut answer = ask(&node, &second).await;
        for _ in 0..100 {
            if answer.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            answer = ask(&node, &second).await;
        }
        assert_eq!(answer.unwrap(), 200);
        assert!(ask(&node, &first).await.is_err(), "the old certificate is still used");
        node.stop().await;
    }
}
