//! What the configuration promises.

use super::*;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

fn file(text: &str) -> Sources {
    Sources { file: Some((PathBuf::from("my.toml"), text.to_owned())), ..Sources::default() }
}

fn environment(pairs: &[(&str, &str)]) -> Sources {
    let environment = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Sources { environment, ..Sources::default() }
}

fn flag(flag: &'static str, key: &'static str, value: &str) -> Flag {
    Flag { flag, key, value: value.to_owned() }
}

fn problems(sources: &Sources) -> Vec<String> {
    match Config::load(sources) {
        Ok(config) => panic!("taken: {config:?}"),
        Err(ConfigErrors(problems)) => problems.iter().map(ToString::to_string).collect(),
    }
}

/// The settings of the defaults with their values as TOML.
fn defaults() -> BTreeMap<String, String> {
    let mut section = String::new();
    let mut found = BTreeMap::new();
    for line in DEFAULT_TOML.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_end_matches(']').to_owned();
        } else if let Some((key, value)) = line.split_once(" = ").filter(|_| !line.starts_with('#')) {
            found.insert(format!("{section}.{key}"), value.to_owned());
        }
    }
    found
}

#[test]
fn the_defaults_are_right_and_all_read() {
    let (config, problems, unread) = Config::assemble(&Sources::default());
    assert_eq!(problems, []);
    assert_eq!(unread, [""; 0]);
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.server.public_base(), "http://127.0.0.1:8080");
    assert_eq!(config.database.url.to_string(), "sqlite://roamwatt.db");
    assert_eq!(config.ocpp.heartbeat_interval, Duration::from_secs(300));
    assert_eq!(config.charging.cdr_delay, Duration::from_secs(60));
    assert_eq!(config.roaming.page_limit, 100);
    assert!(!config.charging.bill_until_unplugged);
}

#[test]
fn every_default_has_a_comment() {
    let lines: Vec<&str> = DEFAULT_TOML.lines().collect();
    for (index, line) in lines.iter().enumerate() {
        if line.contains(" = ") && !line.starts_with('#') {
            // A comment may stand over several keys that belong together.
            let above = lines[..index].iter().rev().find(|line| line.starts_with('#') || line.is_empty());
            assert!(above.is_some_and(|line| line.starts_with('#')), "line {}: {line}", index + 1);
        }
    }
    assert!(defaults().len() > 50);
}

#[test]
fn every_setting_can_be_set_in_the_environment() {
    for (key, value) in defaults() {
        // The default, written as one writes it in a shell, is taken; rubbish names the variable.
        let plain = value.trim_matches('"').replace(['[', ']'], "");
        let name = variable_of(&key);
        let sources = environment(&[(&name, &plain)]);
        assert!(Config::load(&sources).is_ok(), "{name}={plain}");
        let free = [
            "public_url",
            "tls_",
            "_file",
            "trusted",
            "security.secret_key",
            "metrics.token",
            "mqtt_password",
            "mail.password",
            "stripe_secret_key",
            "stripe_webhook_secret",
        ];
        if !free.iter().any(|part| key.contains(part)) {
            let found = problems(&environment(&[(&name, "\u{1}")]));
            assert!(found.len() == 1 && found[0].starts_with(&format!("{name}: {key} ")), "{found:?}");
        }
    }
}

#[test]
fn a_flag_counts_before_the_environment_before_the_file_before_the_default() {
    let mut sources = file("[server]\nlisten = \"1.1.1.1:1\"\nmax_body = \"2MiB\"\nworkers = 3\n");
    sources.environment = environment(&[
        ("ROAMWATT_SERVER__LISTEN", "2.2.2.2:2"),
        ("ROAMWATT_SERVER__MAX_BODY", "3MiB"),
        ("ROAMWATT_SERVER__TRUSTED_PROXIES", "10.0.0.0/8, ::1"),
    ])
    .environment;
    sources.flags = vec![flag("--listen", "server.listen", "3.3.3.3:3")];
    let server = Config::load(&sources).unwrap().server;
    assert_eq!(server.listen.to_string(), "3.3.3.3:3");
    assert_eq!(server.max_body, 3 << 20);
    assert_eq!(server.workers, Some(3));
    assert_eq!(server.keep_alive, Duration::from_secs(75));
    assert_eq!(server.trusted_proxies.len(), 2);
}

