//! Ids are any printable text of at most 36 characters: those that mean something in a URL, or in our own keys,
//! reach a partner like all others.

use super::delivery::{abc, site};
use super::peer::{FakePartner, until_told};
use crate::support::db::{TestDb, on_each_engine};
use roamwatt::db::{DbConn, DbError, changes, locations, stations, tariffs};
use roamwatt::domain::location::Location;
use roamwatt::domain::station::{Station, StationAuth, StationConnector, StationId};
use roamwatt::domain::tariff::Tariff;
use roamwatt::roaming::catalogue::{put_location, put_tariff, remove_tariff};
use serde_json::json;

/// Ids, and how each stands in a URL.
const ODD: [(&str, &str); 8] = [
    ("a#b", "a%23b"),
    ("a/b", "a%2Fb"),
    ("a%b", "a%25b"),
    ("a b", "a%20b"),
    ("a?b", "a%3Fb"),
    ("%23#%25#", "%2523%23%2525%23"),
    ("a*b+c", "a*b+c"),
    ("#", "%23"),
];

/// A location, its EVSE, its tariff and a station, all named like that.
fn add(conn: &mut DbConn, number: usize, id: &'static str) -> Result<(), DbError> {
    let mut location: Location = locations::find(conn, &abc(), &"LOC1".into())?.unwrap();
    let tariff = Tariff { id: id.into(), ..tariffs::find(conn, &abc(), &"T1".into())?.unwrap() };
    let now = location.last_updated;
    location.id = id.into();
    let evses = location.evses.as_mut().unwrap();
    evses.truncate(1);
    evses[0].uid = id.into();
    evses[0].connectors[0].id = id.into();
    evses[0].connectors[0].tariff_ids = Some(vec![id.into()]);
    put_tariff(conn, &tariff, now)?;
    put_location(conn, &location, now)?;
    let station = Station::new(
        StationId::parse(&format!("CS{number}")).unwrap(),
        abc(),
        id.into(),
        StationAuth::None,
        vec![StationConnector::new(1, id.into(), id.into())],
    );
    stations::insert(conn, &station, None, now)
}

on_each_engine! {
    async fn every_printable_id_reaches_a_partner(db: TestDb) {
        let site = site(&db).await;
        let app = site.node.app();
        let numbered = || ODD.into_iter().zip(10..);
        // Before the partner registers: everything is marked at once, by one statement.
        app.db.write(move |conn| numbered().try_for_each(|((id, _), number)| add(conn, number, id))).await.unwrap();
        let partner = FakePartner::start();
        let joined = partner.join(&site.node).await;
        until_told(&site.node, joined).await;
        for (id, in_url) in ODD {
            assert_eq!(partner.holds(&format!("tariffs/DE/ABC/{in_url}")).expect(id)["id"], json!(id));
            let location = partner.holds(&format!("locations/DE/ABC/{in_url}")).expect(id);
            assert_eq!((&location["id"], &location["evses"][0]["uid"]), (&json!(id), &json!(id)));
        }
        assert_eq!(partner.held().len(), 2 + 2 * ODD.len(), "and nothing else");

        // The state of an EVSE, and a change of the whole.
        for ((id, in_url), number) in numbered() {
            site.status(number, 60, "Charging").await;
            until_told(&site.node, joined).await;
            let path = format!("locations/DE/ABC/{in_url}");
            // Not always the last: that the tariff before was removed is told of its location a little later.
            assert!(partner.heard().contains(&format!("PATCH {path}/{in_url}")), "{id}");
            assert_eq!(partner.holds(&path).unwrap()["evses"][0]["status"], json!("CHARGING"), "{id}");
            let change = move |conn: &mut DbConn| {
                let mut location = locations::find(conn, &abc(), &id.into())?.unwrap();
                location.name = Some("Renamed".to_owned());
                put_location(conn, &location, location.last_updated)?;
                remove_tariff(conn, &abc(), &id.into(), location.last_updated)
            };
            assert!(app.db.write(change).await.unwrap());
            app.wakes.delivery.notify_waiters();
            until_told(&site.node, joined).await;
            assert_eq!(partner.holds(&path).unwrap()["name"], json!("Renamed"), "{id}");
            assert_eq!(partner.holds(&format!("tariffs/DE/ABC/{in_url}")), None, "{id}");
        }
    }

    /// The state of an EVSE alone, to a partner of which is not known what it holds.
    async fn a_state_goes_alone_where_nothing_else_is_known(db: TestDb) {
        let site = site(&db).await;
        let app = site.node.app();
        let partner = FakePartner::start();
        let joined = partner.join(&site.node).await;
        until_told(&site.node, joined).await;
        for ((id, in_url), number) in ODD.into_iter().zip(10..) {
            let settle = move |conn: &mut DbConn| {
                add(conn, number, id)?;
                // As if another node had told of them.
                for change in changes::pending(conn, joined, 10)? {
                    changes::delivered(conn, &change)?;
                }
                Ok::<_, DbError>(())
            };
            app.db.write(settle).await.unwrap();
            site.status(number, 60, "Charging").await;
            until_told(&site.node, joined).await;
            // It knows neither, so the whole follows.
            let path = format!("locations/DE/ABC/{in_url}");
            let heard = partner.heard();
            assert_eq!(heard[heard.len() - 2..], [format!("PATCH {path}/{in_url}"), format!("PUT {path}")]);
        }
    }
}
