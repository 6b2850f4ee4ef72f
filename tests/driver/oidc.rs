//! Id tokens of an issuer: its keys read and rotated, and everything that is wrong with a token.

use super::phone::{AppOf, refusal};
use crate::support::db::{TestDb, on_each_engine};
use crate::support::node::TestNode;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use roamwatt::clock::Clock;
use roamwatt::db::driver_apps::Oidc;
use serde_json::{Value, json};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const BEGIN: &str = "2026-03-01T08:00:00Z";
const AUDIENCE: &str = "phone-app";
const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/// A key of an issuer.
struct Key {
    kid: &'static str,
    pkcs8: Vec<u8>,
    pair: EcdsaKeyPair,
}

impl Key {
    fn new(kid: &'static str) -> Self {
        let pkcs8 =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &SystemRandom::new()).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8.as_ref()).unwrap();
        Self { kid, pkcs8: pkcs8.as_ref().to_vec(), pair }
    }

    fn public(&self) -> Value {
        // 0x04, x, y.
        let point = self.pair.public_key().as_ref();
        let (x, y) = (URL_SAFE_NO_PAD.encode(&point[1..33]), URL_SAFE_NO_PAD.encode(&point[33..]));
        json!({"kty": "EC", "crv": "P-256", "use": "sig", "alg": "ES256", "kid": self.kid, "x": x, "y": y})
    }

    fn sign(&self, claims: &Value) -> String {
        let key = EncodingKey::from_ec_der(&self.pkcs8);
        let header = Header { kid: Some(self.kid.to_owned()), ..Header::new(Algorithm::ES256) };
        encode(&header, claims, &key).unwrap()
    }
}

#[derive(Default)]
struct Served {
    keys: Vec<Value>,
    asked: usize,
    down: bool,
    /// What it says its issuer is, if not itself.
    pretends: Option<String>,
}

/// An issuer on a free port.
struct Issuer {
    url: String,
    served: Arc<Mutex<Served>>,
}

impl Issuer {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let served = Arc::new(Mutex::new(Served::default()));
        let data = web::Data::new((url.clone(), Arc::clone(&served)));
        let server =
            HttpServer::new(move || App::new().app_data(data.clone()).default_service(web::to(answer)))
                .workers(1)
                .disable_signals()
                .listen(listener)
                .unwrap()
                .run();
        tokio::spawn(server);
        Self { url, served }
    }

    fn set(&self, keys: &[&Key]) {
        self.served.lock().unwrap().keys = keys.iter().map(|key| key.public()).collect();
    }

    fn asked(&self) -> usize {
        self.served.lock().unwrap().asked
    }

    fn oidc(&self) -> Oidc {
        Oidc { issuer: self.url.clone(), audience: AUDIENCE.to_owned() }
    }

    /// What a good id token says at the beginning.
    fn claims(&self, sub: &str) -> Value {
        let now = BEGIN.parse::<roamwatt::domain::Timestamp>().unwrap().millis() / 1000;
        json!({"iss": self.url, "aud": AUDIENCE, "sub": sub, "iat": now, "exp": now + 300})
    }
}

async fn answer(request: HttpRequest, data: web::Data<(String, Arc<Mutex<Served>>)>) -> HttpResponse {
    let (url, served) = (&data.0, &mut data.1.lock().unwrap());
    if served.down {
        return HttpResponse::ServiceUnavailable().finish();
    }
    match request.path() {
        "/.well-known/openid-configuration" => {
            let issuer = served.pretends.clone().unwrap_or_else(|| url.clone());
            HttpResponse::Ok().json(json!({"issuer": issuer, "jwks_uri": format!("{url}/keys")}))
        }
        "/keys" => {
            served.asked += 1;
            HttpResponse::Ok().json(json!({"keys": served.keys}))
        }
        _ => HttpResponse::NotFound().finish(),
    }
}

