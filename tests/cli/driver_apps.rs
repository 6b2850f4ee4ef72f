//! Apps of drivers from the command line.

use super::{add_party, run};
use crate::support::db::{TestDb, on_each_engine};
use serde_json::json;

on_each_engine! {
    async fn an_app_is_added_listed_given_a_new_secret_and_removed(db: TestDb) {
        add_party(&db);
        let none = run(&db, &["driver-app", "list"]);
        assert!(none.code == 0 && none.out.contains("no apps yet"), "{none:?}");
        let stranger = run(&db, &["driver-app", "add", "charge-now", "--party", "DE*XYZ"]);
        assert!(stranger.code == 1 && stranger.err.contains("DE*XYZ is no eMSP of ours"), "{stranger:?}");
        let wrong = run(&db, &["driver-app", "add", "charge now", "--party", "DE*ABC"]);
        assert!(wrong.code == 1 && wrong.err.contains("cannot be the id of an app"), "{wrong:?}");
        let half = run(&db, &["driver-app", "add", "a", "--party", "DE*ABC", "--oidc-issuer", "https://login.example"]);
        assert_eq!(half.code, 2, "{half:?}");

        let oidc = ["--oidc-issuer", "https://login.example", "--oidc-audience", "phone"];
        let added = run(&db, &[&["--json", "driver-app", "add", "charge-now", "--party", "DE*ABC"], &oidc[..]].concat()).json();
        let secret = added["secret"].as_str().unwrap().to_owned();
        assert_eq!((&added["party"], &added["oidc_issuer"]), (&json!("DE*ABC"), &json!("https://login.example")));
        let again = run(&db, &["driver-app", "add", "charge-now", "--party", "DE*ABC"]);
        assert!(again.code == 1 && again.err.contains("there is an app charge-now already"), "{again:?}");
        let listed = run(&db, &["driver-app", "list"]);
        assert!(listed.out.contains("charge-now") && !listed.out.contains(&secret), "{listed:?}");

        let rotated = run(&db, &["--json", "driver-app", "rotate", "charge-now"]).json();
        assert_ne!(rotated["secret"], json!(secret));
        assert_eq!(run(&db, &["--json", "driver-app", "remove", "charge-now"]).json(), json!({"removed": "charge-now"}));
        for gone in ["rotate", "remove"] {
            let ran = run(&db, &["driver-app", gone, "charge-now"]);
            assert!(ran.code == 1 && ran.err.contains("there is no app charge-now"), "{ran:?}");
        }
    }
}