#[test]
fn the_short_name_of_the_database_url() {
    let url = |sources: &Sources| Config::load(sources).unwrap().database.url.to_string();
    assert_eq!(url(&environment(&[("ROAMWATT_DATABASE_URL", "sqlite://a.db")])), "sqlite://a.db");
    assert_eq!(url(&environment(&[("ROAMWATT_DATABASE__URL", "sqlite://a.db")])), "sqlite://a.db");
    let mut both = environment(&[("ROAMWATT_DATABASE_URL", "sqlite://a.db")]);
    both.flags = vec![flag("--database-url", "database.url", "sqlite://b.db")];
    assert_eq!(url(&both), "sqlite://b.db");
    let found = problems(&environment(&[
        ("ROAMWATT_DATABASE_URL", "postgres://u:hunter2@h/a"),
        ("ROAMWATT_DATABASE__URL", "sqlite://b.db"),
    ]));
    assert!(found[0].starts_with("ROAMWATT_DATABASE_URL: ") && !found[0].contains("hunter2"), "{found:?}");
}

#[test]
fn mistakes_are_reported_together_with_file_line_key_and_remedy() {
    let found = problems(&file(
        "[server]\nlisten = 8080\nlistn = \"x\"\n\n[ocp]\nx = 1\n[ocpp]\ncall_timeout = 30\nallow_no_auth = \"true\"\n\
         request_timeout = \"1s\"\n[roaming]\npage_limit = 5000\nmax_pages = 0\n[security]\nsecret_key = \"hunter2\"\n",
    ));
    assert_eq!(
        found,
        [
            "my.toml:5: unknown section [ocp] (did you mean [ocpp]?)",
            "my.toml:3: unknown setting server.listn (did you mean listen?)",
            "my.toml:10: unknown setting ocpp.request_timeout (did you mean request_timeout in [payments]?)",
            "my.toml:2: server.listen is the number 8080 (write a text in quotes)",
            "my.toml:15: security.secret_key has fewer than 32 characters \
             (make one with: openssl rand -base64 32)",
            "my.toml:8: ocpp.call_timeout is the number 30 (write the unit too: \"30s\" or \"30m\")",
            "my.toml:9: ocpp.allow_no_auth is \"true\" (write true without quotes)",
            "my.toml:13: roaming.max_pages is the number 0 (write a whole number from 1 to 1000000)",
            "my.toml:12: roaming.page_limit is more than roaming.page_limit_max \
             (lower page_limit or raise page_limit_max)",
        ]
    );
}

#[test]
fn a_file_that_is_no_toml_names_the_line() {
    let found = problems(&file("[server]\nlisten = 127.0.0.1:8080\n"));
    assert!(found[0].starts_with("my.toml:2: "), "{found:?}");
    let found = problems(&file("listen = \"127.0.0.1:1\"\n[server]\n[server]\n"));
    assert!(found[0].starts_with("my.toml:3: "), "{found:?}");
    let found = problems(&file("listen = \"127.0.0.1:1\"\n"));
    assert_eq!(found, ["my.toml:1: unknown setting listen (did you mean listen in [server]?)"]);
    let found = problems(&file("[server.tls]\nkey = \"x\"\n"));
    assert!(found[0].starts_with("my.toml:1: unknown setting server.tls"), "{found:?}");
}

