//! Codes of charging points: `station qr` through the binary itself, and those of the operator API for displays.

use super::scene::{Browser, heading};
use crate::cli::run;
use crate::payments::scene::Scene;
use crate::support::db::{TestDb, on_each_engine};
use crate::web::operator::Operator;
use reqwest::Method;
use serde_json::{Value, json};

on_each_engine! {
    /// Addresses, pictures and labels of every charging point.
    async fn codes_are_made_for_charging_points(db: TestDb) {
        let _scene = Scene::start(&db).await;
        let folder = tempfile::tempdir().unwrap();
        let (svg, sheet) = (folder.path().join("codes"), folder.path().join("labels.pdf"));
        let (svg_text, sheet_text) = (svg.to_str().unwrap(), sheet.to_str().unwrap());
        let made = run(&db, &["station", "qr", "--svg", svg_text, "--sheet", sheet_text, "--json"]);
        assert_eq!(made.code, 0, "{made:?}");
        let made = made.json();
        assert_eq!(made.as_array().unwrap().len(), 2, "{made}");
        assert_eq!((&made[0]["evse"], &made[0]["station"]), (&"DE*ABC*E0".into(), &"CS0".into()), "{made}");
        assert!(made[0]["url"].as_str().unwrap().contains("/pay/DE*ABC*E0?s="), "{made}");
        assert_ne!(made[0]["url"].as_str().unwrap().split("s=").nth(1), made[1]["url"].as_str().unwrap().split("s=").nth(1));
        let picture = std::fs::read_to_string(svg.join("DE_ABC_E0.svg")).unwrap();
        assert!(picture.contains("<svg") && picture.contains("</svg>"));
        assert!(std::fs::read(&sheet).unwrap().starts_with(b"%PDF-"));

        let one = run(&db, &["station", "qr", "CS1", "--valid", "5m"]);
        assert!(one.code == 0 && one.out.contains("DE*ABC*E1?t=") && !one.out.contains("E0"), "{one:?}");
        let unknown = run(&db, &["station", "qr", "CS9"]);
        assert!(unknown.code == 1 && unknown.err.contains("there is no station CS9"), "{unknown:?}");
        let unknown = run(&db, &["station", "qr", "CS1", "--connector", "7"]);
        assert!(unknown.code == 1 && unknown.err.contains("no connector 7"), "{unknown:?}");
        let wrong = run(&db, &["station", "qr", "--valid", "soon"]);
        assert_eq!(wrong.code, 2, "{wrong:?}");
    }

    /// A display fetches a code, which leads to the page until it runs out; then it fetches the next one.
    async fn a_display_fetches_a_code_that_runs_out(db: TestDb) {
        let scene = Scene::start(&db).await;
        let _station = scene.station(0, crate::payments::station::Manners::default()).await;
        let viewer = Operator::of_role(&scene.site.node, "viewer").await;
        let browser = Browser::new(&scene);
        let made = viewer.get("/evses/DE*ABC*E0/code?valid=60").await;
        assert_eq!((&made["evse"], &made["station"], &made["connectors"]), (&json!("DE*ABC*E0"), &json!("CS0"), &json!([1])));
        assert_eq!(made["valid_until"], "2026-03-01T08:01:00Z", "{made}");
        let path = |made: &Value| {
            let base = &scene.app().public_url;
            made["url"].as_str().unwrap().strip_prefix(base.as_str()).unwrap().to_owned()
        };
        assert!(path(&made).starts_with("/pay/DE*ABC*E0?t="), "{made}");
        assert_eq!(heading(&browser.page(&path(&made)).await), "Charge here");
        // By its uid it is the same; without a time it counts for five minutes.
        let default = viewer.get("/evses/e0/code").await;
        assert_eq!((&default["evse"], &default["valid_until"]), (&json!("DE*ABC*E0"), &json!("2026-03-01T08:05:00Z")));
        scene.turn(61);
        assert_eq!(browser.get(&path(&made)).await.status(), 410);
        assert_eq!(heading(&browser.page(&path(&default)).await), "Charge here");
        let next = viewer.get("/evses/DE*ABC*E0/code?valid=60").await;
        assert_ne!(next["url"], made["url"]);
        assert_eq!(heading(&browser.page(&path(&next)).await), "Charge here");

        // As a picture, for who asks for one.
        let get = async |path: &str, accept: &str| {
            let request = scene.site.node.client.get(scene.site.node.url(&format!("/api/v1{path}")));
            request.bearer_auth(&viewer.token).header("Accept", accept).send().await.unwrap()
        };
        for (path, accept, kind) in [
            ("/evses/E0/code?format=svg", "*/*", "image/svg+xml"),
            ("/evses/E0/code", "image/svg+xml, */*;q=0.1", "image/svg+xml"),
            ("/evses/E0/code?format=json", "image/svg+xml", "application/json"),
            ("/evses/E0/code", "*/*", "application/json"),
        ] {
            let answer = get(path, accept).await;
            assert_eq!((answer.headers()["content-type"].to_str().unwrap(), answer.headers()["cache-control"].to_str().unwrap()), (kind, "no-store"), "{path} {accept}");
            let body = answer.text().await.unwrap();
            assert_eq!(body.contains("<svg") && body.ends_with("</svg>"), kind == "image/svg+xml", "{body}");
        }

        let all = viewer.get("/stations/CS1/codes?valid=3600").await;
        assert_eq!(all.as_array().unwrap().len(), 1, "{all}");
        assert_eq!((&all[0]["evse"], &all[0]["valid_until"]), (&json!("DE*ABC*E1"), &json!("2026-03-01T09:01:01Z")));
        assert!(path(&all[0]).starts_with("/pay/DE*ABC*E1?t="), "{all}");

        for (path, status, said) in [
            ("/evses/E9/code", 404, "no charging point E9"),
            ("/stations/CS9/codes", 404, "no station CS9"),
            ("/evses/E0/code?valid=29", 400, "30 to 86400"),
            ("/evses/E0/code?valid=86401", 400, "30 to 86400"),
            ("/evses/E0/code?valid=soon", 400, "whole number"),
            ("/evses/E0/code?format=png", 400, "svg"),
            ("/evses/E0/code?until=60", 400, "no such parameter"),
            ("/stations/CS0/codes?format=svg", 400, "no such parameter"),
        ] {
            let (found, problem) = crate::web::operator::problem(viewer.send(Method::GET, path, None).await).await;
            assert_eq!(found, status, "{path}: {problem}");
            assert!(problem.to_string().contains(said), "{path}: {problem}");
        }
        let nobody = scene.site.node.client.get(scene.site.node.url("/api/v1/evses/E0/code")).send().await.unwrap();
        assert_eq!(nobody.status(), 401);
    }
}