on_each_engine! {
    async fn an_id_token_is_exchanged_and_rotated_keys_are_read(db: TestDb) {
        let clock = Clock::manual(BEGIN.parse().unwrap());
        let node = TestNode::start_with(db.url(), clock.clone(), |_| ()).await;
        let (issuer, old, new) = (Issuer::start(), Key::new("old"), Key::new("new"));
        issuer.set(&[&old]);
        let app = AppOf::with(&node, "app", Some(issuer.oidc())).await;
        let bearer = async |token: &str| app.ask(&[("grant_type", JWT_BEARER), ("assertion", token)]).await;
        let token = old.sign(&issuer.claims("sub-1"));
        let first: Value = bearer(&token).await.json().await.unwrap();
        assert!(first["driver_id"].is_string(), "{first}");
        // By token exchange as well, and it is the same driver; the app's own user of that name is another.
        let exchanged = app
            .tokens(&[
                ("grant_type", crate::driver::phone::EXCHANGE),
                ("subject_token", &token),
                ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
            ])
            .await;
        assert_eq!(exchanged["driver_id"], first["driver_id"]);
        assert_ne!(app.exchange("sub-1").await["driver_id"], first["driver_id"]);
        assert_eq!(issuer.asked(), 1, "keys are kept");

        // A rotation is seen at once, but rubbish does not make us ask again and again.
        issuer.set(&[&new, &old]);
        clock.advance(Duration::from_secs(6));
        assert_eq!(bearer(&new.sign(&issuer.claims("sub-1"))).await.status(), 200);
        assert_eq!(issuer.asked(), 2);
        let stranger = Key::new("stranger");
        for _ in 0..5 {
            assert_eq!(refusal(bearer(&stranger.sign(&issuer.claims("sub-1"))).await).await, (400, "invalid_grant".to_owned()));
        }
        assert_eq!(issuer.asked(), 2);
        // The old key is good until the keys are read again without it.
        issuer.set(&[&new]);
        clock.advance(Duration::from_secs(200));
        assert_eq!(bearer(&old.sign(&issuer.claims("sub-1"))).await.status(), 200);
        clock.advance(Duration::from_secs(3600));
        let mut later = issuer.claims("sub-1");
        later["exp"] = json!(later["exp"].as_i64().unwrap() + 7200);
        assert_eq!(bearer(&old.sign(&later)).await.status(), 400);
        assert_eq!(bearer(&new.sign(&later)).await.status(), 200);
        // With the issuer away, what is known is used; what is not cannot be judged.
        issuer.served.lock().unwrap().down = true;
        assert_eq!(bearer(&new.sign(&later)).await.status(), 200);
        clock.advance(Duration::from_secs(6));
        assert_eq!(refusal(bearer(&stranger.sign(&later)).await).await, (503, "temporarily_unavailable".to_owned()));
        node.stop().await;
    }

    async fn what_is_wrong_with_an_id_token_is_refused(db: TestDb) {
        let clock = Clock::manual(BEGIN.parse().unwrap());
        let node = TestNode::start_with(db.url(), clock.clone(), |_| ()).await;
        let (issuer, key) = (Issuer::start(), Key::new("k"));
        issuer.set(&[&key]);
        let app = AppOf::with(&node, "app", Some(issuer.oidc())).await;
        let good = issuer.claims("sub-1");
        let iat = good["iat"].as_i64().unwrap();
        let with = |change: Value| {
            let mut claims = good.clone();
            for (name, value) in change.as_object().unwrap() {
                claims[name] = value.clone();
            }
            key.sign(&claims)
        };
        let try_it = async |token: &str, nonce: Option<&str>| {
            let mut parameters = vec![("grant_type", JWT_BEARER), ("assertion", token)];
            parameters.extend(nonce.map(|nonce| ("nonce", nonce)));
            app.ask(&parameters).await.status().as_u16()
        };
        assert_eq!(try_it(&with(json!({})), None).await, 200);
        for (change, nonce) in [
            (json!({"aud": "another-app"}), None),
            (json!({"aud": ["another-app"]}), None),
            (json!({"aud": [AUDIENCE, "another-app"]}), None),
            (json!({"aud": [AUDIENCE, "another-app"], "azp": "another-app"}), None),
            (json!({"iss": "https://elsewhere.example"}), None),
            (json!({"exp": iat - 61}), None),
            (json!({"nbf": iat + 61}), None),
            (json!({"iat": iat + 61}), None),
            (json!({"sub": ""}), None),
            (json!({"sub": "s".repeat(256)}), None),
            (json!({"nonce": "n1"}), None),
            (json!({"nonce": "n1"}), Some("n2")),
            (json!({}), Some("n1")),
        ] {
            assert_eq!(try_it(&with(change.clone()), nonce).await, 400, "{change} {nonce:?}");
        }
        assert_eq!(try_it(&with(json!({"nonce": "n1"})), Some("n1")).await, 200);
        assert_eq!(try_it(&with(json!({"aud": [AUDIENCE, "b"], "azp": AUDIENCE})), None).await, 200);
        // Nobody's signature, the public key as a shared secret, another's key under the same name, a changed claim.
        let none = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
        let token = with(json!({}));
        let parts: Vec<&str> = token.split('.').collect();
        let point = key.pair.public_key().as_ref().to_vec();
        let header = Header { kid: Some("k".to_owned()), ..Header::new(Algorithm::HS256) };
        let confused = encode(&header, &good, &EncodingKey::from_secret(&point)).unwrap();
        let forged = Key::new("k").sign(&good);
        let other = URL_SAFE_NO_PAD.encode(issuer.claims("sub-2").to_string());
        for wrong in [
            format!("{none}.{}.", parts[1]),
            confused,
            forged,
            format!("{}.{other}.{}", parts[0], parts[2]),
            "rubbish".to_owned(),
        ] {
            assert_eq!(try_it(&wrong, None).await, 400, "{wrong}");
        }
        // Whoever pretends to be another issuer has no keys for us.
        issuer.served.lock().unwrap().pretends = Some("https://login.example".to_owned());
        let late = Key::new("late");
        issuer.set(&[&late]);
        clock.advance(Duration::from_secs(10));
        assert_eq!(try_it(&late.sign(&good), None).await, 503);
        node.stop().await;
    }
}