#[test]
fn a_variable_that_is_none_names_the_right_one() {
    for (name, meant) in [
        ("ROAMWATT_SERVER__LISTN", "ROAMWATT_SERVER__LISTEN"),
        ("ROAMWATT_SERVR__LISTEN", "ROAMWATT_SERVER__LISTEN"),
        ("ROAMWATT_SERVER_LISTEN", "ROAMWATT_SERVER__LISTEN"),
        ("ROAMWATT_DATABSE_URL", "ROAMWATT_DATABASE_URL"),
    ] {
        let found = problems(&environment(&[(name, "x")]));
        assert!(found[0].starts_with(&format!("{name}: ")), "{found:?}");
        assert!(found[0].ends_with(&format!("did you mean {meant}?)")), "{found:?}");
    }
    let foreign =
        [("ROAMWATT_SERVICE_HOST", "10.0.0.1"), ("ROAMWATT_PORT", "tcp://10.0.0.1:80"), ("HOME", "/")];
    assert!(Config::load(&environment(&foreign)).is_ok());
}

#[test]
fn secrets_come_from_files_and_are_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let secret = "canary-canary-canary-canary-canary!";
    let path = folder.path().join("key");
    std::fs::write(&path, format!("{secret}\n")).unwrap();
    let path = path.to_str().unwrap();

    let config = Config::load(&environment(&[
        ("ROAMWATT_SECURITY__SECRET_KEY_FILE", path),
        ("ROAMWATT_METRICS__TOKEN", secret),
        ("ROAMWATT_DATABASE_URL", &format!("postgres://me:{secret}@db/rw")),
    ]))
    .unwrap();
    assert_eq!(config.security.secret_key.reveal(), secret);
    assert_eq!(config.metrics.token.reveal(), secret);
    assert!(!format!("{config:?} {config:#?}").contains("canary"));

    // What counts more wins; two at the same place are a mistake.
    let mut sources = file(&format!("[security]\nsecret_key_file = \"{path}\"\n"));
    sources.environment = environment(&[("ROAMWATT_SECURITY__SECRET_KEY", &"e".repeat(32))]).environment;
    assert_eq!(Config::load(&sources).unwrap().security.secret_key.reveal(), "e".repeat(32));
    let both = format!("[security]\nsecret_key = \"{secret}\"\nsecret_key_file = \"{path}\"\n");
    let found = problems(&file(&both));
    assert!(found[0].starts_with("my.toml:3: ") && !found[0].contains("canary"), "{found:?}");

    for (key, value) in
        [("security.secret_key_file", "/none/such"), ("database.url", "mysql://me:canary@db/rw")]
    {
        let found = problems(&environment(&[(&variable_of(key), value)]));
        assert!(found.len() == 1 && !found[0].contains("canary"), "{found:?}");
    }
    for text in
        ["[metrics]\ntoken = [\"canary\"]\n", "[metrics]\ntoken = canary\n", "[metrics]\ntoken = \"canary\n"]
    {
        let found = problems(&file(text));
        assert!(found[0].starts_with("my.toml:2: ") && !found[0].contains("canary"), "{found:?}");
    }
}

#[test]
fn the_public_url() {
    let base = |listen: &str, url: &str| {
        let sources =
            environment(&[("ROAMWATT_SERVER__LISTEN", listen), ("ROAMWATT_SERVER__PUBLIC_URL", url)]);
        Config::load(&sources).map(|config| config.server.public_base())
    };
    assert_eq!(base("0.0.0.0:80", "").unwrap(), "http://127.0.0.1:80");
    assert_eq!(base("[::]:80", "").unwrap(), "http://[::1]:80");
    assert_eq!(base("0.0.0.0:80", "https://a.example/rw/").unwrap(), "https://a.example/rw");
    for url in ["a.example", "ftp://a", "https://a/?x", "https://u:p@a/"] {
        assert!(base("0.0.0.0:80", url).is_err(), "{url}");
    }
}

#[test]
fn a_certificate_needs_its_key() {
    let found = problems(&file("[server]\ntls_certificate = \"c.pem\"\n"));
    assert_eq!(found, ["my.toml:2: server.tls_certificate needs tls_key (name both files, or none)"]);
}
