//! `station qr` through the binary itself.

use crate::cli::run;
use crate::payments::scene::Scene;
use crate::support::db::{TestDb, on_each_engine};

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
}
